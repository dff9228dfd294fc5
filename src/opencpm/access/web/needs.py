"""What the web room asks of messaging: the inbox every connector knows, and the use cases behind the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from opencpm.domain.account import AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.group import Group
from opencpm.domain.message import Part
from opencpm.domain.plan import Plan
from opencpm.domain.policy import Policy
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ContactRequest
from opencpm.domain.subscriber import LinkedAccount, Preferences, Subscriber
from opencpm.interfaces import Bus, Connector, Directory, Groups, Inbox, Store


class People(Directory, Protocol):
    """The directory with the administration that a subscriber may do for themselves."""

    def set_preferences(self, user_id: str, preferences: Preferences, /) -> object: ...

    def add_contact(
        self, owner: str, name: str, addresses: Sequence[Address], networks: Sequence[str] = ...
    ) -> Contact: ...

    def write_contact(self, contact: Contact, /) -> Contact: ...

    def remove_contact(self, owner: str, contact_id: str, /) -> object: ...

    def contacts(self, owner: str, /) -> Iterable[Contact]: ...

    def contact_requests(self, owner: str, /) -> Sequence[ContactRequest]: ...

    def answer_request(self, owner: str, request_id: str, accept: bool, /) -> ContactRequest: ...

    def link_account(self, owner: str, network: str, address: Address, password: str, /) -> LinkedAccount: ...

    def retry_account(self, owner: str, network: str, address: Address, /) -> LinkedAccount: ...

    def enable_account(self, owner: str, network: str, address: Address, enabled: bool, /) -> LinkedAccount: ...

    def unlink_account(self, owner: str, network: str, address: Address | None = ..., /) -> None: ...

    def of_login(self, username: str, /) -> Subscriber | None: ...

    def new_token(self, user_id: str, label: str, /) -> str: ...

    def user_of_token(self, token: str, /) -> str | None: ...

    def remove_token(self, user_id: str, token_id: str, /) -> object: ...

    def check_password(self, user_id: str, password: str, /) -> bool: ...

    def refresh(self) -> object: ...


class AccountStates(Protocol):
    """How linked accounts are."""

    def of(self, account: LinkedAccount, /) -> AccountStatus: ...

    async def settled(self, account: LinkedAccount, patience: float, /) -> AccountStatus: ...


class Presences(Protocol):
    """What is known of people's presence."""

    def of(self, owner: str, network: str, address: Address, /) -> Presence: ...


class GroupsOf(Groups, Protocol):
    """Group sessions, and who is in which."""

    def of(self, subscriber_id: str, /) -> Sequence[Group]: ...


class UseCases(Inbox, Protocol):
    """Messaging as the API sees it."""

    @property
    def groups(self) -> GroupsOf: ...

    @property
    def accounts(self) -> AccountStates: ...

    @property
    def presence(self) -> Presences: ...

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

    def publish(self, user_id: str, availability: Availability, note: str, /) -> Subscriber: ...

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
