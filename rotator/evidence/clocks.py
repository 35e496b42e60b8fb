"""The clocks of an incident, each read from one row of the trail. Human time and machine time are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """One clock: `fits` finds its row; the last one where `last`, else the first."""

    name: str
    words: str
    fits: Callable[[Row], bool]
    last: bool = False


def did(step: str, phase: str = "outcome", outcome: str = "ok") -> Callable[[Row], bool]:
    """Rows of this step, phase and outcome."""
    return lambda row: (row["step"], row["phase"], row["outcome"]) == (step, phase, outcome)


def sets(row: Row) -> Mapping[str, Any]:
    """What the row changed of the rotation."""
    told = row["evidence"].get("set")
    return told if isinstance(told, Mapping) else {}


def _opening(row: Row) -> bool:
    return row["step"] == "force" and row["phase"] == "decision" and "started_at" in sets(row)


def _claim(name: str) -> Callable[[Row], bool]:
    return lambda row: row["evidence"].get("claim") == name and row["outcome"] == "ok"


def _live(row: Row) -> bool:
    return did("publish")(row) or bool(sets(row).get("published_version"))


MARKS = (
    Mark("decision", "the force was decided and written down", _opening),
    Mark("blocked", "the app was blocked: no pair logs in", did("block")),
    Mark("accepted", "the new pair logged in", lambda row: bool(sets(row).get("verified"))),
    Mark("live", "readers of Vault get the new pair", _live),
    Mark("unblocked", "the app was opened again", did("unblock")),
    Mark("retired", "the old pair was deleted", did("retire")),
    Mark("refused", "Salesforce refused the old pair", lambda row: bool(sets(row).get("refused_at"))),
    Mark("sessions_ended", "sessions and tokens of the old pair were ended", did("revoke")),
    Mark("sessions_dead", "the old pair's token is proven dead", _claim("tokens"), last=True),
    Mark("proven", "every claim is proven", lambda row: sets(row).get("state") == "done", last=True),
)


def clocks(rows: Sequence[Row]) -> list[Json]:
    """The clocks that have stopped, by their time. `seconds` counts from the decision; null where it is not known."""
    found = [(mark, row) for mark in MARKS if (row := _row_of(mark, rows)) is not None]
    start = next((row["ts"] for mark, row in found if mark.name == "decision"), None)
    told = [{"name": mark.name, "words": mark.words, "at": row["ts"], "seq": row["seq"],
             "seconds": between(start, row["ts"])} for mark, row in found]  # fmt: skip
    return sorted(told, key=lambda one: (str(one["at"]), int(str(one["seq"]))))


def missing(rows: Sequence[Row]) -> list[str]:
    """The clocks that have not stopped; blocking is not asked of every force."""
    optional = {"blocked", "unblocked"}
    return [mark.name for mark in MARKS if mark.name not in optional and _row_of(mark, rows) is None]


def _row_of(mark: Mark, rows: Iterable[Row]) -> Row | None:
    fitting = [row for row in rows if mark.fits(row)]
    return (fitting[-1] if mark.last else fitting[0]) if fitting else None


def human(rows: Sequence[Row], approvals: Sequence[Row]) -> Json:
    """The time that people took: from asking for a second person to the approval, and held until somebody released."""
    asked = next((row["ts"] for row in approvals if row["outcome"] == "held"), None)
    approved = next((row["ts"] for row in approvals if row["outcome"] == "ok"), None)
    waits, since = [], None
    for row in rows:
        if sets(row).get("state") == "held":
            since = since or row["ts"]
        elif since is not None and row["step"] in ("release", "abandon") and row["phase"] == "decision":
            waits.append({"from": since, "to": row["ts"], "seconds": between(since, row["ts"])})
            since = None
    return {"asked_at": asked, "approved_at": approved, "approval_s": between(asked, approved), "held": waits}


def between(start: str | None, end: str | None) -> float | None:
    """Seconds from one time of the trail to another."""
    if start is None or end is None:
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)
