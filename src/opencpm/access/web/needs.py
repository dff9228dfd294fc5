"""What the web room asks of messaging: the inbox every connector knows, and the use cases behind the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.message import Part
from opencpm.domain.plan import Plan
from opencpm.domain.policy import Policy
from opencpm.domain.subscriber import Preferences
from opencpm.interfaces import Bus, Connector, Directory, Inbox, Store


class People(Directory, Protocol):
    """The directory with the administration that a subscriber may do for themselves."""

    def set_preferences(self, user_id: str, preferences: Preferences, /) -> object: ...

    def add_contact(
        self, owner: str, name: str, addresses: Sequence[Address], networks: Sequence[str] = ...
    ) -> Contact: ...

    def remove_contact(self, owner: str, contact_id: str, /) -> object: ...

    def contacts(self, owner: str, /) -> Iterable[Contact]: ...

    def new_token(self, user_id: str, label: str, /) -> str: ...

    def user_of_token(self, token: str, /) -> str | None: ...

    def remove_token(self, user_id: str, token_id: str, /) -> object: ...

    def check_password(self, user_id: str, password: str, /) -> bool: ...

    def refresh(self) -> object: ...


class UseCases(Inbox, Protocol):
    """Messaging as the API sees it."""

    @property
    def store(self) -> Store: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def connectors(self) -> Mapping[str, Connector]: ...

    @property
    def bus(self) -> Bus: ...

    @property
    def policy(self) -> Policy: ...

    def explain(
        self,
        sender_id: str,
        recipient: Address,
        text: str = ...,
        *,
        route: str = ...,
        session: bool = ...,
        parts: tuple[Part, ...] | None = ...,
    ) -> Plan: ...
