"""Who may do what, by the groups of the process that connected; real processes on a real socket."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, environment
from tests.control.peers import GROUPS, User, ask, open_folder
from tests.control.served import Served

NOBODY = 65534
ROOT = os.geteuid() == 0  # only root may become others; else the daemon's own user, who may do everything, stands in
VIEWER = User(NOBODY if ROOT else os.geteuid(), ("games",))
ROTATOR = User(NOBODY if ROOT else os.geteuid(), ("news", "games"))
CHANGES = (("POST", "/pause", {"all": True}), ("POST", "/rotate", {"apps": ["nobody"]}))


@pytest.fixture(scope="module")
def scene(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A daemon whose socket others can reach, and whose groups are some that this machine has."""
    view, rotate, force = GROUPS
    with open_folder() as folder:
        served = Served(door, tmp_path_factory.mktemp("roles"))
        served.socket = folder / "control.sock"
        served.more = f'groups = {{ view = "{view}", rotate = "{rotate}", force = "{force}" }}'
        served.configure()
        with served.running():
            yield served


def test_the_socket_is_for_the_group_alone(scene: Served) -> None:
    """Mode 0660; it belongs to the group of those who may look, where the daemon may give it away."""
    seen = scene.socket.stat()
    assert seen.st_mode & 0o777 == 0o660
    if ROOT:
        assert seen.st_gid == 60  # games


def test_who_may_look_may_not_change(scene: Served) -> None:
    """A viewer: status and history, 403 for the rest, as the contract's error; each refusal is a row of the trail, with
    the caller as its actor."""
    looks = (("GET", "/status", None), ("GET", "/history", None), ("GET", "/daemon", None))
    found = ask(VIEWER, scene.socket, *looks, *CHANGES)
    if not ROOT:
        assert [status for status, _ in found] == [200, 200, 200, 200, 404]
        return
    assert [status for status, _ in found] == [200, 200, 200, 403, 403]
    (error,) = found[3][1]["errors"]
    assert (found[3][1]["ok"], found[3][1]["exit"], error["code"]) == (False, 2, "not_permitted")
    assert "news" in error["fix"]
    rows = [e for e in scene.json("history").told["events"] if e["step"] == "refused_command"]
    told = [(e["actor"], e["origin"], e["phase"], e["outcome"], e["evidence"]["command"]) for e in rows]
    assert told == [("nobody", "socket", "decision", "refused", name) for name in ("pause", "rotate")]


def test_a_member_of_the_next_group_may_rotate(scene: Served) -> None:
    """By a supplementary group: pause, resume and rotate are taken (an unknown app is 404, not 403); the actor is the
    login name."""
    found = ask(ROTATOR, scene.socket, *CHANGES, ("POST", "/resume", {"all": True}), ("GET", "/status", None))
    assert [status for status, _ in found] == [200, 404, 200, 200]
    assert found[0][1]["pauses"][0]["actor"] == ("nobody" if ROOT else found[0][1]["pauses"][0]["actor"])


def test_root_and_the_daemons_user_may_do_everything(scene: Served) -> None:
    """Without any of the groups."""
    assert ask(User(os.geteuid()), scene.socket, ("POST", "/resume", {"all": True}))[0][0] == 200


def test_whom_root_acts_for_is_believed_of_root_alone(scene: Served) -> None:
    """The header that names the person behind sudo changes nothing for anybody else."""
    with scene.client(**{"rotator-sudo-user": "ada"}) as client:
        told = client.post("/pause", json={"all": True}).json()
    assert told["pauses"][0]["actor"] == ("ada" if ROOT else told["pauses"][0]["actor"])
    ask(ROTATOR, scene.socket, ("POST", "/resume", {"all": True}))


def test_who_cannot_reach_the_socket_is_told_which_group_is_missing(scene: Served) -> None:
    """The command line as a user outside: exit 2, with the group; the configuration, which they may read, names the
    socket. A user who may do everything gets the answer."""
    outside = User(NOBODY if ROOT else os.geteuid())
    folder = scene.socket.parent
    config = folder / "rotator.toml"
    config.write_text(scene.config.read_text().replace(f'state_dir = "{scene.folder}"', f'state_dir = "{folder}"'))
    config.chmod(0o644)
    done = subprocess.run([*outside.prefix(), *command(config), "status"], capture_output=True, text=True, check=False,
                          timeout=60, env=environment(), cwd="/")  # fmt: skip
    if ROOT:
        assert (done.returncode, "usermod -aG games" in done.stderr) == (2, True), done.stderr
    else:
        assert done.returncode == 0, done.stderr


def command(config: Path) -> list[str]:
    """The program."""
    return [sys.executable, "-m", "rotator", "--config", str(config), "--json" if not ROOT else "--log-level=error"]
