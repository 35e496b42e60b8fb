"""The runbook's page "A secret leaked": its lines are run as they stand, by two persons."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.acceptance.people import as_other
from tests.acceptance.scene import Door
from tests.evidence.conftest import strict

PAGE = Path(__file__).parents[2] / "docs/runbook.md"
SECOND = ("approve", "review")  # what the other person says


def lines() -> list[list[str]]:
    """The commands of the page, without `rotator`."""
    (block,) = re.findall(r"^## A secret leaked\n.*?^```sh\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    found = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert {words[0] for words in found} == {"rotator"}
    return [words[1:] for words in found]


@pytest.mark.timeout(300)  # nine commands, each a process
def test_the_lines_of_the_page_lead_from_the_leak_to_the_package(door: Door, tmp_path: Path) -> None:
    """Held for approval, approved by another, forced, proven, told; the old pair is dead by the org's own record. A
    review is refused, for nobody was alone."""
    scene, _ = strict(door, tmp_path)
    old, codes, names = scene.truth()["primary"]["key"], [], {"$REQUEST": "", "$ROTATION": "", "incident.json": ""}
    names["incident.json"] = str(tmp_path / "incident.json")
    for words in lines():
        said = [names.get(word, word) for word in words]
        done = as_other(scene, *said) if said[0] in SECOND else scene.json(*said)
        codes.append((said[0], done.code))
        for row in done.told.get("rotations", ()):
            names["$REQUEST"] = row.get("request_id") or names["$REQUEST"]
            names["$ROTATION"] = row["rotation_id"] or names["$ROTATION"]
    assert codes == [("status", 0), ("force", 3), ("approve", 0), ("force", 0), ("status", 0), ("audit", 0),
                     ("evidence", 0), ("evidence", 0), ("review", 1)]  # fmt: skip
    (gone,) = [pair for pair in scene.truth()["gone"] if pair["key"] == old]
    assert not gone["accepted"]
    assert not gone["tokens"]
    assert (tmp_path / "incident.html").exists()
