"""Where lines go, in which form, and what happens where they cannot be written."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import subprocess
import sys
import threading
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from rotator.domain.errors import UsageError
from rotator.log import LEVELS, Fields, Logger, Word, about, get, set_up
from rotator.log_words import FIELDS
from tests.unit.log.lines import Log


def test_below_its_level_nothing_is_written() -> None:
    """Below the level nothing is written."""
    for level, count in zip(LEVELS, (4, 3, 2, 1), strict=True):
        stream = io.StringIO()
        with set_up(level, env={}, stderr=stream):
            for method in LEVELS:
                getattr(get("t"), method)(Word.STARTED)
        assert len(Log(stream).lines) == count


def test_an_unknown_level_is_a_usage_error() -> None:
    """The error names the levels there are."""
    with pytest.raises(UsageError) as caught:
        set_up("loud")
    assert "debug, info, warning, error" in caught.value.fix


def test_bound_fields_and_the_surroundings_stand_in_each_line(log: Log) -> None:
    """`about` reaches every logger of the thread, `bind` one logger; the call's own fields win."""
    saga: Logger = get("saga").bind(step="stage")
    with about(app="billing", rotation_id="r1"):
        saga.info(Word.STEP, outcome="ok")
        with about(app="other"):
            get("vault").info(Word.CALL, call="read live", rotation_id="r2")
    saga.info(Word.STEP, step="escrow")
    first, second, third = log.lines
    assert [first[n] for n in ("app", "rotation_id", "step", "outcome")] == ["billing", "r1", "stage", "ok"]
    assert [second[n] for n in ("app", "rotation_id")] == ["other", "r2"]
    assert "app" not in third
    assert third["step"] == "escrow"


def test_another_thread_has_its_own_surroundings(log: Log) -> None:
    """Two workers do not write each other's app."""
    with about(app="billing"):
        thread = threading.Thread(target=lambda: get("t").info(Word.STARTED))
        thread.start()
        thread.join()
    assert "app" not in log.last


class Broken(io.StringIO):
    """A stream on a full disk, until it is mended."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_disk_never_stops_a_rotation() -> None:
    """Lines are lost, nothing is raised, and the next line that gets through tells how many."""
    stream = Broken()
    with set_up(env={}, stderr=stream):
        get("t").info(Word.STARTED)
        get("t").info(Word.STEP)
        stream.full = False
        get("t").info(Word.STOPPED)
        get("t").info(Word.STARTED)
    assert [line.get("lost") for line in Log(stream).lines] == [2, None]


def test_a_closed_stream_never_stops_a_rotation() -> None:
    """The same where standard error was closed."""
    stream = io.StringIO()
    with set_up(env={}, stderr=stream):
        stream.close()
        get("t").info(Word.STARTED)
    assert stream.closed


def test_a_terminal_gets_words() -> None:
    """A person reads time, level, event and name=value; values with blanks stand in quotes."""
    reader, writer = pty.openpty()
    with closing(os.fdopen(writer, "w")) as terminal, set_up(env={}, stderr=terminal):
        get("t").warning(Word.HELD, app="billing", reason="slot taken", count=3)
        shown = os.read(reader, 4096).decode()
    os.close(reader)
    assert shown[8:].strip() == 'Z warning held app=billing reason="slot taken" count=3'


def journal_of(stream: io.TextIOWrapper) -> dict[str, str]:
    seen = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{seen.st_dev}:{seen.st_ino}"}


def test_a_service_writes_json_with_priorities_on_standard_output(tmp_path: Path) -> None:
    """systemd tells where the journal is; the priority stands before each line."""
    with (
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
        set_up(env=journal_of(out), stdout=out, stderr=err),
    ):
        get("t").info(Word.STARTED)
        get("t").error(Word.HELD)
    first, second = (tmp_path / "out").read_text().splitlines()
    assert first.startswith('<6>{"ts"')
    assert json.loads(second.removeprefix("<3>"))["event"] == "held"
    assert (tmp_path / "err").read_text() == ""


def test_a_document_on_standard_output_is_left_alone(tmp_path: Path) -> None:
    """With --json the log goes to standard error, though standard output is the journal."""
    with (
        (tmp_path / "out").open("w") as out,
        (tmp_path / "err").open("w") as err,
        set_up(env=journal_of(out), stdout=out, stderr=err, stdout_taken=True),
    ):
        get("t").info(Word.STARTED)
    assert (tmp_path / "out").read_text() == ""
    assert json.loads((tmp_path / "err").read_text())["event"] == "started"


def test_a_foreign_journal_is_not_ours(tmp_path: Path) -> None:
    """JOURNAL_STREAM inherited from somebody else's service does not match our streams."""
    with (tmp_path / "err").open("w") as err, set_up(env={"JOURNAL_STREAM": "1:2"}, stderr=err):
        get("t").info(Word.STARTED)
    assert (tmp_path / "err").read_text().startswith('{"ts"')


def test_before_the_set_up_and_after_it_nothing_is_written() -> None:
    """The log is silent until it is set up; undone, everything is as it was."""
    root, hook = logging.getLogger(), sys.excepthook
    before = (list(root.handlers), root.level, warnings.showwarning, threading.excepthook)
    stream = io.StringIO()
    get("t").info(Word.STARTED)
    with set_up(env={}, stderr=stream):
        assert sys.excepthook is not hook
    get("t").info(Word.STOPPED)
    assert stream.getvalue() == ""
    assert (list(root.handlers), root.level, warnings.showwarning, threading.excepthook) == before
    assert sys.excepthook is hook


def test_importing_the_log_is_cheap() -> None:
    """`rotator --version` must not pay for structlog."""
    script = "import sys, rotator.log; print(sorted({'structlog', 'rich', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == b"[]"


def test_mypy_knows_the_fields() -> None:
    """The list for mypy and the list at run time are one."""
    assert set(Fields.__annotations__) == FIELDS
