"""The small grammar under all headers: lists at commas, parameters at semicolons, quoted strings (RFC 3261 §25.1)."""

from __future__ import annotations

import re

from opencpm.protocols.sip.errors import SipError

MAX_PARAMETERS = 100

# Both always match to the end of what they begin (an unclosed quote runs to the end), so no input is scanned twice.
_PIECE = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|<[^>]*(?:>|\Z)|[^",<]+|,', re.S)
_PARAMETER = re.compile(r'\s*;\s*([^\s;="]+)\s*(?:=\s*("(?:[^"\\]|\\.?)*+(?:"|\Z)|[^;"]*))?', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


def split_list(line: str) -> list[str]:
    """Cut a field at the commas outside quotes and angle brackets; empty values are left out."""
    if "," not in line:
        return [line] if line else []
    if '"' not in line and "<" not in line:
        return [value for part in line.split(",") if (value := part.strip())]
    values, current = [], ""
    for piece in _PIECE.findall(line):
        if piece == ",":
            values.append(current.strip())
            current = ""
        else:
            current += piece
    values.append(current.strip())
    return [value for value in values if value]


def parse_parameters(text: str) -> dict[str, str]:
    """Read `;name=value;flag` into names in lower case and values without quotes ("" for a flag).

    The first of a repeated name stays, except that the values of a repeated feature tag (a name that begins with
    "+") are joined by commas: they say the same thing. Raises SipError when text is left over.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            if text[position:].strip(" \t;"):
                raise SipError("bad parameter")
            break
        position = match.end()
        name, value = match[1].lower(), unquote((match[2] or "").strip())
        if name not in found:
            found[name] = value
        elif name.startswith("+") and value:
            found[name] += "," + value
        if len(found) > MAX_PARAMETERS:
            raise SipError("too many parameters")
    return found


def unquote(value: str) -> str:
    """A quoted string's content, or the value itself."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
        return _ESCAPED.sub(r"\1", value) if "\\" in value else value
    return value


def quote(value: str) -> str:
    """A value as a quoted string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
