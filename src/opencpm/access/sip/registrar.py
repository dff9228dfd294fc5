"""The registrar (RFC 3261 §10.3) with outbound flows (RFC 5626) and GRUUs (RFC 5627)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.auth import Authenticator
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import Endpoint, Request
from opencpm.access.sip.location import Location
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.address import Address
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.gruu import binding_key, gruu_instance, instance_of, public_gruu, reg_id_of
from opencpm.protocols.sip.headers import NameAddr, addr_uri, parse_cseq, parse_name_addr, parse_number
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal, check_expires
from opencpm.protocols.sip.uri import Uri, parse_uri
from opencpm.transport.flow import Flow

MAX_CONTACTS = 20
MAX_DOUBLINGS = 5
"""A device that never answers is tried again at last every 32 times `settings.silent`."""

Changed = Callable[[str, Reach], None]
"""Told (subscriber id, reach) when a user's devices came or went."""


@dataclass(slots=True)
class _Change:
    """What one REGISTER does to one binding."""

    contact: NameAddr
    uri: Uri
    key: str
    expires: int


class Registrar:
    """Serves REGISTER and answers where a user's devices are."""

    def __init__(
        self,
        settings: SipSettings,
        context: Context,
        endpoint: Endpoint,
        home: Home,
        location: Location,
        authenticator: Authenticator,
    ) -> None:
        self._settings, self._context, self._endpoint = settings, context, endpoint
        self._home, self._location, self._authenticator = home, location, authenticator
        self.changed: Changed = lambda user, reach: None
        self.moved: Callable[[Binding], None] = lambda binding: None
        """Told of a device that registered again over another flow."""

    # questions

    def reach(self, user: str) -> Reach:
        """What is known of a user's devices."""
        now = self._context.clock.now()
        bindings = self._location.of(user)
        there = [binding for binding in bindings if binding.connected(now) and binding.expires_at > now]
        if not there:
            detail = f"{len(bindings)} registered, none answers" if bindings else "no device registered"
            return Reach(Availability.OFFLINE, frozenset(), detail)
        features = {service for binding in there for service in binding.services}
        if any(binding.cpim for binding in there):
            features.add("cpim")
        if any(binding.plain and "INVITE" in binding.allow for binding in there):
            features.add("session")
        devices = "1 device" if len(there) == 1 else f"{len(there)} devices"
        return Reach(Availability.AVAILABLE, frozenset(features), f"{devices} registered")

    def devices(self, user: str, service: str) -> list[Binding]:
        """The user's devices to try for a CPM service ("msg", "session"): those that list it, else the plain SIP
        clients. Only devices with a way to them."""
        now = self._context.clock.now()
        there = [b for b in self._location.of(user) if b.connected(now) and b.expires_at > now]
        listing = [binding for binding in there if service in binding.services]
        return _one_flow_each(listing or [binding for binding in there if binding.plain])

    def resolve(self, uri: str) -> tuple[Subscriber, list[Binding]] | None:
        """The subscriber and devices that a request-URI of our domain names: an address of record (all devices)
        or a GRUU (one). None: not one of ours. Raises SipError."""
        parsed = parse_uri(uri)
        hidden = self._location.at_temporary(parsed)
        if hidden is not None:
            subscriber = self._context.directory.subscriber(hidden.user)
            return (subscriber, [hidden]) if subscriber is not None else None
        subscriber = self._context.directory.owner_of(self._home.address(uri))
        if subscriber is None:
            return None
        if parsed.parameter("gr") is not None:
            return subscriber, self._location.at_gruu(subscriber.id, parsed)
        return subscriber, self._location.of(subscriber.id)

    def whom(self, uri: str) -> tuple[Address, str]:
        """The person that a request-URI names, and the instance of the one device that is meant where it is a GRUU
        (RFC 5627 §4.3). Raises Refusal, SipError."""
        instance = gruu_instance(parse_uri(uri)) if ";gr" in uri else None
        found = self.resolve(uri) if instance is not None else None
        if found is None:
            return self._home.address(uri), ""
        subscriber, devices = found
        return subscriber.addresses[0], devices[0].instance if devices else instance or ""

    # REGISTER

    def registered(self, requests: Sequence[Request]) -> None:
        """Handler of REGISTER."""
        for request in requests:
            try:
                self._register(request)
            except Refusal as refusal:
                self._endpoint.refuse(request, refusal)
            except SipError as error:
                self._endpoint.refuse(request, Refusal(error.status, str(error)))

    def _register(self, request: Request) -> None:
        address = self._home.address(addr_uri(request.message.get("to")))
        owner = self._context.directory.owner_of(address)
        proved = self._authenticator.by_digest(request)
        if proved is None:
            return
        if owner is None:
            raise Refusal(404)
        if owner.id != proved.id or owner.barred:
            raise Refusal(403)
        values = request.message.values("contact")
        if values == ["*"]:
            self._remove_all(request, owner)
        elif values:
            self._update(request, owner, self._changes(request.message, values))
        else:
            self._confirm(request, owner)

    def _changes(self, message: Message, values: list[str]) -> list[_Change]:
        if len(values) > MAX_CONTACTS:
            raise Refusal(400, "Too many Contacts")
        general = message.get("expires")
        default = parse_number(general, "Expires") if general else self._settings.default_expires
        changes = []
        for value in values:
            contact = parse_name_addr(value)
            own = contact.parameters.get("expires")
            try:
                expires = parse_number(own, "expires") if own is not None else default
            except SipError:  # RFC 3261 §10.2.1.1: a malformed value counts as the default
                expires = self._settings.default_expires
            check_expires(expires, self._settings.min_expires)
            uri = parse_uri(contact.uri)
            expires = min(expires, self._settings.max_expires)
            changes.append(_Change(contact, uri, binding_key(uri, contact.parameters), expires))
        return changes

    def _remove_all(self, request: Request, owner: Subscriber) -> None:
        if request.message.get("expires") != "0":
            raise Refusal(400, "Contact * needs Expires 0")
        for binding in self._location.of(owner.id):
            self._in_order(request.message, binding)
        bindings = self._location.of(owner.id)
        done = self._after(len(bindings), request, owner)
        for binding in bindings:
            self._location.remove(binding, done)

    def _update(self, request: Request, owner: Subscriber, changes: list[_Change]) -> None:
        """All changes or none (RFC 3261 §10.3 step 7)."""
        found = {change.key: self._location.find(owner.id, change.key) for change in changes}
        for binding in found.values():
            if binding is not None:
                self._in_order(request.message, binding)
        added = [key for key, binding in found.items() if binding is None]
        if len(self._location.of(owner.id)) + len(added) > self._settings.max_devices:
            raise Refusal(403, "Too Many Devices")
        work = [change for change in changes if change.expires or found[change.key] is not None]
        done = self._after(len(work), request, owner)
        for change in work:
            binding = found[change.key]
            if change.expires:
                new = self._binding(request, owner, change, binding)
                self._location.put(new, request.flow, done)
                if binding is not None and (binding.flow is None or binding.flow.key != request.flow.key):
                    self.moved(new)
            elif binding is not None:
                self._location.remove(binding, done)

    def _in_order(self, message: Message, binding: Binding) -> None:
        """A REGISTER that was overtaken changes nothing (RFC 3261 §10.3 step 7)."""
        if binding.call_id == message.get("call-id") and parse_cseq(message.get("cseq")).number <= binding.cseq:
            raise Refusal(500, "REGISTER out of order")

    def _binding(self, request: Request, owner: Subscriber, change: _Change, old: Binding | None) -> Binding:
        message, flow, parameters = request.message, request.flow, dict(change.contact.parameters)
        instance = instance_of(parameters)
        accept = frozenset(value.partition(";")[0].strip().lower() for value in message.values("accept"))
        binding = Binding(
            user=owner.id,
            key=change.key,
            contact=change.contact.uri,
            parameters=parameters,
            instance=instance,
            reg_id=reg_id_of(parameters),
            path=tuple(message.values("path")),
            transport=flow.kind,
            peer=flow.peer,
            local_port=flow.local[1],
            expires_at=self._context.clock.now() + change.expires,
            call_id=message.get("call-id"),
            cseq=parse_cseq(message.get("cseq")).number,
            user_agent=message.get("user-agent")[:200],
            allow=frozenset(method.upper() for method in message.values("allow")),
            accept=accept,
            gruu=self._settings.gruu and bool(instance) and "gruu" in message.tokens("supported"),
        )
        if old is not None:  # what was learned of the same device stays true
            binding.wrap, binding.imdn = old.wrap, old.imdn
            binding.accept = accept or old.accept
        return binding

    # answers

    def _after(self, count: int, request: Request, owner: Subscriber) -> Callable[[], None]:
        """A completion that answers once `count` changes are durable, or now when there are none."""
        if not count:
            self._confirm(request, owner)
        left = [count]

        def done() -> None:
            left[0] -= 1
            if not left[0]:
                self._confirm(request, owner)
                self.changed(owner.id, self.reach(owner.id))

        return done

    def _confirm(self, request: Request, owner: Subscriber) -> None:
        now = self._context.clock.now()
        bindings = [b for b in self._location.of(owner.id) if b.expires_at > now]
        fields = [("Contact", binding.contact_value(now, self._gruus(binding))) for binding in bindings]
        fields += [("Path", path) for path in request.message.fields("path")]
        if bindings:
            associated = ", ".join(f"<{self._home.uri(a, tel=True)}>" for a in owner.addresses)
            fields += [
                ("P-Associated-URI", associated),
                ("Service-Route", f"<{self._service_route(request)}>"),
            ]
        if any(binding.reg_id for binding in bindings) and "outbound" in request.message.tokens("supported"):
            fields.append(("Require", "outbound"))
        fields += [("Date", formatdate(now, usegmt=True)), ("Server", self._endpoint.server)]
        self._endpoint.answer(request, 200, fields=fields)

    def _service_route(self, request: Request) -> str:
        flow = request.flow
        return f"sip:orig@{self._endpoint.via_host}:{flow.local[1]};transport={flow.kind.lower()};lr"

    def _gruus(self, binding: Binding) -> tuple[str, str] | None:
        if not binding.gruu:
            return None
        domain = self._home.domain
        subscriber = self._context.directory.subscriber(binding.user)
        address = next((a for a in subscriber.addresses if a.scheme == "sip"), None) if subscriber else None
        if address is None:
            return None
        user = address.value.partition("@")[0]
        temporary = f"sip:{self._location.temporary_user(binding)}@{domain};gr"
        return public_gruu(user, domain, binding.instance), temporary

    # what time and the wire do

    def lost(self, flow: Flow) -> None:
        """A connection has gone."""
        for user in self._location.lose(flow):
            self.changed(user, self.reach(user))

    def announce(self) -> None:
        """Tell of every user whose devices are known: at start, so that what waits for them is pushed."""
        for user in {binding.user for binding in self._location}:
            self.changed(user, self.reach(user))

    def sweep(self) -> None:
        """Drop what has expired, and give silent devices another chance; called now and then."""
        now = self._context.clock.now()
        users = self._location.expire(now)
        for binding in self._location:
            if 0.0 < binding.silent_until <= now:
                binding.silent_until = 0.0
                users.add(binding.user)
        for user in users:
            self.changed(user, self.reach(user))

    def heard(self, binding: Binding) -> None:
        """A device has shown itself."""
        binding.silences = 0
        if binding.silent_until:
            binding.silent_until = 0.0
            self.changed(binding.user, self.reach(binding.user))

    def silent(self, binding: Binding) -> None:
        """A device did not answer: it counts as away for a while, for longer each time in a row (several messages
        that were under way together are one time)."""
        now = self._context.clock.now()
        if self._settings.silent and binding.silent_until <= now:
            pause = self._settings.silent * 2 ** min(binding.silences, MAX_DOUBLINGS)
            binding.silences += 1
            binding.silent_until = now + pause
            self.changed(binding.user, self.reach(binding.user))

    def remember(self, binding: Binding) -> None:
        """Something was learned of a device: keep it."""
        self._location.save(binding)


def _one_flow_each(bindings: list[Binding]) -> list[Binding]:
    """Of a device with several flows (reg-ids of one instance) the newest: one copy is enough (RFC 5626 §5.1)."""
    newest: dict[str, Binding] = {}
    for binding in bindings:
        known = newest.get(binding.name)
        if known is None or binding.expires_at >= known.expires_at:
            newest[binding.name] = binding
    return list(newest.values())
