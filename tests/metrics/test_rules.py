"""The shipped alert rules and dashboard: right, about metrics that exist, and with a page for each alert."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.metrics.render import render
from tests.metrics.samples import FULL, busy
from tests.servers.fixtures import place_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RULES = ROOT / "config" / "alerts.rules.yml"
DASHBOARD = ROOT / "config" / "dashboard.json"
TESTS = (HERE / "alerts.test.yml", HERE / "alerts.slow.test.yml")
NAME = re.compile(r"\brotator_[a-z_]+")
ALERTS = re.findall(r"^      - alert: (\w+)$", RULES.read_text(), re.MULTILINE)


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs the real one."""
    return subprocess.run([place_of("promtool"), *words], capture_output=True, text=True, check=False, timeout=100)


def exported() -> set[str]:
    """Every name that a page can have, as a query names it."""
    page = render(FULL, busy())[0].decode()
    return set(re.findall(r"^(rotator_[a-z_]+)", page, re.MULTILINE))


def panels() -> Iterator[dict[str, Any]]:
    """The panels of the dashboard that ask for anything."""
    return (panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row")


def queries() -> list[str]:
    """Every query of the dashboard, with Grafana's variables filled in."""
    filled = {"$__rate_interval": "5m", "$org": ".*", "$app": ".*"}
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [re.sub(r"\$\w+", lambda m: filled[m[0]], query) for query in found]


@pytest.mark.needs("promtool")
def test_the_rules_are_right_and_fire_when_they_should() -> None:
    """promtool takes every rule and passes its own unit tests of them."""
    checked, tested = promtool("check", "rules", str(RULES)), promtool("test", "rules", *map(str, TESTS))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(ALERTS)} rules found" in checked.stdout
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(("right", "wrong"), [
    ("rotator_database_up == 0", "rotator_database_up == 2"),
    ("> 0.2", "> 0.3"),
    ('outcome!~"2xx|3xx|4xx"', 'outcome!~"2xx"'),
])  # fmt: skip
def test_a_spoilt_rule_is_found_out(tmp_path: Path, right: str, wrong: str) -> None:
    """One that never fires, one with another bound, one that counts a clear no as a failure: the unit tests fail."""
    text = RULES.read_text()
    assert right in text
    (tmp_path / "spoilt.yml").write_text(text.replace(right, wrong))
    spoilt = tmp_path / "test.yml"
    spoilt.write_text(TESTS[0].read_text().replace("../../config/alerts.rules.yml", "spoilt.yml"))
    assert promtool("test", "rules", str(spoilt)).returncode != 0


def test_every_alert_is_tested_and_has_its_page() -> None:
    """Each stands in a unit test that expects it, has a severity, and a heading in docs/alerts.md that its annotation
    names; the document has no other."""
    rules, expected = RULES.read_text(), "".join(place.read_text() for place in TESTS)
    assert len(ALERTS) == len(set(ALERTS)) > 20
    assert [alert for alert in ALERTS if f'alertname="{alert}"' not in expected] == []
    assert re.findall(r"runbook: docs/alerts\.md#(\w+)$", rules, re.MULTILINE) == [alert.lower() for alert in ALERTS]
    assert len(re.findall(r"severity: (?:warning|critical)\b", rules)) == len(ALERTS)
    assert re.findall(r"^## (\w+)$", (ROOT / "docs" / "alerts.md").read_text(), re.MULTILINE) == ALERTS


@pytest.mark.parametrize("place", [RULES, *TESTS, DASHBOARD], ids=lambda place: place.name)
def test_every_metric_that_is_asked_for_exists(place: Path) -> None:
    """A rule over a misspelt metric never fires, and a panel over one stays empty: each name is on the page."""
    asked = set(NAME.findall(place.read_text()))
    assert asked - exported() == set()
    assert asked


@pytest.mark.needs("promtool")
def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    """promtool takes each as a rule; of a spoilt one it says so."""
    asked = queries()
    assert len(asked) > 35
    rules = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(asked)]
    place = tmp_path / "queries.yml"
    place.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # JSON is YAML
    told = promtool("check", "rules", "--lint=none", str(place))
    assert told.returncode == 0, told.stdout + told.stderr
    place.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": "q", "expr": "sum by ("}]}]}))
    assert promtool("check", "rules", str(place)).returncode != 0


def test_no_panel_of_the_dashboard_lies_on_another() -> None:
    """Every panel has a title, a place of its own in the 24 columns, and the data source that the reader chooses."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        assert panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        taken |= cells
    assert len({panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]}) == len(
        json.loads(DASHBOARD.read_text())["panels"])  # fmt: skip
