"""The operator's settings that selection reads: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which networks serve a range of numbers, best first.

    One that names the carrier wins over those that do not, since people take their numbers along; then the longest
    prefix; then the one that names a number type.
    """

    prefix: str  # "+44", "+447700", "" for all numbers
    networks: tuple[str, ...]  # connector names; empty: numbers of this range are not served
    number_type: str = ""  # "mobile", "fixed" or "" for both
    is_type: str = ""  # what the operator knows the range to be, over the numbering plan's word
    carrier: str = ""  # only numbers that this carrier serves now (carrier_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    message_bytes: int = 10 << 20
    recipients: int = 100
    segments: int = 10
    expiry_default: float = 3 * 86400.0
    expiry_max: float = 7 * 86400.0
    attempts: int = 20
    deferred_per_subscriber: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSessions:
    """How a session is offered to somebody who only has texts, and the words by which they take part.

    Templates know ``{name}`` (who invites), ``{subject}`` (in quotes, with a space before it, or nothing),
    ``{accept}`` and ``{reject}`` (the first of each list).
    """

    offered: bool = True
    accept: tuple[str, ...] = ("YES", "Y", "OK", "JOIN", "1")
    reject: tuple[str, ...] = ("NO", "N", "STOP", "0")
    leave: tuple[str, ...] = ("LEAVE", "BYE", "QUIT", "STOP")
    invitation: str = "{name} invites you to a chat{subject}. Reply {accept} to join, {reject} to decline."
    help: str = "Reply {accept} to join the chat with {name}, {reject} to decline."
    invite_timeout: float = 600.0  # seconds
    idle: float = 3600.0  # seconds without a word after which the session ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows and prefers."""

    order: tuple[str, ...] = ()  # fallback order of foreign networks; those not named come last
    allowed: frozenset[str] | None = None  # None: every configured network
    routes: tuple[Route, ...] = ()
    domains: tuple[tuple[str, str], ...] = ()  # (domain, network): whose users sip:bob@domain and im:bob@domain are
    local_domains: tuple[str, ...] = ()  # ours
    home_region: str = ""  # ISO 3166 region for national numbers, "GB"; empty: national numbers are refused
    limits: Limits = field(default_factory=Limits)
    retry_schedule: tuple[float, ...] = (
        2.0,
        5.0,
        15.0,
        60.0,
        300.0,
        900.0,
        3600.0,
    )  # seconds; the last repeats
    defer_when_down: bool = True  # all networks down: keep and retry (True) or refuse (False)
    session_feedback: bool = True  # whether session feedback is given at all
    unreported_after: float = 86400.0  # seconds after expiry when a delivery without receipt is closed as unknown
    text_sessions: TextSessions = field(default_factory=TextSessions)
    link_lifetime: float = 7 * 86400.0  # seconds a link to what a network cannot carry is valid; 0: no links
    retention: float = 365 * 86400.0  # seconds for which finished messages and their trails are kept; 0: for ever
