"""Where the transport connects and where it never does: TLS, proxy, origins and paths; and what it logs."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from pathlib import Path

import httpcore
import httpx
import pytest
import trustme

from rotator.adapters import http as module
from rotator.adapters.http import Lost, NotSent, check_origin
from rotator.adapters.tls import tls_context
from rotator.domain.errors import ConfigError
from tests.unit.http.conftest import PLAIN, Client
from tests.unit.http.wire import answer, says, serving

SECRET = "hunter2-hunter2-hunter2"


def test_a_tls_handshake_that_never_answers_ends_at_the_deadline_as_not_sent(client: Client) -> None:
    """A server that accepts and says nothing: the request was certainly not sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        began = time.monotonic()
        with pytest.raises(NotSent):
            client(f"https://127.0.0.1:{listener.getsockname()[1]}", deadline=0.3).call("GET", "/")
        assert time.monotonic() - began < 1.5
    finally:
        listener.close()


def test_a_closed_port_and_an_unknown_name_are_not_sent(client: Client) -> None:
    """Connect and name failures are certain: nothing was sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    for origin in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid"):
        with pytest.raises(NotSent) as caught:
            client(origin, deadline=5).call("POST", "/x", json={})
        assert caught.value.reason == "connect"


def test_tls_wants_a_trusted_certificate_for_this_very_host(tmp_path: Path, client: Client) -> None:
    """Untrusted, and trusted but for another name: not sent. Trusted by ca_file: an answer."""
    authority = trustme.CA()
    ca_file = f"{tmp_path}/ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    trusting = tls_context(ca_file)
    for name, context, good in (
        ("127.0.0.1", PLAIN, False),
        ("other.example", trusting, False),
        ("127.0.0.1", trusting, True),
    ):
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(served)
        with serving(says(answer()), served) as server:
            caller = client(server, tls=context)
            if good:
                assert caller.call("GET", "/").status == 200
                continue
            with pytest.raises(NotSent) as caught:
                caller.call("POST", "/", form={"client_secret": SECRET})
            assert caught.value.reason == "tls"
            assert server.requests == []


def test_the_tls_context_listens_to_no_environment(tmp_path: Path) -> None:
    """SSLKEYLOGFILE would write the keys of every connection to a file: our context has none, and is shared."""
    assert PLAIN.keylog_filename is None
    assert tls_context() is PLAIN
    assert tls_context("", "", "") is PLAIN
    assert (PLAIN.verify_mode, PLAIN.check_hostname) == (ssl.CERT_REQUIRED, True)
    with pytest.raises(ConfigError, match="cannot be used for TLS"):
        tls_context(f"{tmp_path}/missing.pem")


def test_a_proxy_gets_the_connect_and_its_refusal_is_not_sent(client: Client) -> None:
    """Through a proxy only CONNECT is seen outside TLS; a 403 to it means that nothing was sent to the org."""
    with serving(says(answer(b"", "403 Forbidden"))) as proxy:
        caller = client("https://acme.my.salesforce.com", deadline=5, proxy=proxy.origin)
        with pytest.raises(NotSent) as caught:
            caller.call("POST", "/services/oauth2/token", form={"client_secret": SECRET})
    assert caught.value.reason == "proxy"
    assert proxy.requests[0].startswith(b"CONNECT acme.my.salesforce.com:443 ")
    assert SECRET.encode() not in proxy.requests[0]


def test_the_deadline_also_holds_through_a_proxy(client: Client) -> None:
    """The proxy's connection goes through the same backend."""
    with serving(lambda sock, request: time.sleep(3)) as proxy:
        began = time.monotonic()
        with pytest.raises(Lost):
            client("https://acme.my.salesforce.com", deadline=0.3, proxy=proxy.origin).call("GET", "/")
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "path",
    ["//evil.example/x", "http://evil.example/", "x", "", "/a b", "/a?b=c", "/a\r\nHost: b", "/ä", "/a\\b", "/a#b"],
)
def test_only_plain_absolute_paths_are_called(path: str, client: Client) -> None:
    """A path that could name another host or smuggle a header never leaves."""
    with serving(says(answer())) as server, pytest.raises(NotSent):
        client(server).call("GET", path)
    assert server.connections == 0


@pytest.mark.parametrize(
    "origin", ["ftp://x", "https://", "https://a/b", "https://u:p@a", "https://a?x", "a.example", "https://a/"]
)
def test_an_origin_is_scheme_and_host_and_nothing_else(origin: str) -> None:
    """Paths, users and queries in a host are configuration mistakes."""
    with pytest.raises(ConfigError):
        check_origin(origin)


def test_no_log_record_is_written_at_debug(client: Client) -> None:
    """httpx logs URLs and httpcore logs headers unless silenced: a root logger at DEBUG sees nothing of a call."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(level=logging.DEBUG)
    handler.emit = records.append  # type: ignore[method-assign,assignment]
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with serving(says(answer())) as server:
            client(server).call("GET", "/x", headers={"authorization": f"Bearer {SECRET}"})
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
    assert records == []


def test_the_deadline_backend_really_sits_in_the_pool(client: Client) -> None:
    """httpx has no door for a backend, so we set one private name: should a new httpx rename it, this fails."""
    caller = client("https://a.example")
    pool = caller._wire._pool  # type: ignore[attr-defined]
    assert isinstance(pool, httpcore.ConnectionPool)
    assert isinstance(pool._network_backend, module._Backend)
    assert httpx.__version__.startswith("0.28.")
    assert pool._max_connections == pool._max_keepalive_connections
