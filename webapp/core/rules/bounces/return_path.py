"""Return paths that name the delivery (VERP: variable envelope return paths), so that even a bounce that says nothing is known by where it
comes to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from webapp.core.errors import Invalid
from webapp.core.rules.addresses import Unusable, usable

PLACE = "*"
LONGEST_LOCAL = 64
"""Octets before the @ (RFC 5321 section 4.5.3.1.1)."""
TOKEN_ROOM = 45
"""Characters that a token may take."""


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """A pattern of return paths: a token stands between `before` and `after`, which ends in the domain.

    >>> ReturnPath.of("bounce@mail.example.com").address("k7q")
    'bounce+k7q@mail.example.com'
    """

    before: str
    after: str

    @classmethod
    def of(cls, text: str) -> "ReturnPath":
        """From an address: the token's place is `*`, or behind a + at the end of its local part. Raises Invalid, saying why."""
        local, at, domain = text.strip().rpartition("@")
        if at and PLACE not in local:
            local = f"{local}+{PLACE}"
        before, _, behind = local.partition(PLACE)
        checked = usable(f"{before}x{behind}@{domain}")
        if not before.rstrip("+-=._") or isinstance(checked, Unusable) or not checked.address.isascii():
            problem = (
                checked.problem
                if isinstance(checked, Unusable)
                else "it is to be plain, with something before the token"
            )
            raise Invalid(
                f"{text!r} cannot be the address for bounces: {problem}. Use one such as bounce@mail.example.com."
            )
        if len(before) + len(behind) + TOKEN_ROOM > LONGEST_LOCAL:
            raise Invalid(
                f"{text!r} leaves no room for a token: use at most {LONGEST_LOCAL - TOKEN_ROOM} letters before the @."
            )
        return cls(before, f"{behind}@{checked.address.rpartition('@')[2]}")

    @property
    def domain(self) -> str:
        return self.after.rpartition("@")[2]

    @classmethod
    def of_setting(cls, address: str | None) -> "ReturnPath | None":
        """The same for a setting that may be left out."""
        return cls.of(address) if address else None

    @property
    def plain(self) -> str:
        """The address without a token, which complaints may be sent to."""
        return f"{self.before.rstrip('+-=._')}{self.after}"

    def address(self, token: str) -> str:
        """The return path of the mail that the token names."""
        return f"{self.before}{token}{self.after}"

    def token_in(self, address: str) -> str | None:
        """The token in an address, in lower case, since servers may change it; None for an address that is none of these."""
        address, before, after = address.strip("<> ").lower(), self.before.lower(), self.after.lower()
        if len(address) > 320 or not (address.startswith(before) and address.endswith(after)):
            return None
        token = address[len(before) : len(address) - len(after)]
        return token if token and "@" not in token else None

    def delivery_in(self, addresses: Iterable[str], token_reader: Callable[[str], int | None]) -> int | None:
        """The delivery that the first of these addresses names whose token `token_reader` knows."""
        tokens = (self.token_in(address) for address in addresses)
        found = (token_reader(token) for token in tokens if token)
        return next((delivery for delivery in found if delivery is not None), None)
