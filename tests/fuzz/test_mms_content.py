"""Content of multimedia messages from anywhere: read, or refused with the one error there is."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.domain.errors import SendError
from opencpm.domain.message import Part
from opencpm.interworking.mms import adapt
from opencpm.interworking.mms.fit import fit
from opencpm.media import CLASSES, ContentClass
from opencpm.media.mms.slides import slides_of
from opencpm.protocols import mime
from opencpm.protocols.mms.content import part_of
from opencpm.transport.http_post import Posted
from tests.interworking.mms.mm7.support import Inbox, context

_TYPES = st.sampled_from(
    [
        "text/plain",
        "text/plain; charset=utf-16",
        "text/plain; charset=x",
        "application/smil",
        "image/jpeg",
        "image/png",
        "",
        "application/octet-stream; name=a.jpg",
        'multipart/related; boundary="b"',
        'multipart/mixed; boundary="b"; start="<p>"',
        "application/vnd.oma.drm.message",
        "video/3gpp",
        "*/*",
    ]
)
_BODIES = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [
            b"--b\r\n",
            b"--b--",
            b"\r\n",
            b"Content-Type: text/plain\r\n",
            b"Content-Type: application/smil\r\nContent-ID: <p>\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b'Content-Type: multipart/mixed; boundary="b"\r\n',
            b"<smil><body><par><img src='a'/></par></body></smil>",
            b"\xff\xd8\xff\xe0",
            b"\x89PNG\r\n\x1a\n",
            b"text",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(content_type=_TYPES, body=_BODIES)
def test_what_phones_send(content_type: str, body: bytes) -> None:
    try:
        parts = adapt.received(part_of(content_type, body))
    except SendError:
        return
    assert parts
    assert all("\r" not in part.content_type for part in parts)


_PARTS = st.builds(Part, content_type=_TYPES, body=_BODIES, name=st.text(max_size=80))


@given(parts=st.lists(_PARTS, min_size=1, max_size=5))
def test_what_is_composed_can_be_read_whatever_it_is(parts: list[Part]) -> None:
    content = adapt.content_of(parts, "0123456789abcdef.0")
    mime.split_multipart(content.content_type, content.body, max_parts=200)
    fit(parts, CLASSES[ContentClass.IMAGE_RICH])


@given(text=st.text(max_size=300), most=st.integers(3, 50))
def test_slides_lose_nothing(text: str, most: int) -> None:
    pieces = slides_of(text, most)
    assert "".join(pieces) == text
    assert all(len(piece) <= most for piece in pieces)


@settings(max_examples=50)
@given(content_type=_TYPES | st.just("text/xml"), body=_BODIES)
def test_whatever_comes_to_the_listener_has_an_answer(content_type: str, body: bytes) -> None:
    from opencpm.interworking.mms.mm7.inbound import Inbound
    from opencpm.interworking.mms.mm7.linked import Linked
    from opencpm.interworking.mms.mm7.settings import Mm7Settings

    where = context()
    inbound = Inbound(Mm7Settings(), where, Linked(where.store, "l", where.directory, 0.0, 0.0))

    async def ask() -> int:
        inbound.start(Inbox())
        return (await inbound.handle(Posted({"content-type": content_type}, body, "", ""))).status

    assert asyncio.run(ask()) == 200


@settings(max_examples=50)
@given(content_type=_TYPES | st.just("text/xml"), body=_BODIES)
def test_whatever_a_service_sends_has_an_answer(content_type: str, body: bytes) -> None:
    from opencpm.access.mm7.account import Account
    from opencpm.access.mm7.people import People
    from opencpm.access.mm7.submits import Submits
    from opencpm.domain.address import tel
    from opencpm.domain.subscriber import Subscriber
    from opencpm.protocols.breaker import Breaker
    from opencpm.protocols.bucket import Bucket
    from opencpm.protocols.mm7 import REL_6
    from opencpm.settings import Mm7AccessSettings, Mm7Terms

    where = context()
    submits = Submits(where, where.store, People(Mm7AccessSettings(), where.directory))  # type: ignore[arg-type]
    account = Account("news", Mm7Terms(), Bucket(0.0, 0, 0.0), Breaker("", 1.0, 1.0, 1.0, 0.0), REL_6)
    person = Subscriber(id="news", name="News", addresses=(tel("7755"),))

    async def ask() -> int:
        submits.start(Inbox())
        return (await submits.take(account, person, content_type, body)).status

    assert asyncio.run(ask()) == 200
