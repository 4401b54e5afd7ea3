"""What a relay was learned to take: limits that it never announces and shows only by refusing what is beyond them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Limits of the relay, found out by meeting them.

    `connections`: so many it takes at a time, of all sending processes together. `per_connection`: so many mails it takes on one
    connection. None: no such limit was met. `behind_dot`: whether the commands of the next mail may be written behind the final dot
    of one (RFC 2920 section 3.1); some relays announce PIPELINING and refuse that.
    """

    connections: int | None = None
    per_connection: int | None = None
    behind_dot: bool = True


NONE_KNOWN = RelayLimits()
