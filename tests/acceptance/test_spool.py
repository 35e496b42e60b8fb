"""A compromise while the database is away."""

from __future__ import annotations

from tests.acceptance.scene import Scene

AWAY = '[database]\nurl = "postgresql+psycopg://rotator@127.0.0.1:1/rotator"'
ORDER = ("force", "orders", "--reason", "leak", "--ticket", "INC-1", "--yes")


def configured(scene: Scene, database: str) -> None:
    scene.configure(database=database, billing="enabled = false")
    scene.config.write_text(scene.config.read_text() + f'[audit]\nspool = "{scene.folder}/spool"\n')


def test_a_force_by_break_glass_needs_no_database_and_comes_into_the_trail_later(scene: Scene) -> None:
    """Done and proven without a database; the same order resumes; without --break-glass nothing is begun. The next
    command with a database merges it: rows flagged, chained, the rotation known, nothing twice."""
    configured(scene, AWAY)
    refused = scene.json(*ORDER)
    assert (refused.code, scene.calls()) == (75, []), refused.out
    done = scene.json(*ORDER, "--break-glass")
    assert (done.code, done.rotation["state"]) == (0, "done"), done.err
    assert "the database is away" in done.err
    assert set(done.rotation["claims"].values()) == {"proven"}
    spool = scene.folder / "spool" / "acme.jsonl"
    lines = len(spool.read_text().splitlines())
    assert not any(secret in spool.read_text() for secret in scene.secrets())
    configured(scene, "")
    assert scene.json("rotate", "orders", "--dry-run").code == 0
    rows = [row for row in scene.events("orders") if "spool" in row["evidence"]]
    assert (len(rows), {row["break_glass"] for row in rows}) == (lines, {True})
    assert {row["rotation_id"] for row in rows} == {done.rotation["rotation_id"]}
    assert not spool.exists()
    assert scene.json("db", "rebuild", "--dry-run").told["changed"] == []
    assert scene.json("audit", "verify").told["ok"] is True
