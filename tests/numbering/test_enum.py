"""ENUM against a name server on loopback."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.domain.number import NO_FACTS, NumberFacts
from opencpm.numbering import build
from opencpm.numbering.enum import Enum
from opencpm.settings import NumbersSettings

from .nameserver import nameserver, pstn

BOB, CAROL, DAVE = "+447700900123", "+447700900124", "+447700900125"


class Clock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time


async def asked(numbers, *wanted):
    answered = asyncio.Event()
    numbers.ask(wanted, answered.set)
    async with asyncio.timeout(10):
        await answered.wait()


@asynccontextmanager
async def stage(**settings):
    clock = Clock()
    async with nameserver() as server:
        settings = NumbersSettings(**{"enum": True, "enum_servers": (server.address,), **settings})
        numbers = build(settings, clock)
        yield server, numbers, clock
        await numbers.enum.close()


async def test_asked_once_and_remembered_as_long_as_the_record_says():
    async with stage() as (server, numbers, clock):
        server.number(BOB, pstn(f"tel:{BOB};npdi;rn=+447699;spn=1234"), ttl=300)
        assert numbers.facts(BOB) is NO_FACTS
        assert numbers.missing([BOB, BOB, "66777"]) == [BOB]
        await asked(numbers, BOB)
        assert numbers.facts(BOB) == NumberFacts("", "1234", "ENUM")
        assert numbers.missing([BOB]) == []
        clock.time += 299
        assert numbers.facts(BOB).carrier == "1234"
        assert len(server.asked) == 1


async def test_what_is_old_counts_until_the_new_answer_is_there():
    async with stage() as (server, numbers, clock):
        server.number(BOB, pstn("tel:x;spn=old"))
        await asked(numbers, BOB)
        server.number(BOB, pstn("tel:x;spn=new"))
        clock.time += 301
        assert numbers.facts(BOB).carrier == "old"
        await asked(numbers, BOB)  # joins the question that is open
        assert numbers.facts(BOB).carrier == "new"
        assert len(server.asked) == 2


async def test_no_record_is_remembered_too():
    async with stage(enum_absent=100.0) as (server, numbers, clock):
        await asked(numbers, BOB)
        assert (numbers.facts(BOB), numbers.missing([BOB])) == (NO_FACTS, [])
        assert len(server.asked) == 1
        server.number(BOB, pstn("tel:x;spn=1"))
        clock.time += 101
        numbers.facts(BOB)
        await asked(numbers, BOB)
        assert numbers.facts(BOB).carrier == "1"


@pytest.mark.parametrize("fault", ["silent", "broken"])
async def test_a_name_server_that_does_not_answer_holds_nobody_up_for_long(fault):
    async with stage(enum_timeout=0.2) as (server, numbers, clock):
        setattr(server, fault, True)
        await asked(numbers, BOB)
        assert numbers.facts(BOB) is NO_FACTS
        assert numbers.missing([BOB]) == []
        setattr(server, fault, False)
        server.number(BOB, pstn("tel:x;spn=1"))
        clock.time += 61
        numbers.facts(BOB)
        await asked(numbers, BOB)
        assert numbers.facts(BOB).carrier == "1"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0",
        b"\x81\x80\0\x01\0\x01\0\0\0\0" + b"\xc0\x0c" * 40,
        b"\x81\x80\0\x01\xff\xff\0\0\0\0\x013\0\0\x23\0\x01",
        b"\xff" * 500,
    ],
)
async def test_nonsense_instead_of_an_answer_costs_only_itself(garbage):
    async with stage(enum_timeout=0.2) as (server, numbers, _):
        server.garbage = garbage
        await asked(numbers, BOB)
        assert (numbers.facts(BOB), numbers.missing([BOB])) == (NO_FACTS, [])
        server.garbage = b""
        server.number(CAROL, pstn("tel:x;spn=1"))
        await asked(numbers, CAROL)
        assert numbers.facts(CAROL).carrier == "1"


async def test_an_answer_outlives_a_name_server_that_goes():
    async with stage(enum_timeout=0.2) as (server, numbers, clock):
        server.number(BOB, pstn("tel:x;spn=1"))
        await asked(numbers, BOB)
        server.silent = True
        clock.time += 301
        numbers.facts(BOB)
        await asked(numbers, BOB)
        assert numbers.facts(BOB).carrier == "1"


async def test_many_ask_about_one_number_with_one_question():
    async with stage() as (server, numbers, _):
        server.held = []
        server.number(BOB, pstn("tel:x;spn=1"))
        told = []
        for n in range(5):
            numbers.ask([BOB], lambda n=n: told.append(n))
        async with asyncio.timeout(10):
            while not server.held:
                await asyncio.sleep(0.001)
            assert told == []
            server.release()
            while len(told) < 5:
                await asyncio.sleep(0.001)
        assert (told, len(server.asked)) == ([0, 1, 2, 3, 4], 1)


async def test_too_many_questions_go_unasked_for_a_while():
    async with stage(enum_queries=1) as (server, numbers, _):
        server.number(BOB, pstn("tel:x;spn=1"))
        server.number(CAROL, pstn("tel:x;spn=2"))
        await asked(numbers, BOB, CAROL)
        assert (numbers.facts(BOB).carrier, numbers.facts(CAROL).carrier) == ("1", "")
        assert len(server.asked) == 1


async def test_the_table_comes_first_and_its_type_is_kept(tmp_path):
    (tmp_path / "t.csv").write_text(f"{BOB},own\n+447700,,mobile\n")
    async with stage(table=str(tmp_path / "t.csv")) as (server, numbers, _):
        server.number(CAROL, pstn("tel:x;spn=2"))
        assert numbers.missing([BOB, CAROL, DAVE]) == [CAROL, DAVE]
        await asked(numbers, CAROL, DAVE)
        assert numbers.facts(BOB) == NumberFacts("mobile", "own", "number table")
        assert numbers.facts(CAROL) == NumberFacts("mobile", "2", "ENUM")
        assert numbers.facts(DAVE) == NumberFacts("mobile", "", "number table")


async def test_closing_tells_who_waits():
    async with stage() as (server, numbers, _):
        server.silent = True
        told = []
        numbers.ask([BOB], lambda: told.append("told"))
        await asyncio.sleep(0)
        await numbers.enum.close()
        assert told == ["told"]


def test_nothing_to_know_is_nothing_to_ask():
    assert build(NumbersSettings(), Clock()) is None


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("10.0.0.1", ("10.0.0.1", 53)),
        ("10.0.0.1:5353", ("10.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5", ("::1", 5)),
    ],
)
def test_name_servers(server, address):
    assert NumbersSettings(enum_servers=(server,)).name_servers == (address,)


@pytest.mark.parametrize("server", ["", ":53", "10.0.0.1:x", "10.0.0.1:70000", "10.0.0.1:0"])
def test_no_name_servers(server):
    with pytest.raises(ValueError, match="name server"):
        NumbersSettings(enum_servers=(server,))


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("opencpm.numbering.enum._REMEMBERED", 2)
    enum = Enum(NumbersSettings(), Clock())
    for number in (BOB, CAROL, DAVE):
        enum._learn(number, NO_FACTS, 10.0)
    assert (len(enum), enum.known(BOB)) == (2, None)
