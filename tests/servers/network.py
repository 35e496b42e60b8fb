"""Ports and certificates for servers that tests start on the loopback address."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Tls:
    """A certificate authority of the test's own, and a server certificate for 127.0.0.1 and localhost."""

    ca_file: Path
    cert_file: Path
    key_file: Path

    @classmethod
    def make(cls, folder: Path) -> Tls:
        """Writes the three files into the folder."""
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        made = cls(folder / "ca.pem", folder / "server.pem", folder / "server.key")
        authority.cert_pem.write_to_path(str(made.ca_file))
        server.private_key_pem.write_to_path(str(made.key_file))
        for place, blob in enumerate(server.cert_chain_pems):
            blob.write_to_path(str(made.cert_file), append=place > 0)
        return made


def free_port() -> int:
    """Gives a port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
