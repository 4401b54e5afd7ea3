"""An authority of our own for tests of TLS, trusted by nobody else."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme


class Authority:
    """A certificate authority whose own certificate lies in the file `ca_file`."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.ca_file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))

    def server(self, *names: str, until: datetime | None = None) -> Path:
        """A PEM file with key and chain for a server of these names or addresses; wrong names make a wrong host, an `until` in the past an
        expired certificate."""
        file = self._folder / f"{'-'.join(names).replace(':', '_')}{'-old' if until else ''}.pem"
        begin = datetime(2000, 1, 1, tzinfo=UTC) if until else None
        issued = self._authority.issue_cert(*names, not_before=begin, not_after=until)
        issued.private_key_and_cert_chain_pem.write_to_path(str(file))
        return file

    def itself(self) -> Path:
        """The same with its own key and certificate, which nobody but it has signed."""
        file = self._folder / "itself.pem"
        self._authority.private_key_pem.write_to_path(str(file))
        self._authority.cert_pem.write_to_path(str(file), append=True)
        return file


def server_context(pem: Path) -> ssl.SSLContext:
    """The server's side of TLS with a file made by `Authority.server`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
