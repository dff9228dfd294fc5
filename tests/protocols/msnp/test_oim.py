"""Offline messages: the recorded requests octet for octet, the recorded mail, notices, order, faults."""

import re
from xml.sax.saxutils import unescape

import pytest

from opencpm.protocols.msnp import challenge, oim
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.oim import OfflineText, Sender
from opencpm.protocols.msnp.soap import Fault
from tests.protocols.msnp.script import read
from tests.protocols.msnp.web import fault, requests, same, soap_reply

FILE = "msnp12-oim.txt"
RUN = "{3A3BE82C-684D-4F4F-8005-CBE8D4F82BAD}"
ALICE = Sender("alice@example.com", "Alice", "49d748ca42b1184de201", challenge.MSN_7, 12, RUN)
MESSAGE = "F4A90008-BD77-4662-A380-942E6EBB3458"


def test_recorded_store_without_and_with_lock_key() -> None:
    first, second = requests(FILE, oim.STORE)
    same(oim.store("https://oim.test", ALICE, "bob@example.com", "offline hello ☃", 1), first)
    keyed = ALICE._replace(lock_key="dummy-lock")
    same(oim.store("https://oim.test/", keyed, "bob@example.com", "offline hello ☃", 1), second)


def test_recorded_fetch_and_delete() -> None:
    get, delete = requests(FILE, oim.RSI)
    same(oim.get_message("https://rsi.test", "20b8d2eea7e24f657a6d", MESSAGE), get)
    same(oim.delete_messages("https://rsi.test", "20b8d2eea7e24f657a6d", [MESSAGE]), delete)


def test_recorded_message() -> None:
    answer = next(step for step in read(FILE) if b"GetMessageResult" in step.data and step.kind == "S")
    mail = unescape(re.search(r"<GetMessageResult>(.*)</GetMessageResult>", answer.data.decode(), re.DOTALL)[1])
    assert oim.read_mail(mail) == OfflineText("alice@example.com", "offline hello ☃", 1795418397.0, RUN, 1)
    escaped = mail.replace("&", "&amp;").replace("<", "&lt;")
    reply = soap_reply(f"<GetMessageResponse><GetMessageResult>{escaped}</GetMessageResult></GetMessageResponse>")
    assert oim.message(reply).text == "offline hello ☃"


def test_lock_key_is_wanted() -> None:
    with pytest.raises(Fault) as refused:
        oim.stored(fault("q0:AuthenticationFailed", more="<LockKeyChallenge>1850937852</LockKeyChallenge>"))
    assert refused.value.code == "AuthenticationFailed"
    assert refused.value.detail["LockKeyChallenge"] == "1850937852"
    assert len(challenge.keyed_answer("1850937852", challenge.MSN_7)) == 32


def test_later_dialects_store_in_the_other_form() -> None:
    request = oim.store("https://oim.test", ALICE._replace(dialect=15, ticket="t=a&p=b"), "b@x.y", "hi", 2)
    assert request.headers["SOAPAction"] == '"http://messenger.live.com/ws/2006/09/oim/Store2"'
    assert b'passport="t=a&amp;p=b"' in request.body


def test_date_where_there_is_no_arrival_time() -> None:
    mail = "From: bob@x.y\nDate: 22 Nov 2026 23:19:57 -0800\nContent-Type: text/plain; charset=utf-8\n\nplain ☃"
    assert oim.read_mail(mail) == OfflineText("bob@x.y", "plain ☃", 1795418397.0)


@pytest.mark.parametrize(
    "mail",
    [
        "",
        "From: nobody\n\nx",
        "From: a@b.c\nContent-Transfer-Encoding: base64\n\n!!!!a",
        "From: a@b.c\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x--",
        "From: a@b.c\n\n" + "x" * 70000,
    ],
)
def test_mails_that_cannot_be_read(mail: str) -> None:
    with pytest.raises(MsnpError):
        oim.read_mail(mail)


def test_order_is_by_time_and_within_a_run_by_number() -> None:
    def said(at: float, run: str, number: int) -> tuple[str, OfflineText]:
        return f"{run}{number}", OfflineText("bob@x.y", "", at, run, number)

    given = [said(9.0, "b", 1), said(5.0, "a", 2), said(6.0, "a", 1)]
    assert [ident for ident, _ in oim.in_order(given)] == ["a1", "a2", "b1"]


def test_tickets_in_both_forms() -> None:
    assert oim.ticket_parts("t=x&p=y") == ("x", "y")
    assert oim.ticket_parts("20b8") == ("20b8", "")
    assert oim.whole_ticket("20b8") == "t=20b8&p="


def test_metadata() -> None:
    inside = "<MD><M><T>11</T><RT>2026-11-23T07:18:34Z</RT><E>alice@example.com</E><I>A-1</I></M><M><T>4</T></M></MD>"
    (waiting,) = oim.metadata(soap_reply(f"<GetMetadataResponse>{inside}</GetMetadataResponse>"))
    assert (waiting.id, waiting.sender, waiting.at) == ("A-1", "alice@example.com", 1795418314.0)
    assert oim.metadata(soap_reply("<GetMetadataResponse/>")) == ()
