"""Verifies signatures with dkimpy, under the Python that has it. Each line that comes in is JSON: `mail` (base64) and `dns` (host:port); a
line of JSON goes out: what is said of each DKIM-Signature, from the first on, and by which words a failure is explained."""

import base64
import json
import sys

import dkim
import dns.resolver


def main() -> None:
    for line in sys.stdin:
        told = json.loads(line)
        mail = base64.b64decode(told["mail"])
        found = dkim.DKIM(mail)
        count = sum(name.lower() == b"dkim-signature" for name, _ in found.headers)
        print(json.dumps([verdict(mail, number, told["dns"]) for number in range(count)]), flush=True)


def verdict(mail: bytes, number: int, server: str) -> str:
    host, port = server.split(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 3.0

    def text(name: bytes, timeout: int = 5) -> bytes | None:
        try:
            (record,) = resolver.resolve(name.decode(), "TXT")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        return b"".join(record.strings)

    try:
        return "good" if dkim.DKIM(mail).verify(number, dnsfunc=text) else "bad"
    except dkim.DKIMException as error:
        return f"{type(error).__name__}: {error}"


main()
