"""The docs say what the program does: complete, current, without dead ends."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from opencpm.cli import main
from opencpm.cli.bench import PEERS
from opencpm.domain.subscriber import Preferences
from opencpm.interworking.mms import settings as mms
from opencpm.interworking.mms.mm7.settings import Mm7Settings
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.sms import settings as sms
from opencpm.selection.facts import FACTS
from opencpm.selection.rank import CRITERIA
from opencpm.selection.rules import RULES
from opencpm.settings import parse
from tests.access.web.world import world
from tests.docs_reference import PAGES, commands

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SETTINGS: dict[str, Callable[[Any], Any]] = {
    "sms": sms.read,
    "msn": MsnSettings.model_validate,
    "mm7": lambda values: mms.read(Mm7Settings, values),
}
"""Of networks that examples show, by type."""
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:src|tests|docs)/[\w./-]+\.\w+)`")
NAMED_FOLDER = re.compile(r"`((?:src|tests|docs)/[\w./-]+?)/?`")
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
SHELL_LINE = re.compile(r"^(?:\$ )?(?:\w+=\S+ )?(?:\S*/)?opencpm ([a-z][^|#\n]*)", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def anchors(page: str) -> set[str]:
    """As GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# ---------------------------------------------------------------------------------------------- pages that are made


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_current(name: str) -> None:
    assert text(f"docs/reference/{name}") == PAGES[name](), "run: python -m tests.docs_reference"


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in text("docs/reference/settings.md").splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if re.search(r"\|\s*\|$", row) and not row.startswith("| `type`")] == []


def test_every_command_and_option_is_described() -> None:
    page = text("docs/reference/commands.md")
    for path, command in commands(main):
        assert f"## opencpm {' '.join(path)}" in page
        for parameter in command.params:
            assert all(f"`{name}`" in page for name in parameter.opts if name.startswith("-"))
            assert isinstance(parameter, click.Argument) or parameter.help, (path, parameter.name)


# --------------------------------------------------------------------------------------------------- dead ends


@pytest.mark.parametrize("page", DOCS, ids=ids(DOCS))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", DOCS, ids=ids(DOCS))
def test_files_that_are_named_exist(page: Path) -> None:
    named = {*NAMED_FILE.findall(page.read_text()), *NAMED_FOLDER.findall(page.read_text())}
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_can_be_found() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve() for page in DOCS for link in LINK.findall(page.read_text())
    }
    assert [page for page in DOCS if page.resolve() not in linked and page.name != "README.md"] == []


def test_every_transcript_has_its_quirk() -> None:
    told = "\n".join(page.read_text() for page in (ROOT / "docs" / "quirks").glob("*.md"))
    recorded = sorted(path.name for path in (ROOT / "tests" / "transcripts").glob("*.txt"))
    assert [name for name in recorded if name not in told] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs/standards").glob("*.md")), ids=lambda page: page.name)
def test_every_clause_has_a_state(page: Path) -> None:
    for row in standards_rows(page):
        assert len(row) == 4, row
        assert re.match(r"(done|partly|no)\b", row[3]), row
        assert row[3].startswith("no") or "`" in row[2] or "](" in row[2], f"no file: {row}"


def standards_rows(page: Path) -> Iterator[list[str]]:
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) > 2 and cells[-1] != "state":
            yield cells


# ----------------------------------------------------------------------------------------- what the pages tell


@pytest.mark.parametrize("page", DOCS, ids=ids(DOCS))
def test_commands_in_examples_exist(page: Path) -> None:
    for kind, code in FENCE.findall(page.read_text()):
        if kind in ("sh", "ini"):
            for line in SHELL_LINE.findall(code.replace("ExecStart=", "")):
                assert is_command(line.split()), line


def is_command(words: list[str]) -> bool:
    known = dict(commands(main))
    path = next((tuple(words[:n]) for n in (2, 1) if tuple(words[:n]) in known), None)
    if path is None:
        return False
    options = {name for parameter in known[path].params for name in parameter.opts} | {"--help"}
    return all(word.partition("=")[0] in options for word in words if re.match(r"--?[a-z]", word))


@pytest.mark.parametrize("page", DOCS, ids=ids(DOCS))
def test_settings_in_examples_are_taken(page: Path) -> None:
    for kind, code in FENCE.findall(page.read_text()):
        if kind != "toml":
            continue
        values = {"domain": "cpm.test", "secret_key": "k" * 40, **tomllib.loads(code)}
        unshown = {name: {"type": "sms"} for name in named_networks(values)}
        values["networks"] = {**unshown, **networks_of(values)}
        for network in parse(values).networks.values():
            assert network["type"] in SETTINGS


def named_networks(values: dict[str, Any]) -> set[str]:
    """Those that an example speaks of; their sections need not be shown."""
    policy = values.get("policy", {})
    routed = {name for route in policy.get("routes", ()) for name in route["networks"]}
    return {*policy.get("order", ()), *policy.get("domains", {}).values(), *routed}


def networks_of(values: dict[str, Any]) -> dict[str, Any]:
    for name, network in values.get("networks", {}).items():
        assert SETTINGS[network["type"]](network), name
    return dict(values.get("networks", {}))


def test_routing_tells_every_rule_in_order() -> None:
    page = text("docs/routing.md")
    facts, networks, *_ = re.split(r"^## \d\. (?:Networks|The best).*$", page, flags=re.MULTILINE)
    assert table_names(facts) == [name for name, *_ in FACTS]
    assert table_names(networks) == [name for name, *_ in RULES]
    best = re.findall(r"^\d+\. (.+)[,.]$", page, re.MULTILINE)
    assert [re.sub(r" \(.*", "", line) for line in best] == list(CRITERIA)


def test_routing_tells_every_preference() -> None:
    page = text("docs/routing.md").partition("## What users prefer")[2]
    assert sorted(table_names(page)) == sorted(Preferences.__dataclass_fields__)


def table_names(page: str) -> list[str]:
    return re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)


async def test_the_api_page_names_every_address() -> None:
    page = text("docs/api.md")
    async with world() as one:
        openapi = (await one.client.get("/api/openapi.json")).json()
    told = set(re.findall(r"(/api/v1/[\w/{}-]+)", page))
    assert set(openapi["paths"]) <= told


def test_figures_of_others_are_those_of_the_bench() -> None:
    readme = text("README.md")
    assert [words for words, figure in PEERS if f"| {figure} |" not in readme] == []


def test_the_picture_is_a_picture() -> None:
    assert (ROOT / "docs/images/demo.png").read_bytes().startswith(b"\x89PNG")


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert f"## {version}" in text("CHANGELOG.md")


# ------------------------------------------------------------------------------------------ what must not be there


def kept_files() -> list[Path]:
    """What git keeps, or will; without git, everything that is ours."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    return [path for folder in ("src", "tests", "docs") for path in (ROOT / folder).rglob("*") if path.is_file()]


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    strange = re.compile(
        rb"https?://[^\s\"'/]*(?:pypi|npmjs|registry|artifact|mirror)[^\s\"'/]*/|index-url|"
        rb"(?<![\w.])/(?:home|Users)/\w|[A-Z]:\\\\Users|" + re.escape(f"{ROOT.parent}/".encode())
    )
    found = {}
    for path in kept_files():
        data = path.read_bytes()
        if path == Path(__file__) or b"\0" in data[:1024]:
            continue
        if match := strange.search(data):
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}
