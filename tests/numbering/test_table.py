import asyncio
import os

import pytest

from opencpm.domain.number import NO_FACTS, NumberFacts, carrier_name
from opencpm.numbering import table
from opencpm.numbering.table import Table, parse

LINES = """number,carrier,type
# whole ranges
+4477009,23410,mobile
+44207,bt,fixed

+447700900123,234-33   # took the number along
447700900124,23433,mobile
""".splitlines()


def test_the_longest_beginning_counts_for_each_fact():
    known = Table(parse(LINES))
    assert len(known) == 4
    assert known.facts("+447700900555") == NumberFacts("mobile", "234010", "number table")
    assert known.facts("+447700900123") == NumberFacts("mobile", "234033", "number table")
    assert known.facts("+442079460000") == NumberFacts("fixed", "bt", "number table")
    assert known.facts("+33") is NO_FACTS
    assert known.facts("66777") is NO_FACTS


@pytest.mark.parametrize(
    "line", ["+44", "44,a,b,c", "+44,a,plane", "x,a", "0044,a", "+" + "1" * 16 + ",a", ",a", "+44,a,mobile,x" * 50]
)
def test_what_is_no_entry_is_left_out(line):
    assert parse([line]) == {}


@pytest.mark.parametrize(
    ("written", "name"),
    [("23433", "234033"), ("234-33", "234033"), (" 310260 ", "310260"), ("310.260", "310260"), ("BT", "bt"), ("", "")],
)
def test_one_form_of_a_carrier(written, name):
    assert carrier_name(written) == name


async def test_a_changed_file_is_taken_and_a_lost_one_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_LOOK", 0.001)
    file = tmp_path / "ported.csv"
    file.write_text("+447,a\n")
    known = Table.load(str(file))
    following = asyncio.create_task(known.follow())

    async def until(true):
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.001)

    file.with_suffix(".new").write_text("+447,other\n")
    os.replace(file.with_suffix(".new"), file)
    await until(lambda: known.facts("+4477").carrier == "other")
    file.unlink()
    await asyncio.sleep(0.02)
    assert known.facts("+4477").carrier == "other"
    file.write_text("+447,third time\n")
    await until(lambda: known.facts("+4477").carrier == "third time")
    following.cancel()
    await asyncio.wait([following])


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        Table.load(str(tmp_path / "nothing.csv"))
