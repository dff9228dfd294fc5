"""Content through the real workers."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.interfaces import NOTHING
from opencpm.interworking.mms.fit import fit
from opencpm.interworking.mms.outgoing import adapted
from opencpm.media import CLASSES, ContentClass, Pool
from tests.interworking.mms.pictures import jpeg
from tests.protocols.test_pushlocation import DOCUMENT

RICH = CLASSES[ContentClass.IMAGE_RICH]


async def test_a_large_photograph_fits_and_what_was_said_beforehand_holds() -> None:
    parts = (text_part("Look"), Part("image/jpeg", jpeg(4000, 3000), "beach.jpg"))
    said = fit(parts, RICH)
    async with Pool(1) as pool:
        ready = await adapted(parts, RICH, pool)
    assert ready.size <= RICH.budget
    with Image.open(BytesIO(ready.parts[1].body)) as image:
        assert image.size == (640, 480)
    assert ready.losses
    assert said.losses


async def test_a_text_needs_no_workers() -> None:
    ready = await adapted((text_part("Hi"),), RICH, NOTHING)
    assert ready.parts == (text_part("Hi"),)


async def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(SendError) as caught:
        await adapted((text_part("x" * 200_000),), RICH, NOTHING)
    assert caught.value.reason is Reason.TOO_LARGE


async def test_where_there_are_no_workers_media_do_not_go() -> None:
    with pytest.raises(SendError) as caught:
        await adapted((Part("image/jpeg", jpeg()),), RICH, NOTHING)
    assert caught.value.reason is Reason.UNSUPPORTED_MEDIA


async def test_a_location_is_a_text_with_a_link_to_a_map() -> None:
    body = DOCUMENT.replace("{pos}", "52.2297 21.0122").encode()
    parts = (Part("application/vnd.gsma.rcspushlocation+xml;charset=UTF-8", body),)
    assert fit(parts, RICH).error is None
    ready = await adapted(parts, RICH, NOTHING)
    link = "https://www.openstreetmap.org/?mlat=52.229700&mlon=21.012200"
    assert [part.text for part in ready.parts] == [f"the old bridge: {link}"]


def test_a_location_that_cannot_be_read_does_not_go() -> None:
    assert fit((Part("application/vnd.gsma.rcspushlocation+xml", b"<x/>"),), RICH).error is not None
