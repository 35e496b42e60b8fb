"""Answers: documents, and errors with their HTTP status."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from rotator import log
from rotator.control.callers import NOT_PERMITTED, UNKNOWN_CALLER
from rotator.domain.errors import NotFound, Refused, RotatorError, Unavailable, UsageError
from rotator.wiring.told import failure

LOG = log.get("control")
BY_CODE = {
    UNKNOWN_CALLER: 401, NOT_PERMITTED: 403, "unknown_app": 404, "unknown_org": 404, "no_such_call": 404,
    "wrong_method": 405, "too_slow": 408, "too_large": 413, "too_many": 429,
}  # fmt: skip
VERSION = "rotator-version"


class Document(JSONResponse):
    """A document, as the command line writes it."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, ensure_ascii=False, default=str).encode("utf-8", "replace")


def document(content: Mapping[str, object], status: int = 200) -> Response:
    """An answer that is no error."""
    return Document(content, status)


def error(failed: RotatorError, more: Mapping[str, str] | None = None) -> Response:
    """An error as the contract has it; nothing that a caller can cause is a 5xx."""
    status = status_of(failed)
    headers = {**({"retry-after": "5"} if status == 503 else {}), **(more or {})}
    return Document(failure(failed), status, headers)


def status_of(failed: RotatorError) -> int:
    """The HTTP status of an error."""
    if failed.code in BY_CODE:
        return BY_CODE[failed.code]
    if isinstance(failed, UsageError):
        return 400
    if isinstance(failed, NotFound):
        return 404
    if isinstance(failed, Unavailable):
        return 503
    return 409 if isinstance(failed, Refused) or failed.exit_code != 1 else 500


def defect(failed: Exception) -> Response:
    """What nobody foresaw. Its text may hold what must not be shown."""
    LOG.error(log.Word.CRASHED, error=failed)
    told = RotatorError(f"a defect in rotator: {type(failed).__qualname__}", code="defect",
                        fix="see the daemon's log and report the lines; a rotation goes on where it was")
    return Document(failure(told), 500)
