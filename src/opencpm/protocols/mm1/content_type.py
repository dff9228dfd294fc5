"""The content-type value of WSP (WAP-230-WSP §8.4.2.24) and its MIME spelling, both ways."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.protocols.mime import parse_content_type

from .charsets import ANY, charset_name, charset_number
from .errors import Mm1Error
from .media_types import CHARSET, MEDIA_TYPES, NUMBERS, PARAMETER_NUMBERS, PARAMETERS, TYPE, Q
from .wsp import (
    Quoted,
    plain,
    read_integer,
    read_length,
    read_string,
    read_text,
    read_uintvar,
    text_of,
    utf8,
    with_length,
    write_integer,
    write_string,
    write_text,
    write_uintvar,
)

_MAX_PARAMETERS = 32
_WAP_MULTIPART = "application/vnd.wap.multipart."


class Parameter(NamedTuple):
    """A parameter as on the wire: its number (without 80h) or token, and an integer or text (none: empty)."""

    key: int | str
    value: int | str | Quoted

    @property
    def name(self) -> str:
        """The name in MIME; empty for a number we do not know."""
        return PARAMETERS.get(self.key, "") if isinstance(self.key, int) else self.key.lower()


class ContentType(NamedTuple):
    """A media type (the case of the table, else as on the wire) and its parameters in wire order."""

    media: str
    parameters: tuple[Parameter, ...] = ()

    def get(self, name: str) -> str | None:
        """The parameter's value as MIME would say it (a charset by name, a type by name); None if absent."""
        for parameter in self.parameters:
            if parameter.name == name:
                return _mime_value(parameter)
        return None

    @property
    def is_multipart(self) -> bool:
        """Whether the content is a WSP multipart body."""
        return self.media.lower().startswith(("multipart/", _WAP_MULTIPART))


def _mime_value(parameter: Parameter) -> str:
    value = parameter.value
    if not isinstance(value, int):
        return plain(value)
    if parameter.name == "charset":
        return (charset_name(value) or "") if value != ANY else ""
    if parameter.name == "type":
        return MEDIA_TYPES.get(value, "")
    return str(value)


def read_content_type(data: bytes, at: int = 0) -> tuple[ContentType, int]:
    """The short form (one octet or a text) or the general form. Raises Mm1Error."""
    if at < len(data) and data[at] >= 0x20:
        media, end = _read_media(data, at)
        return ContentType(media), end
    length, start = read_length(data, at)
    end = start + length
    if end > len(data) or not length:
        raise Mm1Error("content type is cut off")
    value = data[start:end]
    media, position = _read_media(value, 0)
    return ContentType(media, read_parameters(value, position)), end


def _read_media(data: bytes, at: int) -> tuple[str, int]:
    if data[at] < 0x80 and data[at] >= 0x20:
        octets, end = read_text(data, at)
        return text_of(octets), end
    number, end = read_integer(data, at)
    return MEDIA_TYPES.get(number, f"application/x-wap-{number:02x}"), end


def read_parameters(data: bytes, at: int) -> tuple[Parameter, ...]:
    """The parameters from here to the end. Raises Mm1Error."""
    found: list[Parameter] = []
    while at < len(data):
        if len(found) == _MAX_PARAMETERS:
            raise Mm1Error(f"over {_MAX_PARAMETERS} parameters")
        parameter, at = _read_parameter(data, at)
        found.append(parameter)
    return tuple(found)


def _read_parameter(data: bytes, at: int) -> tuple[Parameter, int]:
    key: int | str
    if 0x20 <= data[at] < 0x80:
        octets, at = read_text(data, at)
        key = text_of(octets)
    else:
        key, at = read_integer(data, at)
    if key == Q:
        q, at = read_uintvar(data, at)
        return Parameter(key, q), at
    if at < len(data) and (data[at] == 0 or 0x20 <= data[at] < 0x80):
        text, at = read_string(data, at)
        return Parameter(key, text), at
    number, at = read_integer(data, at)
    return Parameter(key, number), at


def write_content_type(content_type: ContentType) -> bytes:
    """The short form where there are no parameters. Raises Mm1Error."""
    number = _number(content_type.media)
    media = write_text(utf8(content_type.media)) if number is None else bytes((number | 0x80,))
    if not content_type.parameters:
        return media
    return with_length(media + write_parameters(content_type.parameters))


def _number(media: str) -> int | None:
    number = NUMBERS.get(media.lower())
    if number is None and media.startswith("application/x-wap-"):
        text = media[18:]
        return int(text, 16) if len(text) == 2 and text.isalnum() and text < "80" and _hex(text) else None
    return number


def _hex(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)


def write_parameters(parameters: tuple[Parameter, ...]) -> bytes:
    """Raises Mm1Error."""
    return b"".join(_write_parameter(parameter) for parameter in parameters)


def _write_parameter(parameter: Parameter) -> bytes:
    key, value = parameter
    head = write_integer(key) if isinstance(key, int) else write_text(utf8(key))
    if key == Q and isinstance(value, int):
        return head + write_uintvar(value)
    return head + (write_integer(value) if isinstance(value, int) else write_string(value))


def from_mime(value: str) -> ContentType:
    """A MIME Content-Type as a content-type value; `boundary` falls away, multiparts get their WAP type."""
    media, parameters = parse_content_type(value)
    if media.startswith("multipart/"):
        media = _WAP_MULTIPART + media[10:]
    number = NUMBERS.get(media)
    media = MEDIA_TYPES[number] if number is not None else media
    return ContentType(media, tuple(_from_mime(n, v) for n, v in parameters.items() if n not in ("boundary", "")))


def _from_mime(name: str, value: str) -> Parameter:
    if name == "charset":
        number = charset_number(value)
        return Parameter(CHARSET, number) if number is not None else Parameter(name, value)
    if name == "type" and value.lower() in NUMBERS:
        return Parameter(TYPE, NUMBERS[value.lower()])
    return Parameter(PARAMETER_NUMBERS.get(name, name), value)


def to_mime(content_type: ContentType) -> str:
    """The MIME spelling; a WAP multipart type becomes the plain one (the caller adds a boundary)."""
    media = content_type.media
    if media.lower().startswith(_WAP_MULTIPART):
        media = "multipart/" + media[len(_WAP_MULTIPART) :]
    out = [_clean(media)]
    for parameter in content_type.parameters:
        name, text = parameter.name, _mime_value(parameter)
        if name and text and name != "q":
            out.append(f"{_clean(name)}={_mime_text(name, text)}")
    return "; ".join(out)


def _mime_text(name: str, text: str) -> str:
    text = _clean(text)
    if name == "charset":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _clean(text: str) -> str:
    """No line ends or other controls: the text goes into a header."""
    return "".join(c for c in text if c.isprintable())
