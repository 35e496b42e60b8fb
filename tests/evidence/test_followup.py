"""A forced rotation is looked at again after 24 and 48 hours."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.evidence.conftest import Case


def aged(case: Case, hours: int) -> None:
    """The rotation began so long ago, and so the time of its approval is over."""
    began = datetime.fromisoformat(case.rotation["started_at"]) - timedelta(hours=hours)
    with closing(sqlite3.connect(case.scene.database)) as database, database:
        database.execute("UPDATE approvals SET until = asked_at")
        database.execute("UPDATE rotations SET started_at = ? WHERE id = ?",
                         (began.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), case.rotation["rotation_id"]))  # fmt: skip


def addenda(case: Case) -> list[dict[str, object]]:
    """The addenda in the trail."""
    return [e["evidence"] for e in case.scene.events() if "addendum" in e["evidence"]]


@pytest.mark.timeout(300)  # six commands, each a process, beside those of the fixture
def test_an_addendum_after_a_day_and_after_two(case: Case, tmp_path: Path) -> None:
    """Nothing before; one after 24 hours; at 48 one more, and the first is not written again; each is signed, says
    that the old pair is in no place, and stands in the package, which verifies."""
    assert addenda(case) == []
    for hours, expected in ((25, [24]), (49, [24, 48])):
        aged(case, hours)
        case.scene.json("run", "--once")
        assert [one["addendum"] for one in addenda(case)] == expected
    told = {(one["verdict"], one["old_pair"], one["live"]) for one in addenda(case)}
    assert told == {("clean", "in no place", "new")}
    assert all(one["signature"] for one in addenda(case))
    file = tmp_path / "later.json"
    assert case.scene.json("evidence", case.rotation["rotation_id"], "--out", str(file)).code == 0
    assert [one["addendum"] for one in json.loads(file.read_text())["story"]["addenda"]] == [24, 48]
    assert "24 h" in file.with_suffix(".html").read_text()
    found = case.scene.json("evidence", "verify", str(file), "--public-key", str(case.public)).told
    assert found["wrong"] == []
