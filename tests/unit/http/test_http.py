"""The transport against hostile and broken servers: total deadlines, caps, no redirects, and what was sent where."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib

import pytest

from rotator.adapters import http as module
from rotator.adapters.http import Lost, NotSent
from tests.unit.http.conftest import Client
from tests.unit.http.wire import answer, says, serving

SECRET = "hunter2-hunter2-hunter2"


def test_an_answer_comes_back_whole_whatever_its_status(client: Client) -> None:
    """Status, lower-case headers and body arrive; a 500 is an answer like any other."""
    with serving(says(answer(b'{"a": 1}', "500 Oops", "X-Thing: yes"))) as server:
        got = client(server).call("GET", "/x", params={"q": "a b"})
    assert (got.status, got.headers["x-thing"], got.json()) == (500, "yes", {"a": 1})
    assert server.requests[0].startswith(b"GET /x?q=a+b HTTP/1.1\r\n")
    assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_redirect_is_given_back_and_nothing_goes_to_where_it_points(client: Client) -> None:
    """A 307 to another host is an answer; the other host is never called, with no secret and no byte."""
    with serving(says(answer())) as trap:
        target = f"Location: {trap.origin}/steal"
        with serving(says(answer(b"", "307 Temporary Redirect", target))) as server:
            got = client(server).call("POST", "/token", form={"client_secret": SECRET})
        assert got.status == 307
        assert trap.connections == 0


def test_cookies_are_not_kept(client: Client) -> None:
    """Nothing that a server sets comes back in the next request."""
    with serving(says(answer(b"{}", "200 OK", "Set-Cookie: sid=abc; Path=/"))) as server:
        caller = client(server)
        caller.call("GET", "/a")
        caller.call("GET", "/b")
    assert b"cookie" not in server.requests[1].lower()


def test_a_body_that_drips_ends_at_the_total_deadline(client: Client) -> None:
    """One byte per 50 ms never times out per read; the whole call still ends at its deadline."""

    def drip(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            sock.sendall(b"x")
            time.sleep(0.05)

    with serving(drip) as server:
        began = time.monotonic()
        with pytest.raises(Lost) as caught:
            client(server, deadline=0.4).call("GET", "/slow")
        took = time.monotonic() - began
    assert caught.value.reason == "timeout"
    assert 0.35 < took < 1.5


def test_headers_that_drip_end_at_the_total_deadline(client: Client) -> None:
    """The same for header lines that come one by one."""

    def drip(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            sock.sendall(f"X-{number}: y\r\n".encode())
            time.sleep(0.05)

    with serving(drip) as server:
        began = time.monotonic()
        with pytest.raises(Lost):
            client(server, deadline=0.4).call("GET", "/slow")
        assert time.monotonic() - began < 1.5


def test_a_gigabyte_is_cut_at_the_cap_in_little_memory(client: Client) -> None:
    """A body without end stops at the cap; the process never holds more than a few times that."""

    def flood(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        chunk = b"x" * 65536
        for _ in range(16384):
            sock.sendall(chunk)

    with serving(flood) as server:
        tracemalloc.start()
        with pytest.raises(Lost) as caught:
            client(server).call("GET", "/big")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert caught.value.reason == "too_large"
    assert peak < 16 * module.MEBIBYTE


def test_a_gzip_bomb_is_not_unpacked(client: Client) -> None:
    """A megabyte of gzip that would be a gigabyte is refused with bounded memory."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(module.MEBIBYTE)) for _ in range(256)) + packer.flush()
    assert len(bomb) < module.MEBIBYTE
    with serving(says(answer(bomb, "200 OK", "Content-Encoding: gzip"))) as server:
        tracemalloc.start()
        with pytest.raises(Lost) as caught:
            client(server).call("GET", "/bomb")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert caught.value.reason == "too_large"
    assert peak < 16 * module.MEBIBYTE


def test_a_small_gzip_body_is_read_although_we_did_not_ask_for_it(client: Client) -> None:
    """Some proxies pack all the same."""
    body = gzip.compress(b'{"a": 1}')
    with serving(says(answer(body, "200 OK", "Content-Encoding: gzip"))) as server:
        assert client(server).call("GET", "/x").json() == {"a": 1}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("gzip", b"not gzip"), ("gzip, gzip", b"x"), ("gzip", gzip.compress(b"x", mtime=0)[:-9])],
    ids=["br", "junk", "stacked", "cut"],
)
def test_an_encoding_we_cannot_read_is_one_clear_error(encoding: str, body: bytes, client: Client) -> None:
    """Unknown, broken, stacked or cut encodings are Lost with the reason `encoded`."""
    data = answer(body, "200 OK", f"Content-Encoding: {encoding}")
    with serving(says(data)) as server, pytest.raises(Lost) as caught:
        client(server).call("GET", "/x")
    assert caught.value.reason == "encoded"


@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        (b"", "closed"),
        (b"garbage\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed"),
    ],
    ids=["nothing", "garbage", "half a body", "half a chunk"],
)
def test_a_broken_answer_after_the_request_is_lost_never_not_sent(noise: bytes, reason: str, client: Client) -> None:
    """Nothing, garbage, or half a body: the far side may have acted. Only garbage means that somebody else answers."""

    def play(sock: socket.socket, request: bytes) -> None:
        sock.sendall(noise)
        sock.close()

    with serving(play) as server, pytest.raises(Lost) as caught:
        client(server).call("POST", "/x", form={"client_secret": SECRET})
    assert server.requests
    assert caught.value.reason in (reason, "closed")  # a reset may overtake what was sent


def test_a_dead_kept_connection_is_lost_for_a_post(client: Client) -> None:
    """The server dies after the second request arrived on a kept connection: it may have acted."""
    seen: list[bytes] = []

    def play(sock: socket.socket, request: bytes) -> None:
        seen.append(request)
        if len(seen) > 1:
            sock.close()
            return
        sock.sendall(answer())

    with serving(play) as server:
        caller = client(server)
        caller.call("GET", "/a")
        with pytest.raises(Lost):
            caller.call("POST", "/b", json={})
    assert (len(seen), server.connections) == (2, 1)


def test_a_header_that_cannot_be_sent_is_not_sent_and_not_quoted(client: Client) -> None:
    """A token with a newline is refused before any byte of the request, and its text stays out of the error."""
    with serving(says(answer())) as server:
        for value in (f"Bearer {SECRET}\r\nX: y", f"Bearer {SECRET}\u2028"):
            with pytest.raises(NotSent) as caught:
                client(server).call("GET", "/x", headers={"authorization": value})
            assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.requests == []


def test_an_answer_shows_neither_headers_nor_body(client: Client) -> None:
    """A repr in a traceback must not give away a token."""
    with serving(says(answer(SECRET.encode(), "200 OK", f"X-Echo: {SECRET}"))) as server:
        got = client(server).call("GET", "/x")
    assert SECRET not in repr(got)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"<html>", b"\xff\xfe", b"9" * 50_000, b""])
def test_hostile_json_is_a_value_error(body: bytes, client: Client) -> None:
    """Deep nesting, huge numbers, other encodings: one kind of error, without the body."""
    with serving(says(answer(body))) as server:
        got = client(server).call("GET", "/x")
    with pytest.raises(ValueError, match="not JSON"):
        got.json()
