"""See it work: the server with stand-in networks, a page to play with, and the story."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from opencpm.cli.errors import FAILED
from opencpm.cli.options import json_option, print_json, run

FIRST = "concert"
"""The story that --story tells where it names none."""


class StoryName(click.ParamType[str]):
    """A story's name, looked up only when one is asked for: the lab is large."""

    name = "story"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from opencpm.lab.story import STORIES

        if value not in STORIES:
            told = "; ".join(f"{name}: {story.title}" for name, story in STORIES.items())
            self.fail(f"there is no story {value!r}. {told}", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from opencpm.lab.story import STORIES

        return [
            CompletionItem(name, help=story.title) for name, story in STORIES.items() if name.startswith(incomplete)
        ]


@click.command()
@click.option(
    "--story",
    type=StoryName(),
    is_flag=False,
    flag_value=FIRST,
    help="Tell a story step by step, without a browser; without a name, the first one, in 23 steps.",
)
@click.option(
    "--break", "broken", help='With --story: what breaks on the way; "sms": the SMS centre is down at step 5.'
)
@click.option("--no-browser", is_flag=True, help="Print the page's address, and do not open it.")
@click.option("--port", default=8080, show_default=True, help="Port of the page; another if it is taken; 0: any.")
@json_option
def demo(story: str | None, broken: str | None, no_browser: bool, port: int, as_json: bool) -> None:
    """Start a server with stand-in SMS and MSN networks, and open the page on which one can play with it.

    With --story no page is opened: the steps are run over the same sockets, and each is judged by the server's
    trail and the far side's own log. Exit status 1 if a step fails.

    \b
    opencpm demo
    opencpm demo --story --json
    opencpm demo --story --break sms
    """
    with tempfile.TemporaryDirectory(prefix="opencpm-demo-") as folder:
        if story is not None:
            _check_break(story, broken)
            failed = run(_tell(Path(folder), story, broken or "", as_json))
            if failed:
                raise SystemExit(FAILED)
        else:
            from opencpm.cli.demo_page import play

            run(play(Path(folder), port, not no_browser, as_json))


def _check_break(story: str, broken: str | None) -> None:
    from opencpm.lab.story import STORIES

    breaks = STORIES[story].breaks
    if broken is not None and broken not in breaks:
        what = " or ".join(breaks) or "nothing"
        raise click.BadParameter(f"the story {story!r} can break {what}, not {broken!r}", param_hint="--break")


async def _tell(folder: Path, name: str, broken: str, as_json: bool) -> int:
    """Returns how many steps failed."""
    from opencpm.cli.demo_setup import prepare
    from opencpm.cli.story_words import lines
    from opencpm.lab.story import STORIES, StepResult

    def show(result: StepResult) -> None:
        if as_json:
            print_json(result._asdict())
        else:
            mark = click.style("✓", fg="green") if result.ok else click.style("✗", fg="red")
            click.echo(f"{mark} {result.step:>2} {result.what}")
            click.echo(click.style("\n".join(lines(result.evidence)), dim=True))

    failed = 0
    async for result in STORIES[name].tell(folder, prepare, broken):
        show(result)
        failed += not result.ok
    return failed
