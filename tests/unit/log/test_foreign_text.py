"""Errors, other libraries, warnings and crashes are told without their text."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import httpx
import pytest
import sqlalchemy

from rotator.domain.errors import CasMismatch, Refused, UsageError
from rotator.log import LEVELS, QUIET, Word, get, set_up
from tests.canary.silence import assert_silent
from tests.unit.log.lines import SECRET, Log, raised


def test_our_error_is_told_with_its_fix(log: Log) -> None:
    """Class, code, message, fix, and what the far side said of itself."""
    error = raised(CasMismatch("the version moved", http_status=400, request_id="r-1"))
    get("vault").warning(Word.RETRY, error=error)
    assert {n: log.last[n] for n in ("error", "code", "message", "http_status", "remote_request_id")} == {
        "error": "CasMismatch",
        "code": "check_and_set",
        "message": "the version moved",
        "http_status": 400,
        "remote_request_id": "r-1",
    }
    assert log.last["fix"].startswith("nothing to do")


def test_a_foreign_error_is_told_by_its_class_only(log: Log) -> None:
    """Its text may hold a response body or a URL: it is not read, nor that of what caused ours."""
    get("vault").error(Word.RETRY, error=raised(ValueError(SECRET)))
    get("vault").error(Word.RETRY, error=raised(Refused("no"), ValueError(SECRET)))
    assert [line["error"] for line in log.lines] == ["ValueError", "Refused"]
    assert log.last["because"] == ["ValueError"]
    assert "message" not in log.lines[0]
    assert_silent({"log": log.text}, {"secret": SECRET})


def test_frames_are_told_at_debug_without_locals(log: Log) -> None:
    """File, line and function of each frame; no source text and no variables."""
    get("saga").error(Word.CRASHED, error=raised(ValueError("x")))
    assert log.last["frames"][0].endswith(" raised")
    assert "local" not in log.text
    assert_silent({"log": log.text}, {"secret": SECRET})


def test_frames_are_not_told_above_debug() -> None:
    """At info an error is one short line."""
    stream = io.StringIO()
    with set_up("info", env={}, stderr=stream):
        get("saga").error(Word.CRASHED, error=raised(ValueError("x")))
    assert "frames" not in Log(stream).last


@pytest.mark.parametrize("name", [*QUIET, "httpcore.connection", "sqlalchemy.engine.Engine", "some.other"])
def test_other_libraries_pass_from_warning_up_and_without_text(log: Log, name: str) -> None:
    """Even a library that sets its own level to DEBUG says nothing below WARNING, and above it only where."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.debug("secret %s", SECRET)
    logger.info("secret %s", SECRET)
    assert log.text == ""
    logger.warning("secret %s", SECRET, extra={"body": SECRET})
    logger.error("secret " + SECRET, exc_info=ValueError(SECRET))
    logger.setLevel(before)
    assert [line["level"] for line in log.lines] == ["warning", "error"]
    assert {line["library"] for line in log.lines} == {name}
    assert log.last["place"].startswith("test_foreign_text:test_other_libraries")
    assert_silent({"log": log.text}, {"secret": SECRET})


def test_a_handler_that_a_library_has_set_is_taken_off() -> None:
    """A library's own way to standard error is closed: its records go through ours only."""
    own, ours = io.StringIO(), io.StringIO()
    handler, logger = logging.StreamHandler(own), logging.getLogger("urllib3")
    logger.addHandler(handler)
    with set_up(env={}, stderr=ours):
        logger.warning("secret %s", SECRET)
    assert handler in logger.handlers
    logger.removeHandler(handler)
    assert own.getvalue() == ""
    assert Log(ours).last["library"] == "urllib3"


def test_a_broken_record_prints_nothing(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose text does not fit its arguments must not print them (logging would, on standard error)."""
    logging.getLogger("httpx").warning("%d", SECRET)
    assert log.last["library"] == "httpx"
    assert capsys.readouterr().err == ""


def test_httpx_and_sqlalchemy_are_silent_at_debug(log: Log) -> None:
    """The real libraries, doing what they log most about: a URL with a query, a statement with parameters."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, text=SECRET))
    with httpx.Client(transport=transport) as client:
        client.get(f"https://acme.example/x?token={SECRET}", headers={"authorization": SECRET})
    engine = sqlalchemy.create_engine("sqlite://", echo="debug")
    with engine.connect() as db:
        db.execute(sqlalchemy.text("select :secret"), {"secret": SECRET})
    engine.dispose()
    get("t").info(Word.STARTED)
    assert [line["event"] for line in log.lines] == ["started"]


def test_warnings_are_told_by_kind_and_place(log: Log) -> None:
    """A warning's text is foreign as well."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning(f"x {SECRET}", UserWarning, "file.py", 3)
    assert log.last["library"] == "UserWarning"
    assert log.last["place"] == "file.py:3"
    assert_silent({"log": log.text}, {"secret": SECRET})


CRASHES = {
    "main": "raise ValueError(secret)",
    "thread": "t = threading.Thread(target=int, args=(secret,)); t.start(); t.join()",
    "finalizer": "class T:\n    def __del__(self): raise ValueError(secret)\nT()",
}


@pytest.mark.parametrize("place", CRASHES)
@pytest.mark.parametrize("level", LEVELS)
def test_an_uncaught_exception_is_one_line_without_its_text(place: str, level: str) -> None:
    """The interpreter's own traceback, which prints the exception's text, is never seen: in no thread."""
    script = f"import sys, threading\nfrom rotator.log import set_up\nset_up({level!r})\nsecret = sys.stdin.read()\n"
    done = subprocess.run(
        [sys.executable, "-c", script + CRASHES[place]],
        input=SECRET,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    line = json.loads(done.stderr)
    assert (line["event"], line["error"]) == ("crashed", "ValueError")
    assert "report" in line["fix"]
    assert_silent({"stderr": done.stderr}, {"secret": SECRET})


def test_an_uncaught_error_of_ours_keeps_its_fix(log: Log) -> None:
    """A defect is told to be reported; an error of ours already says what to do."""
    error = raised(UsageError("no such app", fix="see `rotator status`"))
    sys.excepthook(type(error), error, error.__traceback__)
    assert log.last["fix"] == "see `rotator status`"
