"""A delivery as the short messages that carry it. Pure: time is an argument."""

from __future__ import annotations

from functools import lru_cache

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition
from opencpm.protocols.gsm.content import reference_of
from opencpm.protocols.gsm.segmentation import Coding
from opencpm.protocols.smpp.party import Party, to_party
from opencpm.protocols.smpp.short_message import UDHI, ShortMessage
from opencpm.protocols.smpp.times import relative

from .adapt import segments_of, terms_of
from .settings import SmsSettings

_ASKS_FOR_RECEIPT = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
_SHORTEST_VALIDITY = 300.0

party_of = lru_cache(maxsize=4096)(to_party)


class Composer:
    """Makes short messages by the settings of one network."""

    def __init__(self, settings: SmsSettings) -> None:
        self.terms = terms_of(settings)
        self._settings = settings

    def compose(self, delivery: Delivery, now: float) -> tuple[ShortMessage, ...]:
        """The submits of a delivery; every id in them is derived from ``delivery.id``. Raises SendError."""
        if delivery.notice is not None:
            raise SendError(Reason.NOT_ACCEPTABLE, detail="notices are not sent by SMS")
        cut = segments_of(delivery.message, self.terms, reference_of(delivery.id), delivery.max_segments)
        source = self.source(delivery)
        destination = self._destination(delivery)
        receipt = int(self._wants_receipt(delivery))
        validity = self._validity(delivery, now)
        return tuple(
            [
                ShortMessage(
                    source.digits,
                    destination.digits,
                    header + content,
                    source.ton,
                    source.npi,
                    destination.ton,
                    destination.npi,
                    UDHI if header else 0,
                    receipt,
                    0 if cut.coding is Coding.GSM7 else 8,
                    validity,
                )
                for header, content in cut.segments
            ]
        )

    def source(self, delivery: Delivery) -> Party:
        """The configured sender, else the person's own number, else the fallback. Raises SendError."""
        settings = self._settings
        own = delivery.source.value if delivery.source.scheme in ("tel", "alpha") else ""
        text = settings.source or own or settings.fallback_source
        if not text:
            raise SendError(
                Reason.INVALID_SOURCE,
                detail="you have no telephone number to send SMS from; the operator can give you one",
            )
        party = party_of(text)
        if settings.source_ton is None and settings.source_npi is None:
            return party
        ton = party.ton if settings.source_ton is None else settings.source_ton
        return Party(ton, party.npi if settings.source_npi is None else settings.source_npi, party.digits)

    def _destination(self, delivery: Delivery) -> Party:
        if delivery.target.scheme != "tel":
            raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{delivery.target} is no telephone number")
        return party_of(delivery.target.value)

    def _wants_receipt(self, delivery: Delivery) -> bool:
        if self._settings.receipts == "asked":
            return bool(delivery.message.wants & _ASKS_FOR_RECEIPT)
        return self._settings.receipts == "always"

    def _validity(self, delivery: Delivery, now: float) -> str:
        """Relative, so that clocks need not agree; in steps of a minute, at least five of them."""
        left = delivery.expires_at - now if delivery.expires_at else self._settings.max_validity
        return _validity_text(int(min(max(left, _SHORTEST_VALIDITY), self._settings.max_validity) + 59) // 60)


@lru_cache(maxsize=8192)
def _validity_text(minutes: int) -> str:
    return relative(60.0 * minutes)
