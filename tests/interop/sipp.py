"""SIPp: its scenarios, made of steps, and running them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.house import DOMAIN, HOST, free_port
from tests.interop.programs import Program, running

RCS = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session,urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"
VIA = "SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport"
PASSED = 0


@dataclass(frozen=True)
class User:
    """Who a scenario plays, and how it proves it."""

    name: str
    password: str

    @property
    def authentication(self) -> str:
        return f"[authentication username={self.name} password={self.password}]\n"

    def register(self, cseq: int, *, proof: bool = False, contact: str = "", expires: int = 600) -> str:
        target = f"<sip:{self.name}@[local_ip]:[local_port];transport=[transport]>"
        return send(
            f"REGISTER sip:{DOMAIN} SIP/2.0",
            [
                ("From", f"<sip:{self.name}@{DOMAIN}>;tag=r[pid][call_number]"),
                ("To", f"<sip:{self.name}@{DOMAIN}>"),
                ("Call-ID", "[call_id]"),
                ("CSeq", f"{cseq} REGISTER"),
                ("Contact", target + contact),
                ("Expires", str(expires)),
                ("Supported", "path, gruu"),
            ],
            self.authentication if proof else "",
        )

    def message(
        self,
        cseq: int,
        to: str,
        body: str,
        *,
        proof: bool = False,
        content_type: str = "text/plain;charset=UTF-8",
        branch: str = "[branch]",
        call_id: str = "[call_id]",
        fields: tuple[tuple[str, str], ...] = (),
    ) -> str:
        return send(
            f"MESSAGE {_uri(to)} SIP/2.0",
            [
                ("From", f"<sip:{self.name}@{DOMAIN}>;tag=m[pid][call_number]"),
                ("To", f"<{_uri(to)}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} MESSAGE"),
                *fields,
                ("Content-Type", content_type),
            ],
            self.authentication if proof else "",
            body,
            branch=branch,
        )

    def invite(self, cseq: int, to: str, sdp: str, *, proof: bool = False) -> str:
        return send(
            f"INVITE sip:{to}@{DOMAIN} SIP/2.0",
            [*self._dialog(to, f"{cseq} INVITE"), ("Content-Type", "application/sdp")],
            self.authentication if proof else "",
            sdp,
        )

    def within(self, method: str, cseq: int, to: str) -> str:
        """ACK and BYE of the session that the last 200 opened; ACK of a refusal takes the To of that."""
        fields = self._dialog(to, f"{cseq} {method}", tag="[peer_tag_param]")
        return send(f"{method} [next_url] SIP/2.0", fields, retry=method != "ACK")

    def refused(self, cseq: int, to: str) -> str:
        """The ACK that ends a refused INVITE: of the same transaction (RFC 3261 §17.1.1.3)."""
        fields = self._dialog(to, f"{cseq} ACK", tag="[peer_tag_param]")
        return send(f"ACK sip:{to}@{DOMAIN} SIP/2.0", fields, branch="[branch-2]", retry=False)

    def _dialog(self, to: str, cseq: str, tag: str = "") -> list[tuple[str, str]]:
        return [
            ("From", f"<sip:{self.name}@{DOMAIN}>;tag=i[pid][call_number]"),
            ("To", f"<sip:{to}@{DOMAIN}>{tag}"),
            ("Call-ID", "[call_id]"),
            ("CSeq", cseq),
            ("Contact", f"<sip:{self.name}@[local_ip]:[local_port];transport=[transport]>"),
        ]


def _uri(to: str) -> str:
    """A URI as it is, or that of a user of ours."""
    return to if ":" in to else f"sip:{to}@{DOMAIN}"


def send(
    start: str,
    fields: list[tuple[str, str]],
    authentication: str = "",
    body: str = "",
    *,
    branch: str = "[branch]",
    retry: bool = True,
) -> str:
    """One request, repeated from 100 ms on while it stays without an answer."""
    head = [start, f"Via: {VIA.format(branch=branch)}"]
    if not any(name == "Max-Forwards" for name, _ in fields):
        head.append("Max-Forwards: 70")
    head += [f"{name}: {value}" for name, value in fields]
    text = "\n".join(head) + f"\n{authentication}Content-Length: [len]\n\n{body}"
    retrans = ' retrans="100"' if retry else ""
    end = "" if body else "\n"
    return f"<send{retrans}><![CDATA[\n{text}{end}]]></send>"


def expect(status: int, *, challenge: bool = False, lost: int = 0, **fields: str) -> str:
    """A final response, with fields that match. `lost`: percent of them that SIPp lets fall."""
    attributes = ' auth="true"' if challenge else ""
    attributes += ' rrs="true"' if status == 200 else ""
    attributes += f' lost="{lost}"' if lost else ""
    return f'<recv response="{status}"{attributes}>{_checks(fields)}</recv>'


def perhaps(status: int) -> str:
    return f'<recv response="{status}" optional="true"/>'


def take(method: str, *statuses: str, contains: str = "", **fields: str) -> str:
    """A request that must match, and our answers: 200 unless others are given ("180 Ringing")."""
    answers = [
        f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=t[pid][call_number]\n[last_Call-ID:]\n"
        "[last_CSeq:]\nContact: <sip:[local_ip]:[local_port];transport=[transport]>\nContent-Length: 0\n\n"
        for status in statuses or ("200 OK",)
    ]
    sends = "".join(f"<send><![CDATA[\n{answer}\n]]></send>" for answer in answers)
    return f'<recv request="{method}">{_checks(fields, contains)}</recv>{sends}'


def acknowledged() -> str:
    return '<recv request="ACK"/>'


def pause(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>'


def _checks(fields: dict[str, str], contains: str = "") -> str:
    wanted = [('hdr" header="' + name.replace("_", "-") + ":", value) for name, value in fields.items()]
    if contains:
        wanted.append(("msg", contains))
    if not wanted:
        return ""
    found = [
        f'<ereg regexp="{pattern}" search_in="{where}" check_it="true" assign_to="v{number}"/>'
        for number, (where, pattern) in enumerate(wanted)
    ]
    used = "".join(f'<log message="[$v{number}]"/>' for number in range(len(wanted)))
    return f"<action>{''.join(found)}{used}</action>"


def scenario(home: Path, name: str, *steps: str) -> Path:
    path = home / f"{name}.xml"
    path.write_text(f'<?xml version="1.0"?>\n<scenario name="{name}">\n' + "\n".join(steps) + "\n</scenario>\n")
    return path


@asynccontextmanager
async def sipp(path: Path, server: int, *more: str, transport: str = "u1") -> AsyncIterator[Program]:
    """A running SIPp on loopback alone; its files lie beside the scenario."""
    command = [
        *("sipp", f"{HOST}:{server}", "-sf", path.name, "-t", transport, "-i", HOST, "-mi", HOST, "-ci", HOST),
        *("-cp", str(free_port()), "-nostdin", "-nd", "-timeout", "20s", "-timeout_error", "-recv_timeout", "8000"),
        *("-trace_err", "-error_file", f"{path.stem}.errors", *more),
    ]
    async with running(*command, home=path.parent) as program:
        yield program


async def run(path: Path, server: int, *more: str, transport: str = "u1", calls: int = 1, rate: int = 10) -> None:
    """Run a scenario so many times. Raises AssertionError, with what SIPp complained of, unless each succeeded."""
    bounds = ("-m", str(calls), "-r", str(rate), "-l", str(calls))
    async with sipp(path, server, *bounds, *more, transport=transport) as program:
        status = await program.ended(30)
        assert status == PASSED, _complaint(path, program)


def _complaint(path: Path, program: Program) -> str:
    errors = path.with_suffix(".errors")
    return (errors.read_text(errors="replace") if errors.exists() else "") + re.sub(r"\x1b\S*", "", program.said)[
        -2000:
    ]
