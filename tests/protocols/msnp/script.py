"""Reads the recorded exchanges in tests/transcripts and plays their client side with our machines."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from opencpm.protocols.msnp import commands, events, payload
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, FrameReader, Sender, unquote
from opencpm.protocols.msnp.notification import NotificationClient, SignOn
from opencpm.protocols.msnp.switchboard import SwitchboardClient

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

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.clients: dict[str, Client] = {}
        self.old: dict[str, Client] = {}
        self.refused: list[str] = []
        self.now = 1000.0

    def play(self, steps: list[Step]) -> None:
        for at, step in enumerate(steps):
            if step.name == "HTTP":
                continue
            self.now += 0.1
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
            cvr = next(step.line for step in rest if step.line.startswith("CVR"))
            on = SignOn(cvr.split(" ")[-1], (self.dialect,), capabilities=1073741824)
            machine: NotificationClient | SwitchboardClient = NotificationClient(on)
        else:
            machine = SwitchboardClient(first[2], first[3], *first[4:5])
        self.clients[name] = Client(machine)
        machine.start(self.now)

    def hear(self, step: Step) -> None:
        client = self.clients[step.name]
        if step.line.startswith("OUT OTH"):
            client = self.old[step.name]
        elif step.kind == "eof" and step.name in self.old:
            client = self.old.pop(step.name)
        if step.kind == "eof":
            client.told += client.machine.receive_eof(self.now)
        else:
            client.told += client.machine.receive(step.data, self.now)
        client.pump()

    def say(self, step: Step) -> None:
        client = self.clients[step.name]
        client.pump()
        if step.data not in client.octets:
            try:
                self.owner(client, step)
            except MsnpError as error:
                self.refused.append(f"{step.line}: {error}")
                return
            client.pump()
        if step.line.startswith("UUX"):
            return  # the personal message of the recording; we publish none
        assert step.data in client.octets, f"expected {step.data!r}, said {client.octets!r}"
        client.octets.remove(step.data)

    def owner(self, client: Client, step: Step) -> None:
        """What the owner of the machine has to call so that it says this line."""
        words = step.line.split(" ")
        machine, now = client.machine, self.now
        if isinstance(machine, SwitchboardClient):
            self.switchboard_owner(machine, words, step.data.partition(b"\r\n")[2])
        elif words[0] == "USR":
            machine.ticket(words[4], now)
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


__all__ = ["Client", "Player", "Step", "events", "read"]
