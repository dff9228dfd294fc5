"""Which form content takes to which device: a table."""

from __future__ import annotations

import pytest

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.forms import Form, Terms, choose
from opencpm.domain.message import Part
from opencpm.protocols.fthttp import CONTENT_TYPE
from tests.access.sip.file_fakes import PDF, PNG, content

ICSI = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm."
IARI = "urn%3Aurn-7%3A3gpp-application.ims.iari."
PLACE = Part("application/vnd.gsma.rcspushlocation+xml", b"<x/>" * 600)
TINY = Part("image/gif", b"GIF89a", "dot.gif")
FOREIGN = Part(CONTENT_TYPE, b"<file/>" * 300)


def device(*services: str, iari: str = "", accept: str = "") -> Binding:
    tags = {"+g.3gpp.icsi-ref": ",".join(ICSI + one for one in services)} if services else {}
    if iari:
        tags["+g.3gpp.iari-ref"] = IARI + iari
    return Binding(
        user="bob",
        key="k",
        contact="sip:bob@h",
        parameters=tags,
        instance="",
        reg_id=0,
        path=(),
        transport="TCP",
        peer=("127.0.0.1", 1),
        local_port=0,
        expires_at=0.0,
        call_id="c",
        cseq=1,
        accept=frozenset({accept} if accept else ()),
    )


ALL = device("msg", "largemsg", "filetransfer", iari="rcs.fthttp")
LARGE = device("msg", "largemsg")
FILE = device("msg", "filetransfer")
BOTH = device("msg", "largemsg", "filetransfer")
OLD_FILE = device("msg", iari="rcse.ft")
HTTP = device("msg", iari="rcs.fthttp")
BARE = device("msg")
PLAIN = device()
PLAIN_HTTP = device(accept=CONTENT_TYPE)


@pytest.mark.parametrize(
    ("binding", "parts", "form"),
    [
        (ALL, ["hello"], Form.PAGER),
        (ALL, [TINY], Form.PAGER),
        (ALL, [PNG], Form.HTTP),
        (ALL, ["look", PNG, PDF], Form.HTTP),
        (ALL, ["x" * 3000], Form.PAGER),
        (ALL, [PLACE], Form.PAGER),
        (ALL, [PLACE, PNG], Form.LARGE),
        (LARGE, [PNG], Form.LARGE),
        (LARGE, ["x" * 70_000], Form.LARGE),
        (FILE, [PNG], Form.FILE),
        (FILE, ["look", PNG], Form.FILE),
        (OLD_FILE, [PNG], Form.FILE),
        (BOTH, [PNG], Form.FILE),
        (BOTH, ["look", PNG], Form.LARGE),
        (HTTP, [PNG], Form.HTTP),
        (HTTP, ["x" * 70_000], Form.LINK),
        (BARE, [PNG], Form.PAGER),
        (BARE, [PNG._replace(body=bytes(70_000))], Form.LINK),
        (PLAIN, ["hello"], Form.PAGER),
        (PLAIN, [PNG], Form.LINK),
        (PLAIN, ["look", PDF], Form.LINK),
        (PLAIN, [FOREIGN], Form.LINK),
        (PLAIN_HTTP, [PNG], Form.HTTP),
    ],
)
def test_over_a_stream(binding: Binding, parts: list[Part | str], form: Form) -> None:
    assert choose(content(*parts).message, binding, Terms(), reliable=True) is form


@pytest.mark.parametrize(
    ("binding", "parts", "form"),
    [
        (LARGE, ["x" * 3000], Form.LARGE),
        (BARE, ["x" * 3000], Form.PAGER),
        (LARGE, ["hello"], Form.PAGER),
        (HTTP, [PNG], Form.HTTP),
    ],
)
def test_over_datagrams(binding: Binding, parts: list[Part | str], form: Form) -> None:
    assert choose(content(*parts).message, binding, Terms(), reliable=False) is form


@pytest.mark.parametrize(
    ("binding", "terms", "form"),
    [
        (HTTP, Terms(http=False), Form.PAGER),
        (PLAIN, Terms(http=False), Form.PAGER),
        (ALL, Terms(http=False), Form.FILE),
        (LARGE, Terms(msrp=False), Form.PAGER),
        (FILE, Terms(large=1000), Form.PAGER),
        (FILE, Terms(large=1000, pager=2000), Form.LINK),
    ],
)
def test_what_the_server_cannot_do_now(binding: Binding, terms: Terms, form: Form) -> None:
    assert choose(content(PNG).message, binding, terms, reliable=True) is form
