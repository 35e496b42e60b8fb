"""`rotator audit export`, as an operator runs it."""

from __future__ import annotations

import csv
import io
import json
import subprocess

import pytest

from rotator.domain.chain import row_hash
from tests.acceptance.scene import Scene
from tests.audit.test_verify_export import SCRIPT
from tests.servers.fixtures import place_of


@pytest.mark.needs("node")
def test_a_rotation_is_exported_and_verified_with_node_alone(scene: Scene) -> None:
    """The file tells the trail; it belongs to its owner alone; the script confirms it; the reading stands in the
    trail."""
    assert scene.run("rotate", "billing").code == 0
    file = scene.folder / "trail.jsonl"
    done = scene.json("audit", "export", "--out", str(file))
    assert done.code == 0, done.err
    assert done.told["verifiable"] is True
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(scene.folder.glob(".*.part"))
    _, *rows, _ = map(json.loads, file.read_text().splitlines())
    assert [row["seq"] for row in rows] == list(range(1, done.told["rows"] + 1))
    assert {"stage", "escrow", "verify", "publish"} <= {row["step"] for row in rows}
    assert all(row_hash(row) == row["hash"] for row in rows)
    seen = subprocess.run([place_of("node"), str(SCRIPT), str(file)], capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stdout
    last = dict(scene.json("history").told["events"][-1])
    assert last["step"] == "read"
    del last["evidence"]["uid"]
    assert last["evidence"] == {"read": "audit export", "format": "jsonl", "filter": {}, "rows": len(rows),
                                "head": rows[-1]["seq"]}  # fmt: skip


def test_csv_and_ocsf_go_to_standard_output_and_filters_hold(scene: Scene) -> None:
    """Without `--out` the lines come out and nothing else; each filter of the command is one of the rows."""
    assert scene.run("rotate", "billing").code == 0
    told = scene.run("audit", "export", "--format", "csv", "--step", "publish")
    assert told.code == 0, told.err
    rows = list(csv.DictReader(io.StringIO(told.out, newline="")))
    assert {(row["step"], row["app"]) for row in rows} == {("publish", "billing")}
    rotation = rows[0]["rotation_id"]
    words = ("audit", "export", "--format", "ocsf", "--rotation", rotation, "--app", "billing", "--org", "acme",
             "--since", "1h", "--until", "2999-01-01T00:00:00Z")  # fmt: skip
    events = [json.loads(line) for line in scene.run(*words).out.splitlines()]
    mine = [row["event_id"] for row in scene.events() if row["rotation_id"] == rotation]
    assert [event["metadata"]["uid"] for event in events] == mine
    assert scene.run("audit", "export", "--format", "ocsf", "--until", "2001-01-01T00:00:00Z").out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--step", "publisch"), "no step is called publisch"), (("--since", "soon"), "--since takes a time"),
     (("--until", "soon"), "--until takes a time"), (("--out", "/nowhere/file"), "No such file or directory"),
     (("--format", "xml"), "'xml' is not one of")],
)  # fmt: skip
def test_bad_input_is_one_clear_error(scene: Scene, words: tuple[str, ...], said: str) -> None:
    """What is wrong and what to do; exit 2."""
    done = scene.run("audit", "export", *words)
    assert done.code == 2
    assert said in done.err
    assert "fix:" in done.err

