"""A forced rotation is looked at again after 24 and 48 hours."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from rotator.config import load
from rotator.domain.rotation import Who
from rotator.process import Stop, SystemClock
from rotator.wiring.connections import Connections
from rotator.wiring.followups import look
from tests.acceptance.scene import Json
from tests.evidence.conftest import Case

CHANNEL = '[[notify]]\nname = "desk"\nkind = "webhook"\nurl = "https://desk.example.com/in"\n'


def aged(case: Case, hours: int) -> None:
    """The rotation began so long ago, and so the time of its approval is over."""
    began = datetime.fromisoformat(case.rotation["started_at"]) - timedelta(hours=hours)
    with closing(sqlite3.connect(case.scene.database)) as database, database:
        database.execute("UPDATE approvals SET until = asked_at")
        database.execute("UPDATE rotations SET started_at = ? WHERE id = ?",
                         (began.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), case.rotation["rotation_id"]))  # fmt: skip


def addenda(case: Case) -> list[dict[str, object]]:
    """The addenda of the rotation in the trail."""
    return [e["evidence"] for e in case.scene.events()
            if "addendum" in e["evidence"] and e["rotation_id"] == case.rotation["rotation_id"]]  # fmt: skip


def again(case: Case) -> Case:
    """The app is forced once more, by one alone; a channel is told of what happens from now on."""
    case.scene.config.write_text(case.scene.config.read_text() + CHANNEL)
    done = case.scene.json("force", "billing", "--reason", "again", "--ticket", "INC-8", "--break-glass")
    assert done.code == 0, done.err
    return replace(case, rotation=done.rotation)


def looked(case: Case, hours: int) -> int:
    """How many addenda are written so long after the decision, in this process."""
    aged(case, hours)
    loaded = load(case.scene.config, {})
    with closing(Connections(loaded, SystemClock(Stop()), host="test", version="0")) as connections:
        return look(connections, Who())


def live(case: Case, content: Json | None = None) -> Json:
    """The content of billing's live path; somebody writes it first, where it is given."""
    vault = case.scene.world["vault"]
    url, header = f"{vault['url']}/v1/secret/data/salesforce/acme/billing", {"x-vault-token": vault["root_token"]}
    with httpx.Client(trust_env=False, headers=header) as client:
        if content is not None:
            client.post(url, json={"data": content}).raise_for_status()
        return dict(client.get(url).json()["data"]["data"])


def told(case: Case) -> list[tuple[str, str]]:
    """What the channel is to be told of the rotation: topic and reason."""
    with closing(sqlite3.connect(case.scene.database)) as database:
        bodies = [json.loads(body) for (body,) in database.execute("SELECT body FROM outbox ORDER BY at")]
    return [(one["topic"], one["reason"]) for one in bodies if one["rotation_id"] == case.rotation["rotation_id"]]


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


@pytest.mark.timeout(300)
def test_the_old_pair_back_is_told_and_what_cannot_be_asked_is_unknown(case: Case) -> None:
    """Somebody writes the pair that was forced out to the live path again: the addendum fails, says where it is, and
    the channel is told. Later, that undone, the org does not answer: nothing is written for twelve hours, then
    `unknown`, which is neither clean nor an alarm."""
    old, case = live(case), again(case)
    new = live(case)
    live(case, old)
    assert looked(case, 25) == 1
    assert [(one["verdict"], one["old_pair"]) for one in addenda(case)] == [("old pair back", "back: live path")]
    assert told(case).count(("drift", "old_pair_back")) == 1
    live(case, new)
    case.scene.fault("status", {"site": "org"}, times=500, args={"status": 503, "body": ""})
    assert [looked(case, hours) for hours in (49, 61)] == [0, 1]
    case.scene.door("DELETE", "/faults")
    last = addenda(case)[-1]
    assert (last["addendum"], last["verdict"], last["old_pair"], last["complete"]) == (48, "unknown", "unknown", False)
    outcomes = [e["outcome"] for e in case.scene.events() if e["evidence"].get("addendum") and e["ticket"] != "INC-7"]
    assert outcomes[-2:] == ["failed", "unknown"]
    assert told(case).count(("drift", "old_pair_back")) == 1
