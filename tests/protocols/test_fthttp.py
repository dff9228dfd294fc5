"""The XML of file transfer over HTTP: both forms seen, and what is refused."""

from __future__ import annotations

import pytest

from opencpm.protocols import fthttp
from opencpm.protocols.fthttp import FileInfo, FtHttpError, Resume, Transfer

SEEN = b"""<?xml version="1.0" encoding="UTF-8"?>
<file xmlns="urn:gsma:params:xml:ns:rcs:rcs:fthttp">
<file-info type="thumbnail">
<file-size>4096</file-size>
<content-type>image/jpeg</content-type>
<data url="https://ft.cpm.test/dl/9f2c1-t" until="2026-12-23T00:00:00Z"/>
</file-info>
<file-info type="file" file-disposition="render">
<file-size>300000</file-size>
<file-name>garden.jpg</file-name>
<content-type>image/jpeg</content-type>
<data url="https://ft.cpm.test/dl/9f2c1" until="2026-12-23T00:00:00Z"/>
</file-info>
</file>"""
BARE = b"""<?xml version="1.0"?><file><file-info type='file'><content-type>audio/amr</content-type>
<file-size> 12 </file-size><am:playing-length xmlns:am="urn:x">7</am:playing-length>
<data until="2026-12-23T00:00:00Z" url = "http://ft.cpm.test/a?b=c&amp;d" /></file-info></file>"""
UNTIL = "2026-12-23T00:00:00Z"


def test_the_form_with_a_namespace() -> None:
    found = fthttp.parse(SEEN)
    assert found.thumbnail == FileInfo("https://ft.cpm.test/dl/9f2c1-t", 4096, "image/jpeg", UNTIL)
    assert found.file == FileInfo(
        "https://ft.cpm.test/dl/9f2c1", 300000, "image/jpeg", UNTIL, "garden.jpg", disposition="render"
    )
    assert fthttp.parse(fthttp.build(found)) == found


def test_the_form_without_one() -> None:
    found = fthttp.parse(BARE)
    assert found == Transfer(FileInfo("http://ft.cpm.test/a?b=c&d", 12, "audio/amr", UNTIL, playing_length=7))
    assert fthttp.parse(fthttp.build(found)) == found


def test_names_are_escaped() -> None:
    one = Transfer(FileInfo("https://h/x?a=1&b=2", 1, "text/plain", name='<&">.txt'))
    assert fthttp.parse(fthttp.build(one)) == one


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<file/>",
        b"<other/>",
        SEEN.replace(b"300000", b"-1"),
        SEEN.replace(b"300000", b"9" * 20),
        SEEN.replace(b'https://ft.cpm.test/dl/9f2c1"', b'file:///etc/passwd"'),
        SEEN.replace(b'https://ft.cpm.test/dl/9f2c1"', b'https://h/a b"'),
        SEEN.replace(b"garden.jpg", b"x" * 5000),
        SEEN.replace(b'type="file"', b'type="thumbnail"'),
        b'<!DOCTYPE file [<!ENTITY x "y">]>' + SEEN,
        b"<file>" + b"<file-info/>" * 3 + b"</file>",
        SEEN + b" " * 70000,
    ],
)
def test_what_it_is_not(body: bytes) -> None:
    with pytest.raises(FtHttpError):
        fthttp.parse(body)


def test_how_far_an_upload_came() -> None:
    for resume in (Resume("https://h/ft/u/1", 0, 65535), Resume("https://h/ft/u/1", 0, -1)):
        assert fthttp.parse_resume(fthttp.build_resume(resume)) == resume
    for body in (b"<file-resume-info/>", fthttp.build_resume(Resume("x", 0, 1)), SEEN):
        with pytest.raises(FtHttpError):
            fthttp.parse_resume(body)
