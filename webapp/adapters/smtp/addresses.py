"""Where the relay is."""

import socket

from webapp.adapters.smtp.wire import Address

KEPT_SECONDS = 60.0


class RelayAddresses:
    """The addresses behind a name and a port, as they were last found."""

    def __init__(self, host: str, port: int) -> None:
        self.known: list[Address] = []
        self._host, self._port = host, port
        self._found_at = 0.0

    def look_up(self, now: float, *, is_busy: bool) -> str | None:
        """Look the addresses up again when `known` is older than KEPT_SECONDS. That blocks, so `known` stays while mails are under way
        (`is_busy`), and while the name cannot be looked up. Returns None, or in words why there is no address."""
        if self.known and (is_busy or now - self._found_at <= KEPT_SECONDS):
            return None
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            return None if self.known else f"cannot find {self._host}: {getattr(error, 'strerror', None) or error}"
        self.known, self._found_at = [(family, target) for family, _, _, _, target in found], now
        return None
