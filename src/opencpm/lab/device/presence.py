"""What a device does about presence: publish its user's (RFC 3903), follow that of others (RFC 3856)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from opencpm.protocols import pidf
from opencpm.protocols.sip.dialog import Dialog, uac_dialog
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from opencpm.lab.device.device import LabDevice


class Follower(Protocol):
    """Who takes the NOTIFYs of a subscription."""

    def notified(self, transaction: ServerTransaction, request: Message) -> None: ...


class Followed:
    """Somebody whose presence the device follows. `seen`: what the last NOTIFY said; None: nothing is known."""

    def __init__(self, device: LabDevice, target: str) -> None:
        self.target = target
        self.seen: pidf.Pidf | None = None
        self.told = 0
        self.ended = ""
        self._device = device
        self._dialog: Dialog | None = None

    @property
    def words(self) -> str:
        """ "open", "open busy lunch", "closed", or "unknown"."""
        if self.seen is None:
            return "unknown"
        return " ".join(filter(None, ("open" if self.seen.open else "closed", self.seen.activity, self.seen.note)))

    async def begin(self, expires: int = 600) -> int:
        """SUBSCRIBE; returns the status."""
        fields = [
            *self._device.out_of_dialog("SUBSCRIBE", self.target, "session"),
            ("Contact", f"<{self._device.agent.contact}>"),
            ("Event", "presence"),
            ("Accept", pidf.CONTENT_TYPE),
            ("Expires", str(expires)),
        ]
        call_id = next(value for name, value in fields if name == "Call-ID")
        self._device.following[call_id] = self
        request, response = await self._device.agent.request("SUBSCRIBE", self.target, fields)
        if response.status < 300:
            self._dialog = uac_dialog(request, response)
        return response.status

    async def end(self) -> int:
        assert self._dialog is not None
        uri, fields = self._dialog.next_request("SUBSCRIBE")
        more = [("Contact", f"<{self._device.agent.contact}>"), ("Event", "presence"), ("Expires", "0")]
        _, response = await self._device.agent.request("SUBSCRIBE", uri, [*fields, *more])
        return response.status

    def notified(self, transaction: ServerTransaction, request: Message) -> None:
        self._device.agent.respond(transaction, request, 200)
        self.seen = pidf.parse(request.body) if request.body else None
        self.told += 1
        state = request.get("subscription-state")
        if state.startswith("terminated"):
            self.ended = state
        self._device.journal.note("presence", self.words, peer=self.target, state=state)


async def publish(
    device: LabDevice, activity: str = "", note: str = "", *, tag: str = "", expires: int = 3600, silent: bool = False
) -> tuple[int, str]:
    """PUBLISH; gives the status and the entity tag. `silent`: refresh or end what the tag names, saying nothing."""
    document = b"" if silent else pidf.build(pidf.Pidf(device.identity, True, activity, note))
    fields = [
        *device.out_of_dialog("PUBLISH", device.identity, "session"),
        ("Event", "presence"),
        ("Expires", str(expires)),
        *([("SIP-If-Match", tag)] if tag else []),
        *([("Content-Type", pidf.CONTENT_TYPE)] if document else []),
    ]
    _, response = await device.agent.request("PUBLISH", device.identity, fields, document)
    return response.status, response.get("sip-etag")
