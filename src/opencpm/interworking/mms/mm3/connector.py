"""Internet mail as messaging sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.mms.carrying import Carrier, accepted, told
from opencpm.interworking.mms.mailhost import MailHost, server_contexts, tls_context
from opencpm.interworking.mms.outgoing import adapted
from opencpm.transport.smtp_listener import Limits, SmtpListener
from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, Sent

from . import adapt, compose, reasons
from .compose import Outgoing
from .inbound import Inbound
from .settings import Mm3Settings

_SWEEP = 3600.0


def profile_of(settings: Mm3Settings) -> Profile:
    """Everything that mail carries; delivered is what a mail system reports, displayed what a reader says by hand."""
    reports = {Status.ACCEPTED, Status.PENDING, Status.FAILED}
    if settings.delivery_reports != "never":
        reports.add(Status.DELIVERED)
    if settings.mdn_to_display and settings.read_reports != "never":
        reports.add(Status.DISPLAYED)
    tells = {Status.DELIVERED, Status.FAILED} | ({Status.DISPLAYED} if settings.display_to_mdn else set())
    return Profile(
        label=settings.label,
        kind="mail",
        schemes=frozenset({"mailto"}),
        content_types=("*/*",),
        reports=frozenset(reports),
        told=frozenset(tells),
        subject=True,
        stores=True,
    )


class Mm3Connector:
    """A gateway to mail: it hands mail to one relay, and takes what relays bring."""

    def __init__(self, settings: Mm3Settings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.endpoints: dict[str, tuple[str, int]] = {}
        self._settings, self._context = settings, context
        self._target = adapt.target_of(settings)
        self._carrier = Carrier(context, settings.in_hand, self._carry, "the mail system", self._watch)
        self._relay = MailHost(_host(settings), settings.retry_min, settings.retry_max, self._watch)
        self._inbound = Inbound(settings, context)
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`. Raises OSError: the address cannot be listened on."""
        self._inbox = inbox
        self._carrier.start(inbox)
        self._inbound.start(inbox)
        settings = self._settings
        first, offered = server_contexts(settings.listen_tls, settings.tls_certificate, settings.tls_key)
        limits = Limits(size=settings.max_mail, connections=settings.max_connections)
        listener = SmtpListener(self._inbound, settings.domain, limits, tls=first, starttls=offered, dsn=True)
        try:
            self.endpoints["smtp"] = await listener.start(settings.listen_host, settings.listen_port)
            self._watch()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._relay.run())
                tasks.create_task(self._sweep())
        finally:
            await listener.close()
            await self._carrier.close()
            self.endpoints.clear()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        self._carrier.send(deliveries)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="mail has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """Mail shows nobody typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """A mailbox tells nothing."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._settings)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._carrier))

    def describe(self) -> Mapping[str, Any]:
        settings = self._settings
        return {
            "domain": settings.domain,
            "relay": {"host": f"{settings.relay_host}:{settings.relay_port}", "detail": self._relay.detail},
            "in hand": len(self._carrier),
            "counters": dict(self._carrier.counters + self._inbound.counters),
        }

    # -- work

    async def _carry(self, delivery: Delivery) -> Outcome:
        """One attempt. Raises SendError."""
        return await (self._message(delivery) if delivery.notice is None else self._notice(delivery))

    async def _message(self, delivery: Delivery) -> Outcome:
        ready = await adapted(delivery.message.parts, self._target, self._context.media)
        owner = self._context.directory.owner_of(delivery.message.sender)
        name = getattr(owner, "name", "")
        outgoing = compose.mail(delivery, ready.parts, name, self._settings)
        sent = await self._hand_over(outgoing, delivery.id)
        hears = "" if sent.dsn else "the relay tells of no delivery"
        detail = "; ".join(piece for piece in (sent.reply, hears, *ready.losses) if piece)
        return accepted(delivery, self._context.clock.now(), "SMTP of the relay", detail, outgoing.ident)

    async def _notice(self, delivery: Delivery) -> Outcome:
        """Word to the sender of a mail."""
        notice = delivery.notice
        assert notice is not None
        row = self._inbound.rows.get(delivery.message.id)
        if row is None or not row.return_path:
            raise SendError(Reason.NO_ROUTE, detail="it is no longer known who sent this mail")
        receiver = row.receivers.get(str(notice.recipient)) or next(iter(row.receivers.values()))
        now = self._context.clock.now()
        outgoing = compose.report(delivery, notice, row.origin, receiver, self._settings, now)
        sent = await self._hand_over(outgoing, "")
        return told(delivery, now, "SMTP of the relay", sent.reply)

    async def _hand_over(self, outgoing: Outgoing, envid: str) -> Sent:
        """Raises SendError."""
        try:
            return await self._relay.send(
                outgoing.sender, outgoing.recipient, outgoing.data, notify=outgoing.notify, envid=envid
            )
        except MailRefused as error:
            raise reasons.refused(error) from None
        except HostLost as error:
            raise reasons.lost(error) from None

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self._inbound.forget(self._context.clock.now())

    def _watch(self) -> None:
        """Tell messaging when the state changed."""
        before = self._health
        if not self._relay.up:
            state, detail = HealthState.DOWN, self._relay.detail
        elif self._carrier.full:
            state, detail = HealthState.BUSY, "too many messages in hand"
        else:
            state, detail = HealthState.UP, f"relay {self._settings.relay_host}:{self._settings.relay_port}"
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, len(self._carrier))
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)


def _host(settings: Mm3Settings) -> Host:
    return Host(
        host=settings.relay_host,
        port=settings.relay_port,
        tls=settings.relay_tls,
        username=settings.username,
        password=settings.password,
        ehlo=settings.domain,
        connections=settings.connections,
        context=tls_context(settings.relay_tls, settings.relay_ca_file),
    )
