"""`run --once` leaves its metrics in a file, as a timer has no page to be asked for."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.scene import Scene
from tests.metrics.samples import value

SPECIAL = '\n[metrics]\ntextfile = "{}"\n'


def test_a_run_leaves_its_metrics_in_the_file(scene: Scene) -> None:
    """Both apps are rotated; the file tells their ages, every call that the simulator saw, and each step."""
    place = scene.folder / "rotator.prom"
    scene.config.write_text(scene.config.read_text() + SPECIAL.format(place))
    assert scene.json("run", "--once").code == 0
    text = place.read_text()
    page = {(s.name, frozenset(s.labels.items())): s.value
            for family in text_string_to_metric_families(text) for s in family.samples}  # fmt: skip
    assert value(page, "rotator_secret_age_seconds", app="orders", org="acme") < 60
    promoted = [call for call in scene.calls() if call["purpose"] == "promote"]
    assert value(page, "rotator_steps_total", step="promote", outcome="ok") == len(promoted) >= 1
    assert value(page, "rotator_step_seconds_count", step="stage", outcome="ok") == 2
    assert value(page, "rotator_apps", org="acme") == 2
    assert value(page, "rotator_audit_seq") > 20
    made = sum(found for (name, _), found in page.items() if name == "rotator_calls_total")
    asked = [call for call in scene.calls() if call["purpose"] != "vault logout"]  # which comes after the page
    assert made == len(asked)
    assert not any('purpose="other"' in line for line in text.splitlines()), "a call without a purpose"
    assert not [secret for secret in scene.secrets() if secret in text]


def test_a_file_that_cannot_be_written_does_not_hide_what_was_rotated(scene: Scene) -> None:
    """The document is whole and the exit code says how the rotations ended; the error stands on standard error."""
    scene.config.write_text(scene.config.read_text() + SPECIAL.format(scene.folder / "gone" / "rotator.prom"))
    done = scene.json("run", "--once")
    assert (done.code, len(done.told["rotations"])) == (0, 2)
    assert "cannot be written" in done.err
