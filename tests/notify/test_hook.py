"""Programs of `hooks.published`: what they get, what becomes of them, and what is said of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotator.domain.errors import Unavailable
from rotator.domain.event import Event
from rotator.domain.notice import Notice
from rotator.notify.hook import Command, Hook
from tests.acceptance.scene import until
from tests.notify.samples import PUBLISHED


@dataclass
class Stage:
    """A hook, and what it recorded and told."""

    command: Command | None
    events: list[Event] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    stop_at: float = float("inf")

    def run(self) -> None:
        """Runs it as the outbox would."""
        Hook(lambda app: self.command, lambda event, notice: self.events.append(event), self.told.extend,
             lambda: time.monotonic() >= self.stop_at, time.monotonic).send(PUBLISHED)  # fmt: skip


def program(folder: Path, text: str) -> Path:
    """An executable script."""
    file = folder / "hook"
    file.write_text("#!/bin/sh\n" + text)
    file.chmod(0o700)
    return file


def alive(pid_file: Path) -> bool:
    """Whether the process that wrote its number there still runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_hook_gets_ids_and_a_path_and_nothing_else(tmp_path: Path) -> None:
    """Its whole environment, its arguments, an empty standard input, no terminal; and no shell reads the arguments."""
    out = tmp_path / "out"
    file = program(tmp_path, f'env > {out}; echo "$1" >> {out}; cat >> {out}')
    stage = Stage(Command([str(file), "$(id); *"], 10))
    stage.run()
    lines = set(out.read_text().splitlines())
    assert {line for line in lines if line.startswith("ROTATOR_")} == {
        "ROTATOR_APP=billing", "ROTATOR_ORG=acme", "ROTATOR_ROTATION_ID=r1", "ROTATOR_VAULT_VERSION=8",
        "ROTATOR_VAULT_PATH=salesforce/acme/billing",
    }  # fmt: skip
    assert "$(id); *" in lines
    strange = {line.split("=")[0] for line in lines if "=" in line} - {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert {name for name in strange if not name.startswith("ROTATOR_")} == set()


def test_a_hook_that_went_well_is_recorded_and_ends_the_alarm(tmp_path: Path) -> None:
    """Its status and how much it wrote stand in the trail; what it wrote does not."""
    stage = Stage(Command([str(program(tmp_path, "echo hunter2-secret; echo no >&2"))], 10))
    stage.run()
    (event,) = stage.events
    evidence = event.evidence["hook"]
    assert isinstance(evidence, dict)
    assert (event.step, event.phase, event.outcome) == ("publish", "observe", "ok")
    assert (evidence["exit_status"], evidence["bytes_out"], evidence["bytes_err"]) == (0, 15, 3)
    assert "hunter2" not in str(event)
    assert [(notice.topic, notice.status) for notice in stage.told] == [("hook", "resolved")]


@pytest.mark.parametrize(("text", "words"), [("exit 3", "ended with status 3"), ("kill -9 $$", "ended by signal 9")])
def test_a_hook_that_fails_is_told_and_nothing_is_raised(tmp_path: Path, text: str, words: str) -> None:
    """So it is not run again, and no rotation hears of it."""
    stage = Stage(Command([str(program(tmp_path, text))], 10))
    stage.run()
    (notice,) = stage.told
    assert (notice.status, notice.reason, notice.app) == ("firing", "hook_failed", "billing")
    assert words in notice.message
    assert stage.events[0].outcome == "failed"


def test_a_hook_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    """No such file: named, with a fix."""
    stage = Stage(Command([str(tmp_path / "absent")], 10))
    stage.run()
    assert "cannot be started: No such file" in stage.told[0].message


def test_a_hook_is_killed_at_its_limit_with_all_that_it_started(tmp_path: Path) -> None:
    """The child that ignores SIGTERM too; within seconds of the limit."""
    pid = tmp_path / "pid"
    file = program(tmp_path, f"sh -c 'trap \"\" TERM; echo $$ > {pid}; while :; do sleep 0.1; done' & wait")
    began = time.monotonic()
    stage = Stage(Command([str(file)], 0.5))
    stage.run()
    assert "ran longer than 0.5 s and was killed" in stage.told[0].message
    assert time.monotonic() - began < 6
    until(lambda: not alive(pid), 5)


def test_a_flood_of_output_is_thrown_away(tmp_path: Path) -> None:
    """Twenty megabytes are counted and kept nowhere."""
    stage = Stage(Command([str(program(tmp_path, "head -c 20000000 /dev/zero"))], 20))
    stage.run()
    evidence = stage.events[0].evidence["hook"]
    assert isinstance(evidence, dict)
    assert evidence["bytes_out"] == 20_000_000


def test_a_hook_is_run_again_where_we_were_stopped(tmp_path: Path) -> None:
    """Told to stop while it runs: it is ended, and stays in the outbox; nothing is recorded as its outcome."""
    stage = Stage(Command([str(program(tmp_path, "sleep 30"))], 60), stop_at=time.monotonic() + 0.3)
    with pytest.raises(Unavailable, match="stopped while the hook ran"):
        stage.run()
    assert (stage.events, stage.told) == ([], [])


def test_a_child_that_keeps_the_pipe_open_holds_nobody(tmp_path: Path) -> None:
    """A program that leaves a process behind has ended when it ended itself."""
    pid = tmp_path / "pid"
    began = time.monotonic()
    stage = Stage(Command([str(program(tmp_path, f"sleep 20 & echo $! > {pid}"))], 15))
    stage.run()
    assert stage.events[0].outcome == "ok"
    assert time.monotonic() - began < 5
    os.kill(int(pid.read_text()), 9)


def test_an_app_without_a_hook_any_more_is_let_be() -> None:
    """The configuration changed meanwhile."""
    stage = Stage(None)
    stage.run()
    assert (stage.events, stage.told) == ([], [])
