"""GRUUs (RFC 5627) and the binding rules of outbound (RFC 5626): pure text, the key is an argument."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from opencpm.protocols.sip.uri import Uri, escape_user

TEMP_PREFIX = "tgruu."


def public_gruu(user: str, domain: str, instance: str) -> str:
    """The public GRUU of a device: the AOR with `gr` naming the instance (RFC 5627 §5.1).

    `instance` is the value of +sip.instance without angle brackets.
    """
    return f"sip:{escape_user(user)}@{domain};gr={_escape_parameter(instance)}"


def temporary_gruu(user: str, domain: str, instance: str, key: bytes) -> str:
    """A GRUU that hides the user: a keyed name, looked up by making the names of the known devices again."""
    return f"sip:{TEMP_PREFIX}{temporary_name(user, instance, key)}@{domain};gr"


def temporary_name(user: str, instance: str, key: bytes) -> str:
    """The part of a temporary GRUU that stands for a user's device."""
    return hmac.new(key, f"{user}\n{instance}".encode(), hashlib.sha256).hexdigest()[:24]


def gruu_instance(uri: Uri) -> str | None:
    """The instance a public GRUU names, "" for a temporary one, None when the URI is no GRUU."""
    value = uri.parameter("gr")
    return None if value is None else _unescape_parameter(value)


def instance_of(parameters: Mapping[str, str]) -> str:
    """The instance id of a Contact without its angle brackets, "" without one."""
    return parameters.get("+sip.instance", "").strip("<>")


def reg_id_of(parameters: Mapping[str, str]) -> int:
    """The reg-id of a Contact; 0, which RFC 5626 forbids and clients send, counts as none."""
    value = parameters.get("reg-id", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def binding_key(contact: Uri, parameters: Mapping[str, str]) -> str:
    """What makes two Contacts the same binding: instance and reg-id (RFC 5626 §6), else the URI's own parts
    (RFC 3261 §10.3 step 7)."""
    instance = instance_of(parameters)
    if instance:
        return f"{instance}|{reg_id_of(parameters)}"
    transport = (contact.parameter("transport") or "").lower()
    return f"{contact.scheme}:{contact.user}@{contact.host_port}|{transport}"


def _escape_parameter(value: str) -> str:
    return value.replace("%", "%25").replace(";", "%3B").replace(">", "%3E").replace('"', "%22").replace(" ", "%20")


def _unescape_parameter(value: str) -> str:
    return unquote(value)
