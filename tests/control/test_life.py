"""The surface through the life of a daemon: start, reload, stop; commands that go away; sockets that cannot be had."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, program, until
from tests.control.served import Served


def slow(scene: Served) -> None:
    """The new pair is not accepted for a while: a rotation stands at verify."""
    scene.configure(propagation="30s")
    scene.door("POST", "/facts", {"new_pair_propagation": "4s"})


def test_no_wait_returns_once_the_rotation_is_open_and_the_daemon_goes_on(scene: Served) -> None:
    """Exit 0 at once, with the id of a rotation that is still at work; it reaches its overlap by itself. `status` names
    the daemon."""
    slow(scene)
    done = scene.json("rotate", "billing", "--no-wait")
    assert (done.code, done.told["ok"], done.rotation["state"]) == (0, True, "running"), done.err
    assert scene.daemon
    assert scene.json("status", "billing").told["daemon"]["pid"] == scene.daemon.process.pid
    until(lambda: scene.json("status", "billing").told["apps"][0]["rotation"]["state"] == "overlap", 30)
    again = scene.json("rotate", "billing")
    assert again.rotation["rotation_id"] == done.rotation["rotation_id"]


def test_a_signal_leaves_the_rotation_with_the_daemon(scene: Served) -> None:
    """SIGINT to the command: exit 75, it says that the daemon goes on, and the daemon does."""
    slow(scene)
    with scene.started("rotate", "billing") as process:
        until(lambda: any(c["purpose"] == "token" and c["status"] >= 400 for c in scene.calls()))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, "the daemon goes on" in err) == (75, True), (out, err)
    until(lambda: scene.json("status", "billing").told["apps"][0]["rotation"]["state"] == "overlap", 30)


def test_a_reload_in_the_midst_of_a_call_changes_nothing(scene: Served) -> None:
    """SIGHUP while a command waits: its rotation goes on, the command gets its answer, the socket stays."""
    slow(scene)
    with scene.started("--json", "rotate", "billing") as process:
        until(lambda: any(c["purpose"] == "token" and c["status"] >= 400 for c in scene.calls()))
        inode = scene.socket.stat().st_ino
        assert scene.daemon
        scene.reload(scene.daemon)
        out, err = process.communicate(timeout=40)
    assert process.returncode == 0, err
    assert json.loads(out)["rotations"][0]["state"] == "overlap"
    assert scene.socket.stat().st_ino == inode


def test_a_daemon_that_stops_tells_whoever_waits_how_far_it_came(scene: Served) -> None:
    """SIGTERM while a command waits: the daemon ends with 0 and takes its socket away, the command ends with 75 and the
    state; the next command does the work itself, on the same rotation."""
    slow(scene)
    with scene.started("--json", "rotate", "billing") as process:
        until(lambda: any(c["purpose"] == "token" and c["status"] >= 400 for c in scene.calls()))
        assert scene.daemon
        assert scene.daemon.stop() == 0
        out, err = process.communicate(timeout=20)
    assert process.returncode == 75, err
    (row,) = json.loads(out)["rotations"]
    assert row["state"] == "running"
    assert not scene.socket.exists()
    with closing(socket.socket(socket.AF_UNIX)) as dead:  # as a daemon leaves it that was killed
        dead.bind(str(scene.socket))
    alone = program("--config", str(scene.config), "--json", "rotate", "billing")
    assert (alone.code, alone.rotation["rotation_id"]) == (0, row["rotation_id"]), alone.err


@pytest.fixture
def still(door: Door, tmp_path: Path) -> Served:
    """A configuration without a daemon."""
    return Served(door, tmp_path)


def test_the_socket_of_a_dead_daemon_is_replaced_and_that_of_a_live_one_is_not(still: Served) -> None:
    """SIGKILL leaves the socket behind: the next daemon takes its place. A second daemon beside it ends with 2, names
    the socket, and does the first no harm."""
    with still.running() as one:
        one.signal(signal.SIGKILL)
        one.process.wait(10)
    assert still.socket.is_socket()
    with still.running("two"):
        second = still.run("run")
        assert (second.code, f"another daemon answers at {still.socket}" in second.err) == (2, True), second.err
        assert still.json("status").told["daemon"] is not None


@pytest.mark.parametrize("what", ["no folder", "a file"])
def test_a_socket_that_cannot_be_had_is_one_clear_error(still: Served, what: str) -> None:
    """Exit 2, before anything is begun, with the path and what to do."""
    if what == "a file":
        still.socket.write_text("precious")
    else:
        still.socket = still.folder / "none" / "control.sock"
        still.configure()
    done = still.run("run", "--json")
    assert done.code == 2, done.err
    (error,) = done.told["errors"]
    assert (str(still.socket) in error["message"], bool(error["fix"]), error["where"]) == (True, True, "control.socket")
    assert what != "a file" or still.socket.read_text() == "precious"


def test_a_daemon_of_another_database_is_not_asked(scene: Served) -> None:
    """Its socket stands in this configuration, its database does not: the command does the work itself."""
    other = scene.folder / "other"
    other.mkdir()
    text = scene.config.read_text().replace(f'state_dir = "{scene.folder}"', f'state_dir = "{other}"')
    (other / "rotator.toml").write_text(text)
    (other / "vault-secret-id").write_text((scene.folder / "vault-secret-id").read_text())
    (other / "vault-secret-id").chmod(0o600)
    done = program("--config", str(other / "rotator.toml"), "--json", "status")
    assert (done.code, done.told["daemon"], "another_daemon" in done.err) == (0, None, True), done.err


def test_a_force_goes_through_the_daemon(scene: Served) -> None:
    """Who may force, forces: the same document, every claim proven, the caller's ticket in the trail."""
    done = scene.json("force", "orders", "--reason", "key in a log", "--ticket", "INC-7")
    assert (done.code, done.rotation["trigger"], set(done.rotation["claims"].values())) == (0, "force", {"proven"})
    mine = [e for e in scene.events("orders") if e["rotation_id"] == done.rotation["rotation_id"]]
    assert ({e["ticket"] for e in mine}, {e["origin"] for e in mine}) == ({"INC-7"}, {"socket"})
    assert scene.json("force", "orders", "--reason", "x", "--ticket", "").told["errors"][0]["code"] == "ticket"
