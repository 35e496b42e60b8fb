"""A simulated org under its own name and TLS, for clients that know nothing of simulators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
import trustme
from requests.adapters import HTTPAdapter

from rotator.simulator import Running, start

MY_DOMAIN = "acme.my.salesforce.com"
DATA = "/services/data/v65.0"


@dataclass(frozen=True)
class ServedOrg:
    """A running simulator, what its admin door tells of the org, and the authority behind its certificate."""

    running: Running
    told: dict[str, Any]
    ca_file: Path
    sessions: list[requests.Session] = field(default_factory=list)

    @property
    def port(self) -> int:
        return urlsplit(self.running.org_url).port or 443

    @property
    def admin(self) -> tuple[str, str]:
        """The pair of the rotator's own app."""
        return self.told["admin"]["client_id"], self.told["admin"]["client_secret"]

    @property
    def staged_path(self) -> str:
        """The staged slot of the app `billing`."""
        billing = self.told["apps"]["billing"]
        return f"{DATA}/apps/oauth/credentials/{billing['app_id']}/{billing['consumer_id']}/staged"

    @property
    def pair(self) -> tuple[str, str]:
        billing = self.told["apps"]["billing"]
        return billing["client_id"], billing["client_secret"]


@contextmanager
def served_org(folder: Path, **options: Any) -> Iterator[ServedOrg]:
    """Serves https on a free port of the loopback address, with a certificate for My Domain too."""
    authority = trustme.CA()
    server = authority.issue_cert(MY_DOMAIN, "127.0.0.1", "localhost")
    cert, key, ca = folder / "server.pem", folder / "server.key", folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    server.private_key_pem.write_to_path(str(key))
    for place, blob in enumerate(server.cert_chain_pems):
        blob.write_to_path(str(cert), append=place > 0)
    with start(tls_cert=str(cert), tls_key=str(key), **options) as running:
        world = httpx.get(f"{running.admin_url}/world", trust_env=False).json()
        org = ServedOrg(running, world["orgs"]["acme"], ca)
        yield org
        for session in org.sessions:
            session.close()


class Mapped(HTTPAdapter):
    """Sends what is meant for My Domain to the loopback port; TLS still asks for My Domain's certificate."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Mapping[str, str] | None = None, cert: Any = None
    ) -> Any:
        """A pool at the loopback port whose server must prove to be the host of the URL."""
        host = urlsplit(request.url or "").hostname
        request.headers["Host"] = str(host)
        _, attributes = self.build_connection_pool_key_attributes(request, verify, cert)
        tls: dict[str, Any] = {**attributes, "server_hostname": host, "assert_hostname": host}
        return self.poolmanager.connection_from_host("127.0.0.1", self.port, "https", pool_kwargs=tls)


def session_to(org: ServedOrg) -> requests.Session:
    """A requests session that finds My Domain at the simulator, and believes its authority only."""
    session = requests.Session()
    org.sessions.append(session)
    session.trust_env = False
    session.verify = str(org.ca_file)
    session.mount(f"https://{MY_DOMAIN}", Mapped(org.port))
    return session
