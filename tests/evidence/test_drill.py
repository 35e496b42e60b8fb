"""A drill, and what `status` says of a leak since."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.scene import Door, Scene


def test_a_drill_shows_how_long_a_leaked_secret_would_live(door: Door, tmp_path: Path) -> None:
    """Refused of an app that is no canary; of a canary a force, proven; then every app of the org has its figures,
    which were unknown before."""
    scene = Scene(door, tmp_path)
    scene.configure(orders="canary = true")
    no = scene.json("drill", "billing")
    assert (no.code, no.told["errors"][0]["code"]) == (2, "no_canary_app"), no.out
    (before, _) = scene.json("status").told["apps"]
    assert (before["if_leaked"]["refused_s"], before["if_leaked"]["sessions_dead"]) == (None, "unknown")
    done = scene.json("drill", "orders")
    assert (done.code, done.rotation["trigger"], done.rotation["state"]) == (0, "force", "done"), done.err
    (told,) = scene.json("status", "billing").told["apps"]
    seen = told["if_leaked"]
    assert (seen["seen_on"], seen["drill"], seen["sessions_dead"]) == ("orders", True, "yes")
    assert 0 <= seen["refused_s"] <= seen["proven_s"]
    assert "sessions provably dead: yes" in scene.run("status", "billing").out
