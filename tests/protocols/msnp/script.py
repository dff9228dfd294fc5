"""Reads the recorded exchanges in tests/transcripts and plays their client side with our machines."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from opencpm.protocols.msnp import commands, dialects, events, md5login, membership, payload, personal
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, FrameReader, Sender, unquote
from opencpm.protocols.msnp.notification import NotificationClient, SignOn, State
from opencpm.protocols.msnp.switchboard import SwitchboardClient

PASSWORDS = {"alice": "123456", "bob": "123456", "carol": "wrong"}  # carol's in those recordings that show a refusal
TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


class Step(NamedTuple):
    """One line of a recording: on which connection, `C`, `S`, `connect` or `eof`, and the octets."""

    name: str
    kind: str
    line: str
    data: bytes


def read(file: str) -> list[Step]:
    """All steps of a recording, the HTTP side connections as name `HTTP`."""
    steps: list[Step] = []
    name = ""
    lines = (TRANSCRIPTS / file).read_text(encoding="utf-8").split("\n")
    while lines:
        line = lines.pop(0)
        if line.startswith("# [HTTP"):
            name = "HTTP"
        elif line.startswith("# ["):
            name = line[3:-1]
        elif line.startswith("# TCP connect"):
            steps.append(Step(name, "connect", line, b""))
        elif line.startswith("# EOF"):
            steps.append(Step(name, "eof", line, b""))
        elif line[:3] in ("C: ", "S: "):
            body: list[str] = []
            while lines and lines[0].startswith("    "):
                body.append(lines.pop(0)[4:])
            steps.append(Step(name, line[0], line[3:], _octets(line[3:], body, name)))
    return steps


def _octets(line: str, body: list[str], name: str) -> bytes:
    """The command as it was on the wire; payloads that the recording shortened are filled up."""
    if name == "HTTP":
        return "\n".join(body).encode()
    data = "\r\n".join(body).encode()
    count = line.rsplit(" ", 1)[-1]
    if body or count == "0":
        data = data[: int(count)].ljust(int(count), b"x")
    return line.encode() + b"\r\n" + data


@dataclass
class Client:
    """One of our machines, with what it said and what it told."""

    machine: NotificationClient | SwitchboardClient
    said: list[Frame] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    octets: list[bytes] = field(default_factory=list)

    def pump(self) -> None:
        data = self.machine.take()
        while data:
            one = FrameReader(Sender.CLIENT)
            for end in range(1, len(data) + 1):
                if one.feed(data[end - 1 : end]):
                    break
            self.octets.append(data[:end])
            data = data[end:]

    def of(self, kind: type) -> list[object]:
        return [event for event in self.told if isinstance(event, kind)]


class Player:
    """Plays a recording: every `C:` line must be said by our machine, every `S:` line is fed to it."""

    def __init__(self, dialect: str, piece: int = 0) -> None:
        self.dialect = dialect
        self.piece = piece  # octets read at a time; 0: each line as a whole
        self.clients: dict[str, Client] = {}
        self.old: dict[str, Client] = {}
        self.refused: list[str] = []
        self.rest: list[Step] = []
        self.now = 1000.0

    def play(self, steps: list[Step]) -> None:
        for at, step in enumerate(steps):
            if step.name == "HTTP":
                continue
            self.now += 0.1
            self.rest = [later for later in steps[at:] if later.name == step.name]
            if step.kind == "connect":
                self.connect(step.name, steps[at + 1 :])
            elif step.kind == "C":
                self.say(step)
            else:
                self.hear(step)

    def connect(self, name: str, rest: list[Step]) -> None:
        if name not in [step.name for step in rest[:1]]:
            name = rest[0].name
        if name in self.clients:
            self.old[name] = self.clients[name]
        first = rest[0].line.split(" ")
        if first[0] == "VER":
            machine: NotificationClient | SwitchboardClient = NotificationClient(self.sign_on(name, rest))
        else:
            address, _, place = first[2].partition(";")
            machine = SwitchboardClient(address, first[3], *first[4:5], machine=place)
        self.clients[name] = Client(machine)
        machine.start(self.now)

    def sign_on(self, name: str, rest: list[Step]) -> SignOn:
        """The recorded client, as far as it may choose: version, capabilities, machine, personal message."""
        own = [step for step in rest if step.name == name and step.kind == "C"]
        cvr = next(step.line for step in own if step.line.startswith("CVR")).split(" ")
        usr = [step.line.split(" ") for step in own if " SSO S " in step.line]
        caps, _, extended = _field(own, "CHG", 3).partition(":")
        before = next((at for at, step in enumerate(own) if step.line.startswith("CHG")), 0)
        said = [personal.parse(step.data.partition(b"\r\n")[2]) for step in own[:before] if step.line[:3] == "UUX"]
        return SignOn(
            cvr[-1],
            (self.dialect,),
            capabilities=int(caps or 0),
            extended=int(extended or 0),
            client=tuple(cvr[2:-1]),
            machine=usr[0][6] if usr and len(usr[0]) > 6 else "",
            message=said[0] if said else None,
        )

    def hear(self, step: Step) -> None:
        client = self.clients[step.name]
        if step.line.startswith("OUT OTH"):
            client = self.old[step.name]
        elif step.kind == "eof" and step.name in self.old:
            client = self.old.pop(step.name)
        if step.kind == "eof":
            client.told += client.machine.receive_eof(self.now)
        else:
            size = self.piece or len(step.data)
            for at in range(0, len(step.data), size):
                client.told += client.machine.receive(step.data[at : at + size], self.now)
        client.pump()

    def say(self, step: Step) -> None:
        client = self.clients[step.name]
        client.pump()
        data = _with_our_capabilities(step, client)
        if data not in client.octets:
            try:
                self.owner(client, step)
            except MsnpError as error:
                self.refused.append(f"{step.line}: {error}")
                return
            client.pump()
        assert data in client.octets, f"expected {data!r}, said {client.octets!r}"
        client.octets.remove(data)

    def owner(self, client: Client, step: Step) -> None:
        """What the owner of the machine has to call so that it says this line."""
        words = step.line.split(" ")
        machine, now = client.machine, self.now
        if isinstance(machine, SwitchboardClient):
            self.switchboard_owner(machine, words, step.data.partition(b"\r\n")[2])
        elif words[0] == "USR" and words[2] == "MD5":
            (wanted,) = client.of(events.TicketWanted)
            machine.ticket(md5login.response(wanted.parameters, PASSWORDS[step.name.partition("-")[0]]), now)
        elif words[0] == "USR":
            machine.ticket(words[4], now, words[5] if len(words) > 5 else "")
        elif words[0] in ("BLP", "ADL") and machine.state is State.LISTS:
            self.address_book(machine)
        elif words[0] in _WITH_PAYLOAD:
            self.payload_owner(machine, words, step.data.partition(b"\r\n")[2])
        elif words[0] == "CHG":
            machine.status(words[2], now)
        elif words[0] == "XFR":
            machine.switchboard(now)
        elif words[0] in ("ADC", "ADD"):
            fields, plain = commands.keyed_fields(tuple(words[3:]))
            address, name = fields.get("N") or plain[0], fields.get("F") or plain[-1] if plain or "F" in fields else ""
            machine.add(commands.Lists[words[2]], address, unquote(name), now)
        elif words[0] == "OUT":
            machine.sign_off(now)

    def address_book(self, machine: NotificationClient) -> None:
        """What the recorded client knew from the web services, seen from what it sent afterwards."""
        own = [step for step in self.rest if step.kind == "C"]
        members = membership.parse(next(step for step in own if step.line[:3] == "ADL").data.partition(b"\r\n")[2])
        contacts = [commands.Contact(member.address, "", member.lists) for member in members]
        privacy, name = _field(own, "BLP", 2), unquote(_field(own, "PRP", 3))
        machine.lists(contacts, self.now, privacy=privacy, name=name)

    def payload_owner(self, machine: NotificationClient, words: list[str], data: bytes) -> None:
        if words[0] == "UUX":
            machine.personal_message(personal.parse(data), self.now)
        elif words[0] == "UUM":
            machine.offline_text(words[2], payload.decode_text(payload.parse(data)), self.now)
        else:
            (member,) = membership.parse(data)
            if words[0] == "ADL":
                machine.add(member.lists, member.address, "", self.now)
            else:
                machine.change.look_up(member.address, self.now)

    def switchboard_owner(self, machine: SwitchboardClient, words: list[str], data: bytes) -> None:
        if words[0] == "CAL":
            machine.call(words[2], self.now)
        elif words[0] == "OUT":
            machine.leave(self.now)
        elif words[0] == "MSG":
            said = payload.parse(data)
            if said.content_type == payload.CONTROL:
                machine.typing(self.now)
            elif said.content_type == payload.DATACAST:
                machine.send(payload.nudge(), words[2], self.now)
            elif words[2] == "A":
                machine.text(payload.decode_text(said), self.now)
            else:
                machine.send(payload.text(payload.decode_text(said)), words[2], self.now)


_WITH_PAYLOAD = ("UUX", "UUM", "ADL", "FQY")


def _field(steps: list[Step], verb: str, at: int) -> str:
    """A field of the first line of a verb, empty when there is none."""
    found = next((step.line.split(" ") for step in steps if step.line.startswith(verb)), [])
    return found[at] if len(found) > at else ""


def _with_our_capabilities(step: Step, client: Client) -> bytes:
    """CHG with the capabilities of the sign-on: the recorded client changed its mind about them on the way."""
    words = step.line.split(" ")
    if words[0] != "CHG" or len(words) < 4 or not isinstance(client.machine, NotificationClient):
        return step.data
    me = client.machine._me
    caps = str(me.capabilities)
    if dialects.has_places(client.machine.dialect):
        caps += f":{me.extended}"
    return " ".join([*words[:3], caps]).encode() + b"\r\n"


__all__ = ["Client", "Player", "Step", "events", "read"]
