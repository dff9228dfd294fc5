"""The token service (RST): one request with name and password, one token for each service (dialects 13 and later)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from opencpm.protocols.msnp import soap
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.notices import moment
from opencpm.protocols.xmlsafe import escape

MESSENGER = "messengerclear.live.com"  # the notification server
CONTACTS = "contacts.msn.com"  # address book and memberships
OFFLINE = "messengersecure.live.com"  # leaving offline messages
LEGACY = "messenger.msn.com"  # fetching offline messages; the login of 13 and 14
MAX_REDIRECTS = 3

_ISSUE = "http://schemas.xmlsoap.org/ws/2004/04/security/trust/Issue"
_NAMESPACES = (
    f'xmlns="{soap.ENVELOPE}" xmlns:wsse="http://schemas.xmlsoap.org/ws/2003/06/secext" '
    'xmlns:wsp="http://schemas.xmlsoap.org/ws/2002/12/policy" '
    'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/03/addressing" '
    'xmlns:wst="http://schemas.xmlsoap.org/ws/2004/04/trust"'
)
_WRONG = frozenset({"FailedAuthentication"})


class Wanted(NamedTuple):
    """A service, and the policy under which its token is to be issued."""

    address: str
    policy: str


class Token(NamedTuple):
    """A token: passed on unchanged; `secret` (base64) proves that it is ours; `expires` in epoch seconds, 0 unknown."""

    text: str
    secret: str = ""
    expires: float = 0.0


class Refusal(NamedTuple):
    """No tokens. `credentials` is True when address or password are wrong, else it may be tried again."""

    credentials: bool
    text: str


def wanted(policy: str) -> tuple[Wanted, ...]:
    """What a sign-on needs: `policy` is the one that `USR SSO S` names, empty in 13 and 14."""
    login = (Wanted(MESSENGER, policy),) if policy else ()
    return (*login, Wanted(CONTACTS, "MBI"), Wanted(OFFLINE, "MBI_SSL"), Wanted(LEGACY, "?id=507"))


def body(address: str, password: str, services: Iterable[Wanted]) -> str:
    """The request's envelope."""
    asked = "".join(_one(number, service) for number, service in enumerate(services))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Envelope {_NAMESPACES}><Header><wsse:Security>'
        f'<wsse:UsernameToken Id="user"><wsse:Username>{escape(address)}</wsse:Username>'
        f"<wsse:Password>{escape(password)}</wsse:Password></wsse:UsernameToken></wsse:Security></Header>"
        f'<Body><RequestMultipleSecurityTokens Id="RSTS">{asked}</RequestMultipleSecurityTokens></Body></Envelope>'
    )


def _one(number: int, service: Wanted) -> str:
    return (
        f'<wst:RequestSecurityToken Id="RST{number}"><wst:RequestType>{_ISSUE}</wst:RequestType><wsp:AppliesTo>'
        f"<wsa:EndpointReference><wsa:Address>{escape(service.address)}</wsa:Address></wsa:EndpointReference>"
        f'</wsp:AppliesTo><wsse:PolicyReference URI="{escape(service.policy)}"/></wst:RequestSecurityToken>'
    )


def tokens(reply: soap.HttpReply) -> Mapping[str, Token]:
    """The tokens of an answer by the service they are for. Raises soap.Fault or MsnpError."""
    found: dict[str, Token] = {}
    for response in soap.every(soap.read(reply), "RequestSecurityTokenResponse"):
        address = soap.text(response, "Address")
        text = soap.text(response, "BinarySecurityToken")
        # Each response has a secret of its own; the first of the document belongs to the legacy Passport token.
        secret, expires = soap.text(response, "BinarySecret"), moment(soap.text(response, "Expires"))
        if address and text and len(text) < 8192 and not set(text) & set(" \r\n\t"):
            found[address] = Token(text, secret, expires)
    if not found:
        raise MsnpError("no token in the answer")
    return found


class TokenLogin:
    """One request for tokens, with the redirections the service may ask for.

    Ask `request()`, do it, tell `response()`; repeat until `result` is set.
    """

    def __init__(self, address: str, password: str, url: str, services: Sequence[Wanted]) -> None:
        self._body = body(address, password, services)
        self._url = url
        self._redirects = 0
        self.result: Mapping[str, Token] | Refusal | None = None

    def request(self) -> soap.HttpRequest:
        """The request to make now."""
        return soap.post(self._url, self._body)

    def response(self, reply: soap.HttpReply) -> None:
        """Take the answer."""
        try:
            self.result = tokens(reply)
        except soap.Fault as fault:
            self._refused(fault)
        except MsnpError as error:
            self.result = Refusal(False, f"token service: {error}")

    def _refused(self, fault: soap.Fault) -> None:
        if fault.code == "Redirect" and self._redirects < MAX_REDIRECTS:
            self._redirects += 1
            try:
                self._url = soap.redirected(self._url, fault.detail.get("redirectUrl", ""))
            except MsnpError as error:
                self.result = Refusal(False, f"token service: {error}")
        elif fault.code in _WRONG:
            self.result = Refusal(True, "address or password refused")
        else:
            self.result = Refusal(False, f"token service: {fault}"[:200])
