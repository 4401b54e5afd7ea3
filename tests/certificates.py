"""An authority of our own for tests of TLS, trusted by nobody else."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """A certificate authority whose own certificate lies in the file `ca_file`."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.ca_file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))

    def server(self, *names: str) -> Path:
        """A PEM file with key and chain for a server of these names or addresses; wrong names make a wrong host."""
        file = self._folder / f"{'-'.join(names).replace(':', '_')}.pem"
        self._authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(file))
        return file


def server_context(pem: Path) -> ssl.SSLContext:
    """The server's side of TLS with a file made by `Authority.server`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
