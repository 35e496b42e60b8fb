"""Clients that misbehave: none of them stops the daemon, and each gets one clear answer or is cut."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from rotator.control.connections import BODY_BYTES, MOST
from tests.acceptance.scene import Door
from tests.control.served import Served


@pytest.fixture(scope="module")
def scene(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One daemon for all of them: it must outlive each."""
    served = Served(door, tmp_path_factory.mktemp("abuse"))
    with served.running():
        yield served


@pytest.fixture(autouse=True)
def alive(scene: Served) -> Iterator[None]:
    """After each, the daemon is alive, and looks for work."""
    yield
    with scene.client() as client:
        assert client.get("/healthz").json() == {"ok": True, "ticking": True}


def connect(scene: Served) -> socket.socket:
    """A bare connection."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(30)
    made.connect(str(scene.socket))
    return made


def answer(raw: bytes) -> tuple[int, dict[str, object]]:
    """Status and document of a raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    ("method", "place", "content", "status"),
    [
        ("POST", "/rotate", b"{", 400), ("POST", "/rotate", b"[]", 400),
        ("POST", "/rotate", b'{"apps": ["x"], "y": 1}', 400),
        ("POST", "/rotate", b'{"apps": []}', 400), ("POST", "/rotate", b'{"apps": "billing"}', 400),
        ("POST", "/rotate", b'{"apps": ["billing"], "timeout": "soon"}', 400), ("POST", "/rotate", b"\xff\xfe", 400),
        ("POST", "/rotate", b'{"apps": ["billing"], "reason": "a\\u0000b"}', 400), ("POST", "/pause", b"{}", 400),
        ("POST", "/pause", b"[" * 50_000, 400), ("POST", "/pause", b'{"all": NaN}', 400),
        ("POST", "/rotate", b" " * (BODY_BYTES + 1), 413), ("GET", "/status?app=nobody", b"", 404),
        ("GET", "/status?app=billing&app=orders", b"", 400), ("GET", "/status?apq=billing", b"", 400),
        ("GET", "/history?since=yesterday", b"", 400), ("GET", "/history?limit=0", b"", 400),
        ("GET", "/nothing", b"", 404),
        ("GET", "/rotations/1", b"", 404), ("GET", "/rotations/1/events", b"", 404), ("DELETE", "/status", b"", 405),
        ("POST", "/release", b'{"app": "billing"}', 409), ("POST", "/abandon", b'{"app": "bilin"}', 404),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_one_clear_error(scene: Served, method: str, place: str, content: bytes,
                                                   status: int) -> None:
    """The contract's error, the right 4xx, a message and a fix; nothing is repeated that was sent."""
    with scene.client() as client:
        got = client.request(method, place, content=content)
    told = got.json()
    assert (got.status_code, told["ok"]) == (status, False), told
    (error,) = told["errors"]
    assert error["message"]
    assert error["fix"]
    assert "yesterday" not in got.text


def test_what_is_no_http_is_answered_and_cut(scene: Served) -> None:
    """The contract's error, as JSON."""
    with connect(scene) as mine:
        mine.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
        raw = b"".join(iter(lambda: mine.recv(4096), b""))
    status, told = answer(raw)
    assert (status, told["exit"]) == (400, 2)


def test_half_open_clients_do_not_keep_others_out(scene: Served) -> None:
    """Clients that send nothing, or half a head, up to the limit: the next one is told, at once, that there are too
    many; and when they have gone, or were cut after ten seconds, all is as before."""
    crowd = [connect(scene) for _ in range(MOST)]
    for half in crowd[::2]:
        half.sendall(b"GET /status HTTP/1.1\r\nhost: x\r\nx-slow: ")
    with connect(scene) as mine:
        raw = b"".join(iter(lambda: mine.recv(4096), b""))
    status, told = answer(raw)
    assert (status, told["exit"]) == (503, 75)
    before = time.monotonic()
    assert crowd[0].recv(1) == b""  # cut
    assert time.monotonic() - before < 12
    for half in crowd:
        half.close()


def test_a_client_that_does_not_read_keeps_nobody_waiting(scene: Served) -> None:
    """It asks for the trail again and again and never reads: others are served meanwhile."""
    with connect(scene) as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        mine.sendall(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 20)
        with scene.client() as client:
            for _ in range(5):
                assert client.get("/status").status_code == 200


def test_a_stream_that_nobody_reads_any_more_is_ended(scene: Served) -> None:
    """A caller that goes away in the midst of a rotation: the daemon goes on with it, and its place is free again."""
    with scene.client() as client, client.stream("POST", "/rotate", json={"apps": ["orders"]},
                                                 headers={"accept": "application/x-ndjson"}) as stream:  # fmt: skip
        assert json.loads(next(stream.iter_lines()))["kind"] == "step"
    with scene.client() as client:
        told = client.post("/rotate", json={"apps": ["orders"]}).json()
    assert told["exit"] == 0
    assert len({e["rotation_id"] for e in scene.events("orders") if e["step"] == "request"}) == 1


def test_the_events_of_a_rotation_are_a_stream(scene: Served) -> None:
    """Server-sent events: every row of the trail of one rotation, in order, until it ends; a reader that comes back
    with the last id gets the rest."""
    rotation = scene.json("rotate", "orders").rotation["rotation_id"]
    with scene.client() as client:
        whole = client.get(f"/rotations/{rotation}/events")
        ids = [int(line[4:]) for line in whole.text.splitlines() if line.startswith("id: ")]
        rest = client.get(f"/rotations/{rotation}/events", headers={"last-event-id": str(ids[-3])})
        assert client.get(f"/rotations/{rotation}").json()["rotation"]["state"] == "done"
    assert whole.headers["content-type"].startswith("text/event-stream")
    assert ids == sorted(set(ids))
    assert len(ids) > 20
    assert rest.text.count("event: step") == 2
