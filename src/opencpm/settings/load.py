"""From a TOML file to settings, with errors that say which key is wrong and what to write."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from opencpm.settings.models import Settings

CONFIG_VARIABLE = "OPENCPM_CONFIG"
_MAX_FILE = 1 << 20


class SettingsError(ValueError):
    """The settings cannot be used; one line for each thing to mend."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def default_path() -> Path:
    """The file that the environment names, or the one in the current folder."""
    return Path(os.environ.get(CONFIG_VARIABLE, "opencpm.toml"))


def load(path: Path) -> Settings:
    """Read a file. Relative paths in it are taken from its folder.

    :raises SettingsError: no such file, no TOML, or values that cannot be.
    """
    try:
        text = path.read_bytes()[: _MAX_FILE + 1].decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            [f"{path} cannot be read: {reason}; write one with `opencpm quickstart`, or name it with --config"]
        ) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path} is not TOML: {error}"]) from error
    return parse(values, path.resolve().parent)


def parse(values: Mapping[str, Any], folder: Path = Path()) -> Settings:
    """Check values as read from TOML. :raises SettingsError:"""
    try:
        settings = Settings.model_validate(dict(values))
    except ValidationError as error:
        raise SettingsError([_line(dict(problem)) for problem in error.errors()]) from error
    return _resolved(settings, folder)


_FILES = ("tls_ca", "tls_certificate", "tls_key")


def _resolved(settings: Settings, folder: Path) -> Settings:
    secure: dict[str, BaseModel] = {"sip": settings.sip, "smpp": settings.smpp, "mm7": settings.mm7}
    sections = {name: section.model_copy(update=_files(section, folder)) for name, section in secure.items()}
    if settings.numbers.table:
        table = str(folder / settings.numbers.table)
        sections["numbers"] = settings.numbers.model_copy(update={"table": table})
    networks = {name: _network_files(values, folder) for name, values in settings.networks.items()}
    return settings.model_copy(update={"data_dir": folder / settings.data_dir, "networks": networks, **sections})


def _network_files(values: Any, folder: Path) -> Any:
    """A network's settings are its own; what all agree on is how files of certificates are called."""
    if isinstance(values, list | tuple):
        return [_network_files(one, folder) for one in values]
    if not isinstance(values, dict):
        return values
    return {
        name: str(folder / value)
        if name in _FILES and isinstance(value, str) and value
        else _network_files(value, folder)
        for name, value in values.items()
    }


def _files(section: BaseModel, folder: Path) -> dict[str, str]:
    return {
        name: str(folder / value) for name in ("tls_certificate", "tls_key") if (value := str(getattr(section, name)))
    }


def _line(problem: dict[str, Any]) -> str:
    """One problem in words: ``sip.udp_port: 70000: Input should be less than or equal to 65535; …``"""
    location = [part for part in problem["loc"] if isinstance(part, str | int)]
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        return f"{key}: there is no such setting{_suggestion(location)}"
    section = _section(location[:-1])
    help_text = _help(section, str(location[-1])) if location and section is not None else ""
    if problem["type"] == "missing":
        return f"{key} is missing; {help_text}"
    what = str(problem["msg"]).removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], Mapping | BaseModel) or _secret(key) else f"{problem['input']!r}: "
    return f"{key}: {shown}{what}" + (f". Its meaning: {help_text}" if help_text else "")


def _secret(key: str) -> bool:
    return any(word in key for word in ("secret", "password", "key"))


def _suggestion(location: Sequence[str | int]) -> str:
    section = _section(location[:-1])
    if section is None:
        return ""
    near = difflib.get_close_matches(str(location[-1]), section.model_fields, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(section.model_fields)}"


def _help(section: type[BaseModel], name: str) -> str:
    field = section.model_fields.get(name)
    return field.description or "" if field is not None else ""


def _section(location: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that describes the table at a place."""
    section: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return None
        section = inner
    return section


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _model_in(inner)) is not None:
            return found
    return None
