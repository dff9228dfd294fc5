"""A delivery as the short messages that carry it. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition
from opencpm.protocols.gsm import alphabet, packing
from opencpm.protocols.gsm.content import Terms, reference_of
from opencpm.protocols.gsm.segmentation import Coding, Segment
from opencpm.protocols.smpp.party import Party, to_party
from opencpm.protocols.smpp.short_message import UDHI, ShortMessage
from opencpm.protocols.smpp.times import relative
from opencpm.protocols.smpp.tlv import Tag

from .adapt import is_push, push_segments, segments_of, terms_of
from .settings import LinkSettings, SmsSettings

_ASKS_FOR_RECEIPT = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
_SHORTEST_VALIDITY = 300.0
_DATA, _UCS2 = 0x04, 0x08  # data_coding

party_of = lru_cache(maxsize=4096)(to_party)


class Composer:
    """Makes short messages by the settings of one network."""

    def __init__(self, settings: SmsSettings) -> None:
        self.terms = terms_of(settings)
        self._settings = settings
        self._written = _written_for(settings.links[0], self.terms.charset)

    def compose(self, delivery: Delivery, now: float, terms: Terms | None = None) -> tuple[ShortMessage, ...]:
        """The submits of a delivery; every id in them is derived from ``delivery.id``. ``terms`` are the sender's; left
        out, those of the network. Raises SendError.
        """
        terms = terms or self.terms
        if delivery.notice is not None:
            raise SendError(Reason.NOT_ACCEPTABLE, detail="notices are not sent by SMS")
        reference = reference_of(delivery.id)
        blank = self._blank(delivery, now)
        if is_push(delivery.message):
            blank = blank._replace(data_coding=_DATA, esm_class=UDHI)
            segments = push_segments(delivery.message, terms, reference)
            return tuple([blank._replace(message=header + content) for header, content in segments])
        cut = segments_of(delivery.message, terms, reference, delivery.max_segments)
        if cut.coding is not Coding.GSM7:
            blank = blank._replace(data_coding=_UCS2)
        segments = cut.segments
        if self._written is not None:
            segments = tuple([self._written(cut.coding, one) for one in segments])
        if len(segments) > 1 and self._settings.long_messages != "header":
            return self._by_parameters(blank, [one.content for one in segments], reference)
        if len(segments) == 1 and not segments[0].header:
            return (blank._replace(message=segments[0].content),)
        return tuple([blank._replace(message=header + content, esm_class=UDHI) for header, content in segments])

    def _blank(self, delivery: Delivery, now: float) -> ShortMessage:
        """All but the content. Raises SendError."""
        source = self.source(delivery.source)
        destination = self._destination(delivery)
        return ShortMessage(
            source.digits,
            destination.digits,
            b"",
            source.ton,
            source.npi,
            destination.ton,
            destination.npi,
            0,
            int(self._wants_receipt(delivery)),
            0,
            self._validity(delivery, now),
        )

    def _by_parameters(
        self, blank: ShortMessage, contents: Sequence[bytes], reference: int
    ) -> tuple[ShortMessage, ...]:
        """A long text without a header: whole, or its segments counted in parameters (§5.3.2.22 to 24, .32)."""
        if self._settings.long_messages == "payload":
            return (blank._replace(tlvs=((int(Tag.MESSAGE_PAYLOAD), b"".join(contents)),)),)
        total = bytes((len(contents),))
        return tuple(
            [
                blank._replace(
                    message=content,
                    tlvs=(
                        (int(Tag.SAR_MSG_REF_NUM), reference.to_bytes(2, "big")),
                        (int(Tag.SAR_TOTAL_SEGMENTS), total),
                        (int(Tag.SAR_SEGMENT_SEQNUM), bytes((number,))),
                    ),
                )
                for number, content in enumerate(contents, 1)
            ]
        )

    def source(self, person: Address) -> Party:
        """The configured sender, else the person's own number, else the fallback. Raises SendError."""
        settings = self._settings
        own = person.value if person.scheme in ("tel", "alpha") else ""
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


def _written_for(link: LinkSettings, charset: str) -> Callable[[Coding, Segment], Segment] | None:
    """How a peer with habits of its own wants a segment written; None where it has none."""
    packed, swapped = link.default_alphabet == "gsm7-packed", link.ucs2_little_endian
    if not packed and not swapped and not charset:
        return None

    def written(coding: Coding, segment: Segment) -> Segment:
        header, content = segment
        if coding is Coding.UCS2:
            return Segment(header, _swap(content)) if swapped else segment
        if charset:
            return Segment(header, alphabet.decode(content).encode(charset, "replace"))
        return Segment(header, packing.pack(content, packing.fill_bits(len(header)))) if packed else segment

    return written


def _swap(octets: bytes) -> bytes:
    out = bytearray(octets)
    out[::2], out[1::2] = octets[1::2], octets[::2]
    return bytes(out)


@lru_cache(maxsize=8192)
def _validity_text(minutes: int) -> str:
    return relative(60.0 * minutes)
