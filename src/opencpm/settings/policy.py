"""Settings that selection reads: which networks may be used, for which numbers, in which order, and the limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from opencpm.domain.number import carrier_name
from opencpm.domain.policy import Limits, Policy, Route, TextSessions
from opencpm.settings.kinds import Seconds, Section

_LIMITS = Limits()
_POLICY = Policy()
_TEXTS = TextSessions()


def _fills(template: str) -> str:
    try:
        template.format(name="", subject="", accept="", reject="")
    except (KeyError, IndexError, ValueError):
        raise ValueError("it may name {name}, {subject}, {accept} and {reject} only") from None
    return template


Template = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_fills)]
Words = tuple[Annotated[str, Field(min_length=1, max_length=20)], ...]


class RouteSettings(Section):
    """Which networks serve a range of numbers. One that names the carrier wins, then the longest prefix."""

    prefix: str = Field(
        default="", pattern=r"^(\+[0-9]{0,15})?$", description='A range of numbers: "+44", "+447700"; "": all.'
    )
    networks: tuple[str, ...] = Field(description="Networks by name, best first. Empty: the range is not served.")
    number_type: Literal["", "mobile", "fixed"] = Field(default="", description="Only numbers of this type.")
    is_type: Literal["", "mobile", "fixed"] = Field(
        default="", description="What this range is known to be, over what the numbering plan says."
    )
    carrier: Annotated[str, AfterValidator(carrier_name)] = Field(
        default="",
        description='Only numbers that this carrier serves, as [numbers] knows it: "23433" (country and network '
        "code), or a name.",
    )


class LimitSettings(Section):
    """What one message, and one subscriber, may take up."""

    message_bytes: int = Field(default=_LIMITS.message_bytes, ge=1, description="Content of one message, bytes.")
    recipients: int = Field(default=_LIMITS.recipients, ge=1, description="Receivers of one message.")
    segments: int = Field(default=_LIMITS.segments, ge=1, le=255, description="SMS segments of one message.")
    expiry_default: Seconds = Field(default=_LIMITS.expiry_default, description="How long a message is tried, seconds.")
    expiry_max: Seconds = Field(
        default=_LIMITS.expiry_max, description="The longest time a sender may ask for, seconds."
    )
    attempts: int = Field(default=_LIMITS.attempts, ge=1, description="Attempts for one receiver before it fails.")
    deferred_per_subscriber: int = Field(
        default=_LIMITS.deferred_per_subscriber, ge=1, description="Messages kept for one subscriber who is away."
    )


class TextSessionSettings(Section):
    """Sessions with people who only have texts: they are invited by a text and take part with words."""

    offered: bool = Field(default=_TEXTS.offered, description="Offer sessions to them; false: a session is refused.")
    accept: Words = Field(default=_TEXTS.accept, min_length=1, description="Words that accept; the first is shown.")
    reject: Words = Field(default=_TEXTS.reject, min_length=1, description="Words that decline; the first is shown.")
    leave: Words = Field(default=_TEXTS.leave, description="Words that end the session, once they have joined.")
    invitation: Template = Field(default=_TEXTS.invitation, description="The invitation.")
    help: Template = Field(default=_TEXTS.help, description="Said once to an answer that is no word.")
    invite_timeout: Annotated[float, Field(gt=0)] = Field(
        default=_TEXTS.invite_timeout, description="Seconds in which they may answer."
    )
    idle: Annotated[float, Field(gt=0)] = Field(
        default=_TEXTS.idle, description="Seconds without a word after which the session ends."
    )


class PolicySettings(Section):
    """What the operator allows and prefers. Users' own preferences come on top."""

    order: tuple[str, ...] = Field(default=(), description='Fallback order of networks by name: ["sms", "msn"].')
    allowed: tuple[str, ...] | None = Field(
        default=None, description="Networks that may be used; left out: all configured."
    )
    routes: tuple[RouteSettings, ...] = Field(default=(), description="Number ranges ([[policy.routes]]).")
    domains: dict[str, str] = Field(
        default={},
        description='Whose users sip:bob@domain are: {"msn.example" = "msn"} sends them to the network "msn".',
    )
    home_region: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = Field(
        default="", description='Region of numbers written without a country code, "GB"; "": such numbers are refused.'
    )
    limits: LimitSettings = Field(default=LimitSettings(), description="Limits ([policy.limits]).")
    retry_schedule: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=_POLICY.retry_schedule, min_length=1, description="Seconds between attempts; the last repeats."
    )
    defer_when_down: bool = Field(
        default=_POLICY.defer_when_down,
        description="When every network for a receiver is down: keep the message and retry (true) or refuse it.",
    )
    session_feedback: bool = Field(
        default=_POLICY.session_feedback, description="Tell users how the far side took the closing of a session."
    )
    unreported_after: Seconds = Field(
        default=_POLICY.unreported_after,
        description="Seconds after its expiry when a message without a receipt is closed as unknown.",
    )
    text_sessions: TextSessionSettings = Field(
        default=TextSessionSettings(), description="Sessions by text ([policy.text_sessions])."
    )
    link_lifetime: Seconds = Field(
        default=_POLICY.link_lifetime,
        description="Seconds for which a private link shows what the receiver's network cannot carry; 0: no links.",
    )
    retention: Seconds = Field(
        default=_POLICY.retention,
        description="Seconds for which finished messages and their trails are kept; 0: for ever.",
    )

    def policy(self, local_domains: tuple[str, ...]) -> Policy:
        """The same as selection reads it."""
        return Policy(
            order=self.order,
            allowed=None if self.allowed is None else frozenset(self.allowed),
            routes=tuple(Route(**dict(route)) for route in self.routes),
            domains=tuple((domain.lower(), network) for domain, network in self.domains.items()),
            local_domains=local_domains,
            home_region=self.home_region,
            limits=Limits(**dict(self.limits)),
            retry_schedule=self.retry_schedule,
            defer_when_down=self.defer_when_down,
            session_feedback=self.session_feedback,
            unreported_after=self.unreported_after,
            text_sessions=TextSessions(**dict(self.text_sessions)),
            link_lifetime=self.link_lifetime,
            retention=self.retention,
        )
