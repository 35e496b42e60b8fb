"""Each place that keeps anchors gets exactly one, whole, and says so when it does not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rotator.adapters.anchors import Folder, Journal, Sink, Syslog, Web, read_file, sink_of
from rotator.adapters.tls import tls_context
from rotator.domain.anchor import Anchor, by_seq, read_anchor
from rotator.domain.errors import Unavailable, Unintelligible
from tests.unit.http.wire import answer, says, serving

ANCHOR = Anchor(42, "ab" * 32, "2026-11-24T08:00:00.123456Z", "hourly", "host-1", "0.1.0", "c0ffee", "c2ln")
PLAIN = tls_context()


@contextmanager
def listening(place: Path) -> Iterator[socket.socket]:
    """A socket as journald and syslogd have one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(place))
        listener.settimeout(5)
        yield listener


def test_an_anchor_comes_back_as_it_was_written() -> None:
    """One line of JSON; the id and what is signed do not depend on the signature."""
    assert read_anchor(ANCHOR.text()) == ANCHOR
    assert "\n" not in ANCHOR.text()
    assert ANCHOR.signed("other").body == ANCHOR.body
    assert by_seq([ANCHOR, ANCHOR.signed("x")]) == {42: ["ab" * 32, "ab" * 32]}


@pytest.mark.parametrize("line", [
    "", "{}", "[1]", "nothing", ANCHOR.text().replace("42", '"42"'), ANCHOR.text().replace("42", "true"),
    ANCHOR.text().replace("-v1", "-v2"),
])  # fmt: skip
def test_what_is_no_anchor_is_not_believed(line: str) -> None:
    """Another kind, another type, no JSON at all."""
    with pytest.raises(Unintelligible):
        read_anchor(line)


def test_a_folder_keeps_one_anchor_a_line_and_one_file_a_month(tmp_path: Path) -> None:
    """Made where it is missing, for owner and group; the newest comes first, whatever else lies there."""
    folder = Folder(tmp_path / "anchors")
    later = Anchor(43, "cd" * 32, "2026-12-01T00:00:00.000000Z", "force", "h", "v")
    for one in (ANCHOR, ANCHOR, later):
        folder.put(one)
    (tmp_path / "anchors" / "notes.txt").write_text("mine")
    november, december = folder.files()
    assert (november.name, december.name) == ("anchors-2026-11.jsonl", "anchors-2026-12.jsonl")
    assert november.stat().st_mode & 0o777 == 0o640
    assert read_file(november) == [ANCHOR, ANCHOR]
    assert list(folder.newest_first()) == [later, ANCHOR, ANCHOR]
    december.write_text("damaged\n")
    assert next(folder.newest_first()) == ANCHOR
    with pytest.raises(Unintelligible, match=r"anchors-2026-12[.]jsonl:1"):
        read_file(december)


def test_the_journal_gets_the_anchor_as_a_field(tmp_path: Path) -> None:
    """Journald's own protocol: a field that a forwarder can filter on."""
    with listening(tmp_path / "journal") as journal:
        Journal(str(tmp_path / "journal")).put(ANCHOR)
        said = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines())
    assert read_anchor(said["ROTATOR_ANCHOR"]) == ANCHOR
    assert (said["PRIORITY"], said["SYSLOG_IDENTIFIER"]) == ("5", "rotator")


def test_syslog_gets_the_anchor_in_one_line(tmp_path: Path) -> None:
    """Facility daemon, severity notice."""
    with listening(tmp_path / "log") as log:
        Syslog(str(tmp_path / "log")).put(ANCHOR)
        assert log.recv(65536).decode() == f"<29>rotator: {ANCHOR.text()}"


def test_a_webhook_is_posted_to_and_an_object_is_put() -> None:
    """The webhook's path as it is, with its query; an object of its own for each anchor, named by its row."""
    with serving(says(answer())) as server:
        Web(f"webhook:{server.origin}/hook?code=1", PLAIN).put(ANCHOR)
        Web(f"{server.origin}/bucket/anchors/", PLAIN).put(ANCHOR)
    posted, put = [request.decode().split("\r\n\r\n") for request in server.requests]
    assert posted[0].startswith("POST /hook?code=1 HTTP/1.1")
    assert put[0].startswith(f"PUT /bucket/anchors/000000000042-{ANCHOR.id}.json HTTP/1.1")
    assert json.loads(posted[1]) == json.loads(put[1]) == json.loads(ANCHOR.text())


def test_a_place_that_does_not_take_it_says_so(tmp_path: Path) -> None:
    """Nobody listens, a no, a folder that cannot be made: an error each, with the place and without its query."""
    with serving(says(answer(b"", "403 Forbidden"))) as server:
        refusing = Web(f"webhook:{server.origin}/hook?code=hidden", PLAIN)
        with pytest.raises(Unavailable, match="answers 403") as caught:
            refusing.put(ANCHOR)
        assert "hidden" not in caught.value.message
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = Web(f"http://127.0.0.1:{closed.getsockname()[1]}/anchors", PLAIN)
    none = str(tmp_path / "none")
    absent: list[Sink] = [Journal(none), Syslog(none), Folder(tmp_path / "file" / "anchors"), gone]
    for sink in absent:
        with pytest.raises(Unavailable, match="does not take the anchor"):
            sink.put(ANCHOR)


@pytest.mark.parametrize(("written", "kind"), [("file:/a", Folder), ("journal", Journal), ("syslog", Syslog),
                                               ("https://a/b", Web), ("webhook:https://a/b", Web)])  # fmt: skip
def test_the_configuration_names_each_kind_of_place(written: str, kind: type) -> None:
    """By the words of `[audit] anchors`."""
    sink = sink_of(written, PLAIN)
    assert isinstance(sink, kind)
    assert sink.name == written
