"""What went wrong, in one sentence that says what to do, and an exit status that a script can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

FAILED = 1  # the thing asked for did not succeed
USAGE = 2  # click's own
CONFIG = 3  # the settings must be mended first
REFUSED = 4  # the server said no
UNREACHABLE = 5  # no server there


class Failure(click.ClickException):
    """Ends the command. ``hint`` is what to do."""

    def __init__(self, what: str, hint: str = "", status: int = FAILED) -> None:
        super().__init__(what)
        self.hint = hint
        self.exit_code = status  # type: ignore[misc] # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"opencpm: {self.message}", file=file, err=file is None)
        if self.hint:
            click.echo(f"  {self.hint}", file=file, err=file is None)


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn the errors of the rooms below into a :class:`Failure`."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        failure = _translated(error)
        if failure is None:
            raise
        raise failure from error


def _translated(error: Exception) -> Failure | None:
    from opencpm.app.supervision import StartError
    from opencpm.domain.address import AddressError
    from opencpm.settings import SettingsError

    if isinstance(error, SettingsError):
        return Failure("\n  ".join(["the settings cannot be used:", *error.lines]), status=CONFIG)
    if isinstance(error, StartError):
        return Failure(str(error), "`opencpm doctor` looks at everything that can be in the way.")
    # by name, not imported: it would cost every command half the program
    if type(error).__name__ in ("DirectoryError", "ServerError", "LoadError"):
        return Failure(str(error))
    return Failure(str(error), status=USAGE) if isinstance(error, AddressError) else None
