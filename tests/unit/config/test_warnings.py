"""What is not wrong but is said."""

from __future__ import annotations

from pathlib import Path

from rotator import config
from tests.unit.config.given import APP, ORG, VAULT, loaded, write


def test_variables_of_vault_and_proxies_are_named_and_not_used(tmp_path: Path) -> None:
    """Their names are said, in any case, and never their values; nothing else of the environment is."""
    env = {"VAULT_TOKEN": "CANARY", "VAULT_ADDR": "http://CANARY", "https_proxy": "http://CANARY", "HOME": "/h"}
    found = loaded(tmp_path, env=env).warnings
    assert len(found) == 2
    assert "VAULT_ADDR, VAULT_TOKEN" in found[0]
    assert "https_proxy" in found[1]
    assert "CANARY" not in str(found)


def test_the_environment_does_not_change_the_settings(tmp_path: Path) -> None:
    """Settings come from the file alone."""
    env = {"VAULT_ADDR": "https://other:8200", "VAULT_NAMESPACE": "x", "ROTATOR_VAULT_MOUNT": "y"}
    assert loaded(tmp_path, APP, env).hash == loaded(tmp_path, APP).hash


def test_insecure_is_said(tmp_path: Path) -> None:
    """Whoever left it on from a test learns of it, and where."""
    text = VAULT + "insecure = true\n" + ORG + "insecure = true\n"
    (found,) = config.load(write(tmp_path, text), {}).warnings
    assert "vault, orgs.acme" in found


def test_a_configuration_that_everybody_may_change_is_said(tmp_path: Path) -> None:
    """Whoever can change the host gets the next secret."""
    file = write(tmp_path, VAULT + ORG)
    file.chmod(0o666)
    (found,) = config.load(file, {}).warnings
    assert f"chmod o-w {file}" in found


def test_a_max_age_below_the_interval_is_said(tmp_path: Path) -> None:
    """It is allowed, and wins."""
    (found,) = loaded(tmp_path, APP + 'schedule = { every = "180d" }\n').warnings
    assert "max_age 90d comes before every 180d" in found


def test_a_window_too_short_for_a_person_is_said(tmp_path: Path) -> None:
    """A classic connected app needs one for a quarter of an hour; no other app does."""
    short = APP + 'schedule = { every = "30d", window = "Sun 02:00-02:10" }\n'
    (found,) = loaded(tmp_path, short + 'kind = "connected_app"\n').warnings
    assert "15 minutes" in found
    assert loaded(tmp_path, short).warnings == ()
