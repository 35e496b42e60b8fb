"""What `calibrate` refuses before it changes anything, and what it takes for its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rotator.checks.calibrate.guard import left_behind
from rotator.checks.calibrate.work import calibrated
from rotator.domain.errors import Refused
from rotator.domain.words import Outcome, Phase
from tests.calibrate.worlds import Bench, bench, wrong

USED: dict[str, tuple[Callable[[Bench], object], str]] = {
    "a token of somebody": (lambda one: one.door.post("/orgs/acme/apps/billing/logins"), "tokens or sessions"),
    "a foreign staged pair": (lambda one: one.world.stranger("stage"), "staged slot"),
    "two users": (
        lambda one: [one.door.post("/orgs/acme/apps/billing/logins", username=name)
                     for name in ("admin@acme.example", "orders@acme.example")], "2 users"),
}  # fmt: skip


@pytest.mark.parametrize("sign", USED)
def test_an_app_that_looks_used_is_left_as_it_is(sign: str) -> None:
    """Each sign of use is refused with words of its own, and no change was made."""
    use, words = USED[sign]
    with bench(5, facts={"created_by_given": "no"}) as one:
        use(one)
        before = one.truth()
        with pytest.raises(Refused, match=words) as refused:
            one.run()
        assert refused.value.code == ("slot_taken" if words == "staged slot" else "app_in_use")
        assert one.truth() == before
        assert {row["phase"] for row in one.rows} <= {Phase.OBSERVE}


def test_tokens_of_others_are_neither_taken_for_ours_nor_ended() -> None:
    """A canary of the configuration may have living tokens: every lever is pulled on our own login alone."""
    with bench(5, facts={"tokens_die_with_pair": "no"}) as one:
        one.door.post("/orgs/acme/apps/billing/logins", count=2)
        assert wrong(one, one.run(trusted=True)) == {}
        assert one.truth()["gone"][0]["tokens"] == 2


def test_where_sessions_are_shared_tokens_of_others_are_ended_before_they_mislead() -> None:
    """A login may get any living token of the app: none of those is taken for a fresh one of our pair."""
    shared = {"session_shared_between_logins": "yes", "tokens_die_with_pair": "no"}
    with bench(6, facts=shared, shapes={"session_shared_scope": "app"}) as one:
        one.door.post("/orgs/acme/apps/billing/logins", count=5)
        assert wrong(one, one.run(trusted=True)) == {}


def test_the_rotators_own_app_is_refused() -> None:
    """Its key is one that the rotator logs in with."""
    with bench(5) as one:
        key = one.truth()["primary"]["key"]
        with pytest.raises(Refused, match="the rotator itself logs in"):
            calibrated(one.lab(), [], [key], lambda held: one.world.user_id, trusted=False)


def test_an_app_with_two_consumers_is_refused() -> None:
    """A block would lock the other one out."""
    with bench(5) as one:
        one.door.post("/orgs/acme/apps", name="pair", developer_name="Pair", consumers=2)
        lab = one.lab()
        ids = one.door.get("/world")["orgs"]["acme"]["apps"]["pair"]["consumer_ids"]
        lab.consumer = lab.org.find("Pair", ids[0])
        with pytest.raises(Refused, match="1 other consumers"):
            calibrated(lab, [], [], lambda held: one.world.user_id, trusted=False)


def row(act: str, phase: Phase, outcome: Outcome | None = None, **more: object) -> dict[str, Any]:
    """A row of the trail."""
    stamp = datetime(2026, 11, 24, tzinfo=UTC).isoformat()
    return {"ts": stamp, "phase": phase, "outcome": outcome, "evidence": {"act": act, **more}}


def test_the_trail_tells_what_an_earlier_calibration_left() -> None:
    """A POST without an outcome, keys that passed through our hands, a switch that was turned and not turned back."""
    minting = left_behind([row("stage", Phase.INTENT)])
    assert (minting.minting, minting.blocking) == (True, False)
    assert left_behind([row("stage", Phase.INTENT), row("stage", Phase.OUTCOME, Outcome.UNKNOWN)]).minting
    told = left_behind([
        row("stage", Phase.INTENT), row("stage", Phase.OUTCOME, Outcome.OK),
        row("promote", Phase.INTENT, key_fp="new", displaced_fp="old"),
        row("block", Phase.INTENT), row("block", Phase.OUTCOME, Outcome.OK)])  # fmt: skip
    assert (told.minting, told.blocking, told.keys) == (False, True, frozenset({"new", "old"}))
    over = [row("unblock", Phase.INTENT), row("unblock", Phase.OUTCOME, Outcome.OK)]
    assert left_behind([row("block", Phase.INTENT), *over]).blocking is False
    assert left_behind([]).since is None
