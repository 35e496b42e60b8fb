"""The runbook knows every reason that the product can give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
GIVES = (
    r'Hold\(\s*"([a-z_]+)"',  # a hold
    r'\b(?:code|reason)="([a-z_]+)"',  # an error, a decision
    r'^    code = "([a-z_]+)"',  # the class of an error
    r'"reason": "([a-z_]+)"',  # a change of the row
    r'"blocked_for": "([a-z_]+)"',  # why an app is blocked until a human says `release`
    r'return \(\s*"([a-z_]+)"',  # what the proof misses
    r'unproven\(me, s, "([a-z_]+)"',
    r'Kind\.[A-Z_]+, "([a-z_]+)"',  # the table of Salesforce's answers
    r'"(vault_[a-z_]+)"',  # the table of Vault's
)
PLACES = ("domain", "saga", "wiring", "cli", "control", "daemon", "notify", "adapters/salesforce", "adapters/vault")
OTHER = {"vault_path", "vault_version", "demo"}  # columns of the trail; the demo's own
PASSED_ON = {"too_large", "encoded"}  # reasons of adapters/http.py that become codes in adapters/salesforce/failures.py


def reasons() -> dict[str, str]:
    """Each reason code with a file that gives it."""
    found: dict[str, str] = {}
    for path in sorted(file for place in PLACES for file in (ROOT / "rotator" / place).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for pattern in GIVES:
            found |= dict.fromkeys(re.findall(pattern, text, re.MULTILINE), str(path.relative_to(ROOT)))
    return {code: place for code, place in found.items() if code not in OTHER}


@pytest.mark.parametrize(("code", "place"), sorted(reasons().items()))
def test_every_reason_stands_in_the_runbook(code: str, place: str) -> None:
    """Whatever `status` shows as a reason can be looked up."""
    assert f"`{code}`" in RUNBOOK, f"{place} gives {code}; docs/runbook.md does not know it"


def test_the_reasons_are_found_at_all() -> None:
    """A hold, a state of the proof, an answer of each far side are among them: the patterns still fit the source."""
    assert {"foreign_primary", "canary_alive", "fact_missing", "run_as_missing", "vault_sealed"} <= set(reasons())
    assert len(reasons()) > 70


def test_the_runbook_knows_no_reason_that_does_not_exist() -> None:
    """A line for a reason that nothing gives any more is misleading."""
    told = {code for line in RUNBOOK.splitlines() if line.startswith("| `")
            for code in re.findall(r"`([a-z_]+)`", line.split("|")[1])}  # fmt: skip
    states = {"running", "overlap", "waiting", "held", "unproven", "failed", "abandoned"}
    assert told - states - PASSED_ON - set(reasons()) == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    """Every file that a page of the documentation links to exists, and so does the heading."""
    for target, heading in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), f"{page.name} -> {target}"
        anchors = {"#" + re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-")
                   for h in re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)}  # fmt: skip
        assert not heading or heading in anchors, f"{page.name} -> {target}{heading}"
