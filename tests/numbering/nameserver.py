"""A name server of one zone on loopback, made of dnspython: NAPTR records by number, and silence on demand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from opencpm.protocols.e164_enum import domain_of


class NameServer(asyncio.DatagramProtocol):
    def __init__(self):
        self.records = {}  # domain -> (ttl, records as text)
        self.asked = []
        self.silent = self.broken = False
        self.garbage = b""  # sent instead of an answer, after the query's own id
        self.held = None  # list of answers kept back

    def number(self, number, *naptrs, ttl=300):
        self.records[domain_of(number)] = (ttl, naptrs)

    def connection_made(self, transport):
        self.transport = transport

    @property
    def address(self):
        host, port = self.transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def datagram_received(self, data, peer):
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text().rstrip(".")
        self.asked.append(name)
        if self.silent:
            return
        if self.garbage:
            self.transport.sendto(data[:2] + self.garbage, peer)
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name in self.records:
            ttl, naptrs = self.records[name]
            answer.answer.append(dns.rrset.from_text(query.question[0].name, ttl, "IN", "NAPTR", *naptrs))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if self.held is None:
            self.transport.sendto(answer.to_wire(), peer)
        else:
            self.held.append((answer.to_wire(), peer))

    def release(self):
        for wire, peer in self.held:
            self.transport.sendto(wire, peer)
        self.held = None


def pstn(uri, service="E2U+pstn:tel", order=100, preference=10):
    return f'{order} {preference} "u" "{service}" "!^.*$!{uri}!" .'


@asynccontextmanager
async def nameserver():
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
