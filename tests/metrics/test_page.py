"""What the page of /metrics says, read back as Prometheus reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rotator.domain.errors import ConfigError
from rotator.domain.event import Event
from rotator.domain.words import Outcome, Phase
from rotator.metrics.fleet import App, Fleet, Open
from rotator.metrics.meters import Meters, outcome_of
from rotator.metrics.purposes import PURPOSES, purpose_of
from rotator.metrics.render import render, write
from tests.metrics import reference
from tests.metrics.samples import FULL, NOW, ROW, busy, told, value


def test_the_fleet_is_told_as_it_is() -> None:
    """Ages, due times, what is overdue, held and why, the chain's end, the notices and the far sides."""
    page = told(FULL, Meters(lambda: 0.0))
    assert value(page, "rotator_secret_age_seconds", app="billing", org="acme") == 100
    assert value(page, "rotator_next_due_timestamp_seconds", app="orders", org="acme") == NOW - 60
    assert value(page, "rotator_overdue_seconds", app="orders", org="acme", why="paused") == 60
    assert value(page, "rotator_apps_overdue", org="acme") == 1
    assert value(page, "rotator_apps_overdue", org="bolt") == 0
    assert value(page, "rotator_apps_paused", org="acme") == 1
    assert value(page, "rotator_apps_never_rotated", org="bolt") == 1
    assert value(page, "rotator_open_rotations", state="held") == 1
    assert value(page, "rotator_open_rotations", state="unproven") == 0
    assert value(page, "rotator_app_trouble", app="billing", org="acme", state="held", reason="foreign_primary") == 1
    assert value(page, "rotator_rotation_open_seconds", app="new", org="bolt", state="running", trigger="force") == 1
    assert value(page, "rotator_slot_expires_timestamp_seconds", app="billing", org="acme") == NOW + 999
    assert value(page, "rotator_drift", app="", org="bolt", look="ORG-2", state="drift") == 1
    assert (value(page, "rotator_audit_seq"), value(page, "rotator_audit_head_age_seconds")) == (41, 3)
    assert value(page, "rotator_notices_pending", channel="oncall") == 2
    assert value(page, "rotator_notices_given_up", channel="oncall") == 1
    assert value(page, "rotator_notices_oldest_seconds", channel="oncall") == 30
    assert value(page, "rotator_notices_oldest_seconds", channel="hook") == 0
    assert value(page, "rotator_breaker_state", side="salesforce", org="acme") == 2
    assert value(page, "rotator_breaker_state", side="vault", org="") == 0
    assert value(page, "rotator_api_requests_used", org="acme") == 90
    assert value(page, "rotator_logins_budget", org="acme", identity="own") == 120
    assert value(page, "rotator_build_info", version="1.2.3", config_hash="abc") == 1


def test_what_is_in_order_has_no_series_of_its_own() -> None:
    """An app that is neither overdue nor in trouble has two series: of 5,000 apps the page stays short."""
    apps = tuple(App(f"app{n}", "acme", 1.0, NOW) for n in range(5000))
    lines = render(Fleet(NOW, "1", "h", apps=apps), Meters(lambda: 0.0))[0].decode().splitlines()
    assert len([line for line in lines if 'app="' in line]) == 10_000
    running = Open("a", "acme", "running", "manual", "", NOW)
    assert not any(name == "rotator_app_trouble" for name, _ in told(replace(FULL, open=(running,)), busy()))


def test_a_database_that_is_down_is_told_and_nothing_is_made_up() -> None:
    """No ages and no counts of zero that would read as good news; what the process itself knows is still there."""
    page = told(Fleet(0.0, "1", "h", database=False, sides=FULL.sides), busy())
    assert value(page, "rotator_database_up") == 0
    assert {name for name, _ in page if "apps" in name or "open_rotations" in name} == set()
    assert value(page, "rotator_breaker_state", side="salesforce", org="bolt") == 1


def test_calls_steps_and_ticks_are_counted() -> None:
    """By far side, purpose and outcome; a step from its intent to its outcome; the age of the last tick."""
    page = told(FULL, busy())
    assert value(page, "rotator_calls_total", side="salesforce", org="acme", purpose="login", outcome="2xx") == 1
    assert value(page, "rotator_calls_total", side="vault", org="", purpose="vault_read", outcome="timeout") == 1
    assert value(page, "rotator_call_seconds_sum", side="vault", purpose="vault_read") == 10
    assert value(page, "rotator_step_seconds_sum", step="stage", outcome="ok") == 2
    assert value(page, "rotator_steps_total", step="stage", outcome="ok") == 1
    assert value(page, "rotator_last_tick_age_seconds") == 3
    assert value(page, "rotator_ticks_total", outcome="ok") == 1
    assert value(page, "rotator_leases_lost_total") == 1


def test_an_outcome_without_an_intent_has_no_duration() -> None:
    """A resumed rotation whose intent another process committed is counted, and no duration is made up."""
    meters = Meters(lambda: 9.0)
    meters.step(Event("promote", Phase.OUTCOME, Outcome.OK), ROW)
    page = told(FULL, meters)
    assert value(page, "rotator_steps_total", step="promote", outcome="ok") == 1
    assert "rotator_step_seconds_sum" not in {name for name, _ in page}


def test_a_run_without_ticks_tells_no_age_of_one() -> None:
    """`run --once` never ticks: an age of it would raise the alarm of a daemon that stands still."""
    assert "rotator_last_tick_age_seconds" not in {name for name, _ in told(FULL, Meters(lambda: 99.0))}


@pytest.mark.parametrize(("status", "reason", "outcome"), [
    (200, "", "2xx"), (404, "", "4xx"), (429, "", "429"), (503, "", "5xx"), (0, "timeout", "timeout")])  # fmt: skip
def test_an_answer_becomes_one_of_few_words(status: int, reason: str, outcome: str) -> None:
    """Not each status a series."""
    assert outcome_of(status, reason) == outcome


@pytest.mark.parametrize(("method", "path", "purpose"), [
    ("POST", "/services/data/v65.0/apps/oauth/credentials/0xI1/8881/staged", "stage"),
    ("PATCH", "/services/data/v65.0/apps/oauth/credentials/0xI1/8881/staged/8882", "promote"),
    ("DELETE", "/services/data/v65.0/apps/oauth/credentials/0xI1/8881/staged/8882", "delete_slot"),
    ("GET", "/services/data/v65.0/apps/oauth/credentials/0xI1/8881", "read_primary"),
    ("GET", "/services/data/v65.0/query", "query"),
    ("GET", "/services/data/v65.0/limits", "real_call"),
    ("PUT", "/v1/auth/approle/login", "vault_login"),
    ("POST", "/v1/kv/team/data/a/b", "vault_write"),
    ("POST", "/v1/secret/destroy/a", "vault_destroy"),
    ("GET", "/anything/else", "other"),
])  # fmt: skip
def test_a_path_becomes_one_of_few_purposes(method: str, path: str, purpose: str) -> None:
    """Ids and names of a path stay out of the labels."""
    assert purpose_of(method, path) == purpose
    assert purpose in PURPOSES


def test_the_textfile_is_whole_or_not_there(tmp_path: Path) -> None:
    """Written under another name first and readable by node_exporter's user; nothing else is left in the folder."""
    place = tmp_path / "rotator.prom"
    write(place, b"one 1\n")
    write(place, b"two 2\n")
    assert (place.read_bytes(), [file.name for file in tmp_path.iterdir()]) == (b"two 2\n", ["rotator.prom"])
    assert place.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    """It names the option, and what to do."""
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        write(tmp_path / "gone" / "rotator.prom", b"")
    assert (caught.value.where, "textfile" in caught.value.fix) == ("metrics.textfile", True)


def test_the_document_lists_every_metric() -> None:
    """docs/metrics.md is what the page says of itself; redraw it where this fails."""
    text = reference.DOCUMENT.read_text()
    assert text == reference.with_table(text)
    assert text.count("| `rotator_") > 30
