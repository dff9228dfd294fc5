"""Documents that stand for files: ours become the file, others stay what they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.access.sip.file_refs import FileRefs
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.protocols import fthttp
from tests.access.sip.file_fakes import BASE, PNG, FakeFiles, content
from tests.access.sip.rig import ALICE, People

URL = f"{BASE}/ft/u/1"


def document(url: str = URL, **more: str) -> Part:
    about = fthttp.FileInfo(url, 10, "image/png", name="other.png", **more)
    return Part(fthttp.CONTENT_TYPE, fthttp.build(fthttp.Transfer(about)))


def refs() -> FileRefs:
    files = FakeFiles()
    files.uploads[URL, "alice"] = PNG
    return FileRefs(files, People())


def test_an_upload_of_the_sender_becomes_the_file() -> None:
    message = content("look", document(disposition="render")).message
    found = refs().resolve(message)
    assert found.parts == (message.parts[0], PNG._replace(disposition="render"))
    assert refs().resolve(content("no document").message).parts == content("no document").message.parts


@pytest.mark.parametrize(
    ("part", "sender", "reason"),
    [
        (document(f"{BASE}/ft/u/2"), ALICE, Reason.UNDELIVERABLE),
        (document(), Address("sip", "bob@cpm.test"), Reason.UNDELIVERABLE),
        (document(), Address("sip", "stranger@cpm.test"), Reason.UNDELIVERABLE),
        (Part(fthttp.CONTENT_TYPE, b"<file/>"), ALICE, Reason.MALFORMED),
    ],
)
def test_what_is_not_there_or_not_theirs(part: Part, sender: Address, reason: Reason) -> None:
    with pytest.raises(SendError) as caught:
        refs().resolve(replace(content(part).message, sender=sender))
    assert caught.value.reason is reason


def test_a_file_elsewhere_is_a_document_for_devices_and_an_address_for_networks() -> None:
    elsewhere = document("https://other.test/f?a=1&b=2")
    message = content(elsewhere).message
    assert refs().resolve(message).parts == (elsewhere,)
    outside = replace(message, recipients=(*message.recipients, Address("tel", "+442079460123")))
    assert refs().resolve(outside).text == "other.png: https://other.test/f?a=1&b=2"
