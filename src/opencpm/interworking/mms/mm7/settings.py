"""Settings of MMS over MM7: the centre, our contract with it, and where it reaches us."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from opencpm.interworking.mms.settings import MmsSettings, Seconds
from opencpm.protocols.mm7 import RELEASES, Release
from opencpm.protocols.sip import digest
from opencpm.transport.http_client import Tls
from opencpm.transport.http_digest import DigestGate

Port = Annotated[int, Field(ge=0, le=65535)]
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Listener(BaseModel):
    """``[networks.<name>.listen]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description='Address to listen on; "0.0.0.0" or "::" for all.')
    port: Port = Field(default=8082, description="Port; 0 for any free one.")
    path: str = Field(default="/mm7", pattern=r"^/[!-~]*$", description="Path of the resource.")
    authentication: Literal["basic", "digest", "both"] = Field(
        default="basic", description="How the centre proves who it is."
    )
    username: str = Field(default="", description='User that the centre names; "": nobody is asked.')
    password: str = Field(default="", repr=False, description="Its password.")
    peers: tuple[str, ...] = Field(
        default=(), description='Addresses from which the centre comes: "192.0.2.0/24"; left out: any.'
    )
    tls_certificate: str = Field(default="", description="File of our certificate for HTTPS, PEM.")
    tls_key: str = Field(default="", description="File of its private key, PEM.")
    max_request: int = Field(default=4 << 20, ge=4096, le=16 << 20, description="Largest request taken, octets.")

    @field_validator("peers")
    @classmethod
    def _networks(cls, peers: tuple[str, ...]) -> tuple[str, ...]:
        for peer in peers:
            try:
                ip_network(peer, strict=False)
            except ValueError:
                raise ValueError(f"{peer!r} is no address; write one like 192.0.2.1 or 192.0.2.0/24") from None
        return peers

    @model_validator(mode="after")
    def _safe(self) -> Listener:
        if self.host not in _LOOPBACK and not (self.password or self.peers):
            raise ValueError("everybody could bring messages: write username and password, or peers")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("HTTPS needs tls_certificate and tls_key; write both, or neither")
        return self

    def proves(self, user: str, password: str | None, peer: str) -> bool:
        """Whether this is the centre (None: a Digest has proved the password); takes as long for a wrong user as for
        a wrong password."""
        known = compare_digest(user.encode(), self.username.encode())
        if password is not None:
            known &= compare_digest(password.encode(), self.password.encode())
        return (known or not self.username) and self._comes_from(peer)

    @property
    def gate(self) -> DigestGate | None:
        """Who judges Digests, where they are taken."""
        return DigestGate("opencpm", self._secret) if self.username and self.authentication != "basic" else None

    def _secret(self, user: str, realm: str, algorithm: str) -> str | None:
        return digest.ha1(user, realm, self.password, algorithm) if user == self.username else None

    def _comes_from(self, peer: str) -> bool:
        if not self.peers:
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in ip_network(one, strict=False) for one in self.peers)


class Mm7Settings(MmsSettings):
    """``[networks.<name>]`` with ``type = "mm7"``."""

    type: Literal["mm7"] = "mm7"
    url: str = Field(
        default="http://127.0.0.1:1981/mm7", pattern=r"^https?://[^\s]+$", description="Where the MMS centre takes MM7."
    )
    authentication: Literal["basic", "digest"] = Field(default="basic", description="How we prove who we are to it.")
    username: str = Field(default="", description='Our user at the centre; "": it knows us otherwise (TLS, address).')
    password: str = Field(default="", repr=False, description="Its password.")
    tls_ca: str = Field(
        default="", description="File of the authorities that vouch for the centre, PEM; left out: the system's."
    )
    tls_certificate: str = Field(default="", description="File of our certificate, PEM, where the centre wants one.")
    tls_key: str = Field(default="", description="File of its private key, PEM.")
    vasp_id: str = Field(default="", max_length=64, description="VASPID, by contract.")
    vas_id: str = Field(default="", max_length=64, description="VASID, by contract.")
    service_code: str = Field(default="", max_length=64, description="ServiceCode, for billing, by contract.")
    message_class: Literal["", "Personal", "Informational", "Advertisement", "Auto"] = Field(
        default="Personal", description="MessageClass of what we send."
    )
    source: str = Field(
        default="", description='Short code or number that all messages come from; "": the sender\'s own.'
    )
    fallback_source: str = Field(default="", description="Sender for those who have no number of their own.")
    release: str = Field(
        default="REL-6-MM7-1-4",
        description="Schema release we speak first; another that the centre asks for is remembered.",
    )
    allow_adaptations: bool = Field(default=True, description="The centre may adapt what we have adapted further.")
    binary: bool = Field(default=False, description="Send media as binary instead of base64.")
    linked_for: Seconds = Field(
        default=86400.0, description="How long an answer names the LinkedID of what it answers, seconds; 0: never."
    )
    connections: int = Field(default=4, ge=1, le=64, description="Submissions at a time.")
    connect_timeout: Annotated[float, Field(gt=0)] = Field(default=10.0, description="To connect, seconds.")
    answer_timeout: Annotated[float, Field(gt=0, le=240)] = Field(
        default=60.0, description="How long to wait for an answer, seconds."
    )
    retry_min: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="First pause after the centre could not be reached; it doubles."
    )
    retry_max: Annotated[float, Field(gt=0)] = Field(default=60.0, description="Longest pause.")
    refused_retry: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="First pause after it refused our credentials; it doubles up to 15 minutes."
    )
    listen: Listener = Field(default=Listener(), description="Where the centre brings reports and messages.")

    @field_validator("release")
    @classmethod
    def _known(cls, release: str) -> str:
        if release not in RELEASES:
            raise ValueError(f"{release!r} is no schema release; write one of {', '.join(RELEASES)}")
        return release

    @property
    def tls(self) -> Tls | None:
        if not self.url.startswith("https:"):
            return None
        return Tls(self.tls_ca, self.tls_certificate, self.tls_key)

    @property
    def speaks(self) -> Release:
        return RELEASES[self.release]
