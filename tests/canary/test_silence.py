"""`assert_silent` fails on a leak in every kind of sink, and where it could not look."""

from __future__ import annotations

import base64
import gzip
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.canary.silence import (
    CannotLookError,
    Sink,
    assert_silent,
    core_limit,
    exception_text,
    observe,
    process_sinks,
)

TOKEN = "hvs.CAESIPx7Kq2mWv9Lr4TzYb8Nc3HdJf6GsUe1QaXo5RiMk0ZtGh4KHGh2cy5BbDlFc1V"
SECRETS = {"the token": TOKEN}


def assert_leaks(sinks: dict[str, Sink]) -> str:
    with pytest.raises(AssertionError, match="not silent") as caught:
        assert_silent(sinks, SECRETS)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


@contextmanager
def sleeper(*args: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that says it is up and waits to be told to end."""
    script = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, *args]
    with subprocess.Popen(command, stdin=-1, stdout=-1, env={**os.environ, **env}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate()


def test_silent_sinks_pass_and_are_counted(tmp_path: Path) -> None:
    """Nothing leaked: the answer tells what was searched, so that a test can say it searched enough."""
    (tmp_path / "a.log").write_text("all is well")
    looked = assert_silent({"stdout": b"done", "log": tmp_path / "a.log", "state": tmp_path}, SECRETS)
    assert looked["stdout"] == 4
    assert looked["log"] == looked["state: a.log"] == 11


def test_a_leak_in_text_fails() -> None:
    """Text and bytes are searched; the failure names the secret, the sink and the encoding."""
    assert "the token in stderr" in assert_leaks({"stdout": "ok", "stderr": f"x {TOKEN}"})
    assert "base64" in assert_leaks({"stdout": base64.b64encode(TOKEN.encode())})


def test_a_leak_in_a_file_deep_below_fails(tmp_path: Path) -> None:
    """A folder is searched to its depth, packed files too."""
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    (place / "old.log.gz").write_bytes(gzip.compress(f"x {TOKEN}".encode()))
    assert "a/b/old.log.gz" in assert_leaks({"state": tmp_path})


def test_a_leak_in_a_file_name_or_link_fails(tmp_path: Path) -> None:
    """Names of files and targets of links are read by everybody."""
    (tmp_path / "link").symlink_to(f"/nowhere/{TOKEN}")
    assert "state: names" in assert_leaks({"state": tmp_path})


def test_a_leak_in_the_write_ahead_log_fails(tmp_path: Path) -> None:
    """A row that was deleted still stands in SQLite's side files."""
    file = tmp_path / "rotator.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("pragma journal_mode=wal")
        db.execute("create table t (x)")
        db.commit()
        db.execute("insert into t values (?)", (TOKEN,))
        db.commit()
        db.execute("delete from t")
        db.commit()
        assert "rotator.db-wal" in assert_leaks({"database": file})


def test_a_leak_in_a_command_line_fails() -> None:
    """What stands in argv is found while the process runs."""
    with sleeper("--secret", TOKEN) as process:
        assert "cmdline of" in assert_leaks(dict(process_sinks(process.pid)))


def test_a_leak_in_an_environment_fails() -> None:
    """What stands in the environment is found while the process runs."""
    with sleeper(VAULT_TOKEN=TOKEN) as process:
        assert "environ of" in assert_leaks(dict(process_sinks(process.pid)))


def test_a_silent_process_passes() -> None:
    """Command line and environment of a process that was given nothing are searched and clean."""
    with sleeper() as process:
        looked = assert_silent(process_sinks(process.pid), SECRETS)
    assert {name.split()[0] for name in looked} == {"cmdline", "comm", "environ"}


def test_children_are_observed_until_the_end() -> None:
    """A child that is given the secret is found, though the process itself is clean."""
    child = "import time; time.sleep(0.3)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}, sys.stdin.read()])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=-1) as process:
        assert process.stdin is not None
        process.stdin.write(TOKEN.encode())
        process.stdin.close()
        seen = observe(process)
    assert "cmdline of" in assert_leaks(dict(seen))


def test_a_process_that_does_not_end_is_told() -> None:
    """An observation that would last for ever ends with an error."""
    with sleeper() as process, pytest.raises(CannotLookError, match="has not ended"):
        observe(process, timeout=0.05)


def foreign() -> None:
    raise ValueError(TOKEN)


def with_cause() -> BaseException:
    try:
        foreign()
    except ValueError as error:
        ours = RuntimeError("ours")
        ours.__cause__ = error
        return ours
    raise AssertionError


def without_cause() -> BaseException:
    try:
        try:
            foreign()
        except ValueError:
            raise RuntimeError("ours") from None
    except RuntimeError as error:
        return error
    raise AssertionError


def with_note() -> BaseException:
    noted = RuntimeError("ours")
    noted.add_note(f"token {TOKEN}")
    return noted


@pytest.mark.parametrize(
    "error", [with_cause(), with_note(), ExceptionGroup("some", [KeyError(TOKEN)]), OSError(5, "x", TOKEN)]
)
def test_a_leak_in_an_exception_fails(error: BaseException) -> None:
    """Text, arguments, notes, causes and members of groups are searched."""
    assert_leaks({"traceback": error})


def test_a_suppressed_cause_is_not_printed() -> None:
    """`from None` hides the foreign exception from every printer, so it is no leak."""
    error = without_cause()
    assert isinstance(error.__context__, ValueError)
    assert assert_silent({"traceback": error}, SECRETS)
    assert "ours" in exception_text(error)


def test_a_core_file_is_a_leak(tmp_path: Path) -> None:
    """A core file fails the test, even where the secret is not found in it."""
    (tmp_path / "core.1").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x04\x00" + bytes(99))
    assert "core file" in assert_leaks({"state": tmp_path})


def test_the_core_limit_is_read_from_the_kernel() -> None:
    """What a process may dump is read for that process, not for ours."""
    soft, hard = core_limit(os.getpid())
    told = ["unlimited" if n == resource.RLIM_INFINITY else str(n) for n in resource.getrlimit(resource.RLIMIT_CORE)]
    assert [soft, hard] == told


@pytest.mark.parametrize("sink", [b"", "", Path("/nowhere/at/all")])
def test_a_sink_that_proves_nothing_is_an_error(sink: Sink) -> None:
    """Empty or missing is not silent: the run has not written where the test looks."""
    with pytest.raises(CannotLookError):
        assert_silent({"log": sink}, SECRETS)


def test_empty_files_and_folders_are_errors(tmp_path: Path) -> None:
    """The same for files and folders, and for no sinks at all."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.log").touch()
    for sinks in ({"a": tmp_path / "folder"}, {"a": tmp_path / "empty.log"}, {}):
        with pytest.raises(CannotLookError):
            assert_silent(sinks, SECRETS)


def test_it_is_fast_enough_for_a_real_run() -> None:
    """An eighth of a megabyte of log is searched for six secrets in a few seconds: slow scans get switched off."""
    line = b'{"seq": 1, "step": "stage", "outcome": "ok", "hash": "%064x"}\n'
    secrets = {f"s{n}": f"{n}" + TOKEN[::-1] for n in range(6)}
    start = time.process_time()
    assert_silent({"log": b"".join(line % (n * 7919**12) for n in range(1000))}, secrets)
    assert time.process_time() - start < 8
