"""Run a stand-in SMS centre by itself: ``python -m opencpm.lab.smsc --port 2775``."""

from __future__ import annotations

import asyncio

import click

from .receipts import ReceiptStyle
from .service import LabSmsc


@click.command()
@click.option("--port", default=2775, show_default=True, help="Port on 127.0.0.1; 0 for any free one.")
@click.option("--window", default=1000, show_default=True, help="deliver_sm without an answer at most.")
@click.option("--log/--no-log", default=False, help="Print every PDU (slow).")
@click.option("--decimal-receipts", is_flag=True, help="Hex ids in responses, decimal ones in receipts.")
@click.option("--early-receipts", is_flag=True, help="Receipts before responses.")
def main(port: int, window: int, log: bool, decimal_receipts: bool, early_receipts: bool) -> None:
    """Everybody may bind; every number is a phone that is on. Prints the port, then runs until interrupted."""
    style = ReceiptStyle(receipt="decimal" if decimal_receipts else "hex", early=early_receipts)
    try:
        _loop(port, window, log, style)
    except KeyboardInterrupt:
        pass


def _loop(port: int, window: int, log: bool, style: ReceiptStyle) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(port, window, log, style))
    else:
        uvloop.run(_serve(port, window, log, style))


async def _serve(port: int, window: int, log: bool, style: ReceiptStyle) -> None:
    async with LabSmsc(port=port, window=window, style=style, record=log) as smsc:
        if log:
            smsc.log.subscribe(lambda line: click.echo(f"{line.direction} {line.name} {line.hex}"))
        click.echo(f"listening on {smsc.address[0]}:{smsc.address[1]}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
