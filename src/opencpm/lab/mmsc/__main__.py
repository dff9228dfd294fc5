"""Run a stand-in MMS centre by itself: ``python -m opencpm.lab.mmsc --port 1981``."""

from __future__ import annotations

import asyncio
import json

import click

from .phone import CLASSES
from .service import LabMmsc


@click.command()
@click.option("--port", default=1981, show_default=True, help="Port on 127.0.0.1; 0 for any free one.")
@click.option("--listener", default="http://127.0.0.1:8082/mm7", show_default=True, help="Where the service listens.")
@click.option("--username", default="", help="Our user there.")
@click.option("--password", default="", help="Its password.")
@click.option("--phone", "phones", multiple=True, help='A phone that answers with what it got: "+12025550101".')
@click.option("--class", "kind", type=click.Choice(sorted(CLASSES)), default="megapixel", show_default=True)
def main(port: int, listener: str, username: str, password: str, phones: tuple[str, ...], kind: str) -> None:
    """Everybody may submit; every number is a phone that is on. Prints where it listens, then every message that
    came to one of the phones, which sends its pictures back; runs until interrupted."""
    try:
        asyncio.run(_serve(port, (listener, username, password), phones, kind))
    except KeyboardInterrupt:
        pass


async def _serve(port: int, reached: tuple[str, str, str], phones: tuple[str, ...], kind: str) -> None:
    async with LabMmsc(port=port) as mmsc, asyncio.TaskGroup() as tasks:
        mmsc.reach(*reached)
        click.echo(f"listening on {mmsc.url}")
        for number in phones:
            tasks.create_task(_echo(mmsc, number, kind))
        await asyncio.Event().wait()


async def _echo(mmsc: LabMmsc, number: str, kind: str) -> None:
    phone = mmsc.phone(number, kind)
    while True:
        mm = await phone.wait_mm(patience=float("inf"))
        pictures = [f"{part.media_type} {part.pixels[0]}x{part.pixels[1]}" for part in mm.pictures]
        click.echo(json.dumps({"phone": number, "from": mm.sender, "text": mm.text, "pictures": pictures}))
        await phone.read(mm)
        files = [(f"{n}.jpg", part.media_type, part.body) for n, part in enumerate(mm.pictures)]
        await phone.send(f"You wrote: {mm.text}", files, to=mm.sender)


if __name__ == "__main__":
    main()
