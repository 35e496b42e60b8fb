"""The age of each secret against its policy, and what is overdue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.adapters.sql.survey import survey
from rotator.domain.standing import Standing
from rotator.reports.report import Bar, Report, words
from rotator.wiring.due import standing_of
from rotator.wiring.reports.ask import Ask


@dataclass(frozen=True, slots=True)
class Age:
    """One app. `last` None: it was never rotated here, so the age of its secret is not known."""

    app: str
    org: str
    last: datetime | None
    age: timedelta | None
    max_age: timedelta
    standing: Standing

    @property
    def verdict(self) -> str:
        """Against the policy: within, too old, or unknown."""
        if self.age is None:
            return "unknown: never rotated here"
        return "too old" if self.age > self.max_age else "within"


def found(ask: Ask) -> Iterator[Age]:
    """Every configured app."""
    seen = survey(ask.connections.database)
    rows = {row.app: row for row in seen.open}
    for name, app in ask.apps():
        last = seen.last.get(name)
        standing = standing_of(ask.connections, name, seen, rows.get(name))
        yield Age(name, app.org, last, seen.now - last if last else None, app.max_age, standing)


def ages(ask: Ask) -> Report:
    """Every app, the oldest part of its limit first."""
    told = sorted(found(ask), key=lambda one: (one.age or timedelta.max) / max(one.max_age, timedelta(seconds=1)),
                  reverse=True)  # fmt: skip
    columns = {"app": "App", "org": "Org", "last_rotated_at": "Last rotated", "age_s": "Age", "max_age_s": "Limit",
               "verdict": "Against the limit", "next_due_at": "Next due", "why": "Why then"}  # fmt: skip
    rows = tuple({"app": one.app, "org": one.org, "last_rotated_at": one.last, "age_s": one.age,
                  "max_age_s": one.max_age, "verdict": one.verdict, "next_due_at": one.standing.at,
                  "why": one.standing.words} for one in told)  # fmt: skip
    figures = {verdict: sum(one.verdict.startswith(verdict) for one in told) for verdict in _VERDICTS}
    bars = tuple(Bar(one.app, _days(one.age), _days(one.max_age), words(one.age), one.verdict != "within")
                 for one in told)  # fmt: skip
    return Report("ages", "Age of each secret against its policy", "From the rotations that retired an old pair and the"
                  " limit (max_age) of each app.", ask.at, columns, rows, {"apps": len(told), **figures}, ask.org,
                  bars=bars)  # fmt: skip


_VERDICTS = ("within", "too old", "unknown")


def overdue(ask: Ask) -> Report:
    """What should have been rotated by now, the longest first."""
    late = [one for one in found(ask) if one.standing.overdue or one.verdict == "too old"]
    late.sort(key=lambda one: one.standing.since or one.last or ask.at)
    columns = {"app": "App", "org": "Org", "since": "Overdue since", "age_s": "Age", "max_age_s": "Limit",
               "verdict": "Against the limit", "code": "Code", "why": "Why"}  # fmt: skip
    rows = tuple({"app": one.app, "org": one.org, "since": one.standing.since, "age_s": one.age,
                  "max_age_s": one.max_age, "verdict": one.verdict, "code": one.standing.code.value,
                  "why": one.standing.words} for one in late)  # fmt: skip
    bars = tuple(Bar(one.app, _days(one.age), _days(one.max_age), words(one.age), bad=True) for one in late)
    return Report("overdue", "Overdue rotations", "Apps whose first chance to be rotated has passed, or whose secret is"
                  " older than its limit.", ask.at, columns, rows, {"overdue": len(late)}, ask.org,
                  bars=bars)  # fmt: skip


def _days(value: timedelta | None) -> float:
    return value.total_seconds() / 86400 if value else 0.0
