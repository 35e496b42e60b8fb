"""The listener on TCP: TLS alone, for named tokens and client certificates."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.acceptance.scene import Door
from tests.control.served import Served

TOKEN = "5e" * 32
VIEWER = "7a" * 32


def free_port() -> int:
    """A port of loopback that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Tls:
    """An authority for the server and one for its clients, as files."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        server, self.clients, self.stranger = trustme.CA(), trustme.CA(), trustme.CA()
        made = server.issue_cert("127.0.0.1")
        made.cert_chain_pems[0].write_to_path(folder / "control.pem")
        made.private_key_pem.write_to_path(folder / "control.key")
        self.clients.cert_pem.write_to_path(folder / "clients-ca.pem")
        self.context = ssl.create_default_context()
        server.configure_trust(self.context)
        self.server, self.folder = server, folder

    def config(self) -> str:
        """The lines of `[control]`."""
        return (f'listen = "127.0.0.1:{self.port}"\ncert_file = "control.pem"\nkey_file = "control.key"\n'
                'tokens_file = "control-tokens"\nca_file = "clients-ca.pem"\n'
                'certificates = { "ci.example.com" = "rotate" }\n')  # fmt: skip

    def client(self, token: str = "", issuer: trustme.CA | None = None, name: str = "ci.example.com") -> httpx.Client:
        """HTTPS to the daemon, with a token or a certificate."""
        context = ssl.create_default_context()
        self.server.configure_trust(context)
        if issuer is not None:
            issuer.issue_cert(name).configure_cert(context)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=context, headers=headers, timeout=20,
                            trust_env=False)  # fmt: skip


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Certificates."""
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def scene(door: Door, tls: Tls) -> Iterator[Served]:
    """A daemon that listens on TCP too."""
    served = Served(door, tls.folder)
    served.more = tls.config()
    served.secret_file("control-tokens", tokens(TOKEN, VIEWER))
    (tls.folder / "control.key").chmod(0o600)
    served.configure()
    with served.running():
        yield served


def tokens(rotator: str, viewer: str) -> str:
    """The file of these two."""
    lines = (("ci", "rotate", rotator), ("board", "view", viewer))
    return "".join(f"{name} {role} {hashlib.sha256(token.encode()).hexdigest()}\n" for name, role, token in lines)


def test_a_token_names_the_caller(scene: Served, tls: Tls) -> None:
    """Its name is the actor, the origin is `tcp`; a viewer may not change anything, and the refusal is a row."""
    with tls.client(TOKEN) as client:
        assert client.post("/pause", json={"all": True}).json()["pauses"][0]["actor"] == "ci"
        assert client.post("/resume", json={"all": True}).status_code == 200
    with tls.client(VIEWER) as client:
        assert client.get("/status").status_code == 200
        refused = client.post("/pause", json={"all": True})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "not_permitted")
    rows = [e for e in scene.json("history").told["events"] if e["step"] in ("pause", "refused_command")]
    assert [(e["actor"], e["origin"], e["outcome"]) for e in rows] == [("ci", "tcp", "ok"), ("board", "tcp", "refused")]


def test_a_client_certificate_names_the_caller(scene: Served, tls: Tls) -> None:
    """One of our authority and of a name that is listed; another name is nobody."""
    with tls.client(issuer=tls.clients) as client:
        assert client.post("/pause", json={"app": "orders"}).json()["pauses"][0]["actor"] == "ci.example.com"
        assert client.post("/resume", json={"app": "orders"}).status_code == 200
    with tls.client(issuer=tls.clients, name="other.example.com") as client:
        assert client.get("/status").status_code == 401


def test_whoever_is_not_known_gets_nothing(scene: Served, tls: Tls) -> None:
    """No token, a wrong one: 401 in the contract's shape. A certificate of another authority: no connection. Alive and
    ready are told to anybody."""
    for token in ("", "0" * 64, TOKEN[:-1], "x" * 5000):
        with tls.client(token) as client:
            got = client.get("/status")
        assert (got.status_code, got.json()["errors"][0]["code"], got.json()["exit"]) == (401, "unknown_caller", 2)
    with tls.client(issuer=tls.stranger) as client, pytest.raises(httpx.TransportError):
        client.get("/status")
    with tls.client() as client:
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_a_token_that_was_struck_out_is_refused_without_a_restart(scene: Served, tls: Tls) -> None:
    """The file is read at each call."""
    with tls.client(VIEWER) as client:
        assert client.get("/status").status_code == 200
        scene.secret_file("control-tokens", tokens(TOKEN, "9b" * 32))
        assert client.get("/status").status_code == 401
    scene.secret_file("control-tokens", tokens(TOKEN, VIEWER))


def test_plain_http_is_not_spoken(scene: Served, tls: Tls) -> None:
    """A client without TLS gets no answer, and one that only connects is cut."""
    with httpx.Client(base_url=f"http://127.0.0.1:{tls.port}", trust_env=False) as client, \
            pytest.raises(httpx.TransportError):  # fmt: skip
        client.get("/healthz")
    with socket.create_connection(("127.0.0.1", tls.port), 10) as mute:
        mute.settimeout(10)
        assert mute.recv(1) == b""


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('listen = "127.0.0.1:8443"', "TLS only"), ('listen = "8443"', "host:port"),
        ('listen = "127.0.0.1:8443"\ncert_file = "a"\nkey_file = "b"', "nobody"), ('cert_file = "a"', "give both"),
        ('listen = "127.0.0.1:8443"\ncert_file = "a"\nkey_file = "b"\nca_file = "c"', "nobody"),
        ('certificates = { "x" = "root" }', "certificates"),
    ],
)  # fmt: skip
def test_an_open_door_is_refused_by_the_configuration(door: Door, tmp_path: Path, line: str, word: str) -> None:
    """TCP without TLS, or for nobody in particular: exit 2, naming what is missing."""
    served = Served(door, tmp_path)
    served.more = line
    served.configure()
    done = served.run("config", "check")
    assert (done.code, word in done.err) == (2, True), done.err


def test_a_token_that_stands_in_the_file_itself_is_refused_unread(door: Door, tmp_path: Path) -> None:
    """The daemon does not start, names the line, and repeats nothing of it."""
    served, certificates = Served(door, tmp_path), Tls(tmp_path)
    served.more = certificates.config()
    served.configure()
    served.secret_file("control-tokens", f"ci rotate {TOKEN[:40]}\n")
    done = served.run("run")
    assert (done.code, "line 1 of the tokens file" in done.err, TOKEN[:40] in done.err) == (2, True, False), done.err
