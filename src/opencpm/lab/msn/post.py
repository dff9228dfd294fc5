"""The lab's post office for people who are offline: leaving (11 to 17), fetching and removing (11 and later)."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from email.utils import formatdate
from typing import TYPE_CHECKING

from opencpm.lab.msn.values import Answered, Asked, attribute, fault, soap, text, texts
from opencpm.lab.msn.world import Account, Kept, World
from opencpm.protocols.msnp import challenge, oim, rst
from opencpm.protocols.xmlsafe import escape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MAX_CONTENT = 4096


class PostOffice:
    """Takes messages only with the lock key that answers its challenge."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._challenges: dict[str, str] = {}  # by account

    def store(self, asked: Asked) -> Answered:
        root = asked.xml()
        if root is None or asked.action not in ("Store", "Store2"):
            return fault("soap:Client", "no such operation")
        space = oim.OLD if asked.action == "Store" else oim.NEW
        ticket = attribute(root, "Ticket", "passport")
        account = self._world.bearer(ticket, (rst.OFFLINE, rst.MESSENGER))
        if account is None or account.address != attribute(root, "From", "memberName"):
            return fault("q0:AuthenticationFailed", "no such ticket")
        if not self._unlocked(account, root):
            return self._locked(account, space)
        if asked.action in self._world.faults.web_faults:
            return fault(f"q0:{self._world.faults.web_faults[asked.action]}", account=account.address)
        peer = self._world.account(attribute(root, "To", "memberName"))
        content = text(root, "Content")
        if peer is None or len(content) > _MAX_CONTENT:
            return fault("q0:InvalidUser" if peer is None else "q0:MessageTooLarge", account=account.address)
        if peer.allows(account.address):  # a blocked sender is told nothing
            self._world.keep(peer, account, content)
        return soap(
            f'<StoreResponse xmlns="{space}"><PointsConsumed>0</PointsConsumed></StoreResponse>', account.address
        )

    def _unlocked(self, account: Account, root: Element) -> bool:
        asked, product = self._challenges.get(account.address, ""), attribute(root, "Ticket", "appid")
        known = {each.id: each for each in (challenge.MSN_7, challenge.MSN_8, challenge.MSN_14)}
        if not asked or product not in known:
            return False
        return attribute(root, "Ticket", "lockkey") == challenge.keyed_answer(asked, known[product])

    def _locked(self, account: Account, space: str) -> Answered:
        digits = str(secrets.randbelow(10**10))
        self._challenges[account.address] = digits
        detail = f'<LockKeyChallenge xmlns="{space}">{digits}</LockKeyChallenge>'
        return fault("q0:AuthenticationFailed", "lock key", detail, account.address)

    def fetch(self, asked: Asked) -> Answered:
        root = asked.xml()
        if root is None:
            return Answered(400)
        t, p = text(root, "t"), text(root, "p")
        account = self._world.bearer(t, (rst.LEGACY, rst.MESSENGER)) or self._world.bearer(
            f"t={t}&p={p}", (rst.LEGACY, rst.MESSENGER)
        )
        if account is None:
            return fault("soap:Client", "PassportAuthFail", "<errorcode>PassportAuthFail</errorcode>")
        if asked.action in self._world.faults.web_faults:
            return fault(f"soap:{self._world.faults.web_faults[asked.action]}", account=account.address)
        match asked.action:
            case "GetMessage":
                return self._get(account, text(root, "messageId"))
            case "DeleteMessages":
                return self._delete(account, texts(root, "messageId"))
            case "GetMetadata":
                inside = self._world.mail_data(account)
                return soap(
                    f'<GetMetadataResponse xmlns="{oim.RSI_NAMESPACE}">{inside}</GetMetadataResponse>', account.address
                )
        return fault("soap:Client", "no such operation", account=account.address)

    def _get(self, account: Account, ident: str) -> Answered:
        kept = next((each for each in account.kept if each.id == ident), None)
        if kept is None:
            return fault("soap:Client", "MessageNotFound", account=account.address)
        mail = escape(_mail(kept, account))
        result = f"<GetMessageResult>{mail}</GetMessageResult>"
        return soap(
            f'<GetMessageResponse xmlns="{oim.RSI_NAMESPACE}">{result}</GetMessageResponse>', account.address, ident
        )

    def _delete(self, account: Account, idents: list[str]) -> Answered:
        account.kept = [each for each in account.kept if each.id not in idents]
        return soap(f'<DeleteMessagesResponse xmlns="{oim.RSI_NAMESPACE}"/>', account.address, ",".join(idents))


def _mail(kept: Kept, account: Account) -> str:
    """The mail as the recorded server gives it: its own headers before those of the sender's mail."""
    name = b64encode(kept.name.encode()).decode()
    arrived = time.strftime("%d %b %Y %H:%M:%S.0000 (UTC) FILETIME=[00000000:00000000]", time.gmtime(kept.at))
    head = (
        "X-Message-Info: lab\nReceived: from lab\n by lab; "
        f"{formatdate(kept.at)}\nFrom: =?utf-8?B?{name}?= <{kept.sender}>\nTo: {account.address}\nSubject: \n"
        f"X-OriginalArrivalTime: {arrived}\nDate: {formatdate(kept.at)}\n"
    )
    return head + kept.mail.replace("\r\n", "\n")
