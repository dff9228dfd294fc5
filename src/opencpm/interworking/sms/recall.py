"""A short message taken back from the SMSC that has accepted it: cancel_sm for each segment (SMPP 3.4 §4.9).

The ids of the segments are in what the outcome said when they were accepted. It is kept with the delivery and can be
read again, after a restart too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from opencpm.domain.errors import Reason, SendError
from opencpm.interfaces import DeliveryRecord
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.party import Party
from opencpm.protocols.smpp.pdu import Value
from opencpm.protocols.smpp.status import RCANCELFAIL, RINVMSGID

from . import reasons
from .lane import Lane
from .outgoing import Composer, party_of

_BEGINNING, _FROM, _BETWEEN = "message_id ", " from ", ", "
_NOT_GIVEN = frozenset({RCANCELFAIL, RINVMSGID})

Answer = asyncio.Future[int | None]
"""The command_status of a cancel_sm_resp; None: there was none."""


class Accepted(NamedTuple):
    """Under which ids an account of ours has the segments of a message at its SMSC."""

    account: str
    ids: tuple[str, ...]

    def written(self) -> str:
        return f"{_BEGINNING}{_BETWEEN.join(self.ids)}{_FROM}{self.account}"

    @classmethod
    def read(cls, detail: str) -> Accepted | None:
        """What :meth:`written` says; None for anything else, and where the SMSC gave no id."""
        ids, found, account = detail.removeprefix(_BEGINNING).partition(_FROM)
        named = tuple(ids.split(_BETWEEN))
        return cls(account, named) if found and detail.startswith(_BEGINNING) and all(named) else None


async def recall(record: DeliveryRecord, lanes: Sequence[Lane], composer: Composer) -> str:
    """Ask over a link of the account that submitted it. Raises SendError."""
    known = Accepted.read(record.detail)
    if known is None or record.source is None or record.target is None:
        raise SendError(Reason.TOO_LATE, detail="the SMS network gave no id under which to ask for the message")
    lane = next((one for one in lanes if one.open and one.account == known.account), None)
    if lane is None:
        raise reasons.no_link()
    source, target = composer.source(record.source), party_of(record.target.value)
    loop = asyncio.get_running_loop()
    answers: list[Answer] = []
    for message_id in known.ids:
        answers.append(loop.create_future())
        lane.request(Command.CANCEL_SM, _body(message_id, source, target), answers[-1], loop.time())
    lane.flush()
    return _verdict([await answer for answer in answers])


def _body(message_id: str, source: Party, target: Party) -> dict[str, Value]:
    """Both ends as they were submitted: the SMSC compares them."""
    return {
        "message_id": message_id,
        "source_addr_ton": source.ton,
        "source_addr_npi": source.npi,
        "source_addr": source.digits,
        "dest_addr_ton": target.ton,
        "dest_addr_npi": target.npi,
        "destination_addr": target.digits,
    }


def _verdict(statuses: Sequence[int | None]) -> str:
    """Raises SendError where not every segment was given back."""
    bad = [status for status in statuses if status != 0]
    if not bad:
        segments = "" if len(statuses) == 1 else f"{len(statuses)} segments "
        return f"cancel_sm_resp: {segments}taken back"
    status = bad[0]
    if len(bad) < len(statuses):
        detail = f"the SMS network gave back {len(statuses) - len(bad)} of {len(statuses)} segments only"
        raise SendError(Reason.TOO_LATE, detail=detail, code=_code(status))
    if status is None:
        raise SendError(Reason.TIMEOUT, retryable=True, detail="no answer from the SMS network; ask again")
    if status in _NOT_GIVEN:
        raise SendError(Reason.TOO_LATE, detail="the SMS network does not give the message back", code=_code(status))
    raise reasons.refused(status)


def _code(status: int | None) -> str:
    return "no answer" if status is None else reasons.refused(status).code
