"""See it work: the server with stand-in networks, a page to play with, and the story."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from opencpm.cli.errors import FAILED
from opencpm.cli.options import json_option, print_json, run


@click.command()
@click.option("--story", is_flag=True, help="Tell the story of Alice and Bob in 23 steps, without a browser.")
@click.option("--break", "broken", type=click.Choice(["sms"]), help="With --story: the SMS centre is down at step 5.")
@click.option("--no-browser", is_flag=True, help="Print the page's address, and do not open it.")
@click.option("--port", default=8080, show_default=True, help="Port of the page; another if it is taken; 0: any.")
@json_option
def demo(story: bool, broken: str | None, no_browser: bool, port: int, as_json: bool) -> None:
    """Start a server with stand-in SMS and MSN networks, and open the page on which one can play with it.

    With --story no page is opened: the 23 steps are run over the same sockets, and each is judged by the server's
    trail and the far side's own log. Exit status 1 if a step fails.

    \b
    opencpm demo
    opencpm demo --story --json
    opencpm demo --story --break sms
    """
    with tempfile.TemporaryDirectory(prefix="opencpm-demo-") as folder:
        if story:
            failed = run(_tell(Path(folder), broken == "sms", as_json))
            if failed:
                raise SystemExit(FAILED)
        else:
            from opencpm.cli.demo_page import play

            run(play(Path(folder), port, not no_browser, as_json))


async def _tell(folder: Path, break_sms: bool, as_json: bool) -> int:
    """Returns how many steps failed."""
    from opencpm.cli.demo_setup import prepare
    from opencpm.cli.story_words import lines
    from opencpm.lab.story import StepResult, tell
    from opencpm.lab.world import World

    def show(result: StepResult) -> None:
        if as_json:
            print_json(result._asdict())
        else:
            mark = click.style("✓", fg="green") if result.ok else click.style("✗", fg="red")
            click.echo(f"{mark} {result.step:>2} {result.what}")
            click.echo(click.style("\n".join(lines(result.evidence)), dim=True))

    failed = 0
    async with World(folder, prepare) as world:
        await world.start_server()
        async for result in tell(world, break_sms=break_sms):
            show(result)
            failed += not result.ok
    return failed
