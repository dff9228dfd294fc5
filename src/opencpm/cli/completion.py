"""Completion of the command line in shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from opencpm.cli.errors import USAGE, Failure


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    opencpm completion bash > ~/.local/share/bash-completion/completions/opencpm
    opencpm completion fish > ~/.config/fish/completions/opencpm.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"no completion for {shell}", status=USAGE)
    root = ctx.find_root()
    click.echo(kind(root.command, {}, "opencpm", "_OPENCPM_COMPLETE").source())
