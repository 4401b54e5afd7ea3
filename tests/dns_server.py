"""A DNS server on loopback whose zone is a dict; it can be silent, fail, or say that it does not know."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from dnslib import AAAA, CNAME, MX, PTR, QTYPE, RCODE, RD, RR, TXT, A
from dnslib.server import BaseResolver, DNSServer, UDPServer

SILENT, SERVFAIL, REFUSED = "silent", "servfail", "refused"
Zone = Mapping[tuple[str, str], Sequence[str] | str]
"""What is known of (name in ASCII, kind of record): the records as texts, or one of the three words."""

_MADE = {"A": A, "AAAA": AAAA, "PTR": PTR, "CNAME": CNAME}


class _Answers(BaseResolver):
    def __init__(self, zone: Zone, asked: list[tuple[str, str]]) -> None:
        self.zone, self.asked = zone, asked

    def resolve(self, request, handler):
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked.append((name, kind))
        reply = request.reply()
        for _ in range(10):
            found = self.zone.get((name, kind), self.zone.get((name, "*"), ()))
            alias = self.zone.get((name, "CNAME"))
            if not alias or kind == "CNAME":
                break
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(alias[0]), ttl=60))
            name = alias[0]
        if found == SILENT:
            raise TimeoutError("no answer is sent")
        if found in (SERVFAIL, REFUSED):
            reply.header.rcode = RCODE.SERVFAIL if found == SERVFAIL else RCODE.REFUSED
            return reply
        if not any(known == name or known.endswith(f".{name}") for known, _ in self.zone):
            reply.header.rcode = RCODE.NXDOMAIN
        for text in found:
            reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=_rdata(kind, text), ttl=60))
        return reply


def _rdata(kind: str, text: str) -> RD:
    if kind == "TXT":
        octets = text.encode()
        return TXT([octets[begin : begin + 255] for begin in range(0, max(len(octets), 1), 255)])
    if kind == "MX":
        preference, host = text.split(" ")
        return MX(host, int(preference))
    return _MADE[kind](text)


class _QuietServer(UDPServer):
    def handle_error(self, request, client_address) -> None:
        """What is silent on purpose is no error."""


@contextmanager
def dns_server(zone: Zone) -> Iterator[tuple[tuple[str, int], list[tuple[str, str]]]]:
    """Address and port of a server that answers from `zone`, also from what is put there later, and the list of what it was asked."""
    asked: list[tuple[str, str]] = []
    server = DNSServer(_Answers(zone, asked), address="127.0.0.1", port=0, server=_QuietServer, logger=_NoLog())
    server.server.daemon_threads = True
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield ("127.0.0.1", server.server.server_address[1]), asked
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join(5)


class _NoLog:
    def __getattr__(self, _name):
        return lambda *_arguments: None
