"""Value-added services (VASPs) that submit to us over MM7: where we listen for them, and on which terms they work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from opencpm.protocols.mm7.schema import RELEASES
from opencpm.settings.kinds import Port, Section


class Mm7Terms(Section):
    """What one account may do, and where it is reached."""

    url: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        description='Where it takes reports and messages; "": none.',
    )
    authentication: Literal["basic", "digest"] = Field(default="basic", description="How we prove who we are to it.")
    username: str = Field(default="", description='Our user there; "": none is asked.')
    password: str = Field(default="", repr=False, description="Its password.")
    tls_ca: str = Field(default="", description="Authorities that vouch for it, PEM file; left out: the system's.")
    vasp_id: str = Field(default="", max_length=64, description='The VASPID it has to name; "": any.')
    senders: tuple[str, ...] = Field(
        default=(), description="Which of the user's addresses it may send from; left out: all of them."
    )
    release: str = Field(
        default="REL-6-MM7-1-4", description="Schema release of our requests, until one of its own says another."
    )
    rate: float = Field(default=0.0, ge=0, description="Submissions a second; more get 4006. 0: no limit.")
    burst: int = Field(default=0, ge=0, description="Submissions at once beyond the rate; 0: those of one second.")
    recipients: int = Field(default=100, ge=1, le=1000, description="Receivers of one submission at most.")

    @field_validator("release")
    @classmethod
    def _known(cls, release: str) -> str:
        if release not in RELEASES:
            raise ValueError(f"{release!r} is no schema release; write one of {', '.join(RELEASES)}")
        return release


class Mm7AccessSettings(Section):
    """VASPs as devices of subscribers: an account is a user, who proves it with their password."""

    enabled: bool = Field(default=False, description="Let VASPs submit.")
    host: str = Field(default="127.0.0.1", description='Address to listen on; "0.0.0.0" or "::" for all.')
    port: Port = Field(default=8083, description="Port; 0 for any free one.")
    path: str = Field(default="/mm7", pattern=r"^/[!-~]*$", description="Path of the resource.")
    authentication: Literal["basic", "digest", "both"] = Field(
        default="both", description="How VASPs prove who they are, with a user's name and password."
    )
    tls_certificate: str = Field(default="", description="File with the certificate chain, PEM: HTTPS.")
    tls_key: str = Field(default="", description="File with its private key, PEM.")
    relay_server_id: str = Field(default="opencpm", max_length=64, description="MMSRelayServerID, our name.")
    max_request: int = Field(default=4 << 20, ge=4096, le=16 << 20, description="Largest request taken, octets.")
    only_listed: bool = Field(default=False, description="Only users named under accounts may submit.")
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that VASPs write: "44".'
    )
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,2}$", description="Cut off national numbers.")
    plain_is_international: bool = Field(
        default=True, description="Ten or more digits without + are an international number."
    )
    connections: int = Field(default=8, ge=1, le=64, description="Requests to VASPs at a time.")
    queue: int = Field(default=1000, ge=1, description="Messages and reports in hand for VASPs.")
    answer_timeout: Annotated[float, Field(gt=0, le=240)] = Field(
        default=30.0, description="How long to wait for an answer of a VASP, seconds."
    )
    retry_min: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="First pause after a VASP could not be reached; it doubles."
    )
    retry_max: Annotated[float, Field(gt=0)] = Field(default=60.0, description="Longest pause.")
    terms: Mm7Terms = Field(default=Mm7Terms(), description="Of every account ([mm7.terms]).")
    accounts: dict[str, Mm7Terms] = Field(
        default={}, description="What is different for one user ([mm7.accounts.<user id>])."
    )

    @model_validator(mode="after")
    def _certificate(self) -> Mm7AccessSettings:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("HTTPS needs tls_certificate and tls_key; write both, or neither")
        if self.terms.url:
            raise ValueError("a url belongs to one account; write it under [mm7.accounts.<user id>]")
        return self

    def terms_of(self, account: str) -> Mm7Terms | None:
        """The terms of a user; None: not listed, and only those listed may submit."""
        own = self.accounts.get(account)
        if own is None:
            return None if self.only_listed else self.terms
        return self.terms.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
