"""From fields to pairs and back, where the field names or the content are odd."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rotator.adapters.vault.content import (
    check_fields,
    credential_fields,
    credential_from,
    escrow_fields,
    escrow_from,
)
from rotator.adapters.vault.settings import findings, settings_from
from rotator.domain.errors import ConfigError
from rotator.domain.pair import Credential, EscrowContent, Pair
from rotator.domain.secret import Secret
from tests.unit.vault.fake import TARGET

NOW = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("client_id", "client_id"),
        ("login_url", "client_secret"),
        ("client_id", "rotation_id"),
        ("client_id", "canary"),
        ("rotated_at", "s"),
        ("old_id", "s"),
        ("k", "old2_x"),
    ],
)
def test_field_names_that_collide_are_refused(key: str, secret: str) -> None:
    """Before the first change: one value would overwrite another."""
    with pytest.raises(ConfigError):
        check_fields(dataclasses.replace(TARGET, key_field=key, secret_field=secret))


@pytest.mark.parametrize(("key", "secret"), [("client_id", "client_secret"), ("older", "old"), ("KEY", "Login_Url")])
def test_other_field_names_are_fine(key: str, secret: str) -> None:
    """They are compared exactly."""
    check_fields(dataclasses.replace(TARGET, key_field=key, secret_field=secret))


@pytest.mark.parametrize(
    "fields",
    [
        {"other": "x"},
        {"client_id": "k"},
        {"client_secret": "s"},
        {"client_id": "", "client_secret": "s"},
        {"client_id": "k", "client_secret": ""},
        {"client_id": 7, "client_secret": "s"},
        {"client_id": "k", "client_secret": None},
        {"client_id": "k", "client_secret": ["s"]},
    ],
)
def test_fields_without_both_texts_are_a_mistake_and_no_absence(fields: dict[str, Any]) -> None:
    """Only an empty version counts as absent."""
    with pytest.raises(ConfigError):
        credential_from(fields, TARGET)
    assert credential_from({}, TARGET) is None


def test_the_time_of_rotation_is_utc_wherever_the_clock_stands() -> None:
    """Seconds, with a Z."""
    east = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    made = credential_fields(Credential(Pair("k", Secret("s")), "r-1"), TARGET, east)
    assert made["rotated_at"] == "2026-11-24T08:00:00Z"


def test_other_fields_never_win_over_ours() -> None:
    """Should somebody name one of his like one of ours."""
    written = Credential(Pair("k", Secret("s")), "r-1", {"client_id": "x", "login_url": "https://evil.test"})
    made = credential_fields(written, TARGET, NOW)
    assert (made["client_id"], made["login_url"]) == ("k", TARGET.login_url)


def test_a_secret_that_is_not_known_is_left_out() -> None:
    """A pair whose secret Salesforce never told."""
    made = escrow_fields(EscrowContent("r", Pair("new"), (Pair("a"), Pair("b", Secret("s")))), TARGET)
    assert made == {
        "client_id": "new",
        "old_client_id": "a",
        "old2_client_id": "b",
        "old2_client_secret": "s",
        "rotation_id": "r",
    }


def test_an_escrow_full_of_strange_things_gives_what_can_be_understood() -> None:
    """Never an error: the look decides by the keys what it means."""
    content = escrow_from({"client_id": 3, "client_secret": "s", "canary": "", "rotation_id": None, "x": {}}, TARGET)
    assert content == EscrowContent("", None)


def test_no_secret_stands_in_the_repr_of_a_credential_or_an_escrow() -> None:
    """Also what is not ours."""
    held = credential_from({"client_id": "k", "client_secret": "hidden-1", "note": "hidden-2"}, TARGET)
    kept = escrow_from({"old_client_id": "k", "old_client_secret": "hidden-3", "canary": "hidden-4"}, TARGET)
    assert "hidden" not in repr((held, kept))


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        ("0s", False),
        ("", False),
        (0, False),
        (None, False),
        ("-1s", False),
        ("1s", True),
        ("720h0m0s", True),
        (60, True),
    ],
)
def test_an_end_of_versions_is_recognised_in_every_writing(value: object, ends: bool) -> None:
    """Vault gives a Go duration; a negative one switches it off."""
    assert settings_from("secret", "p", {"delete_version_after": value}).ends is ends


@pytest.mark.parametrize(
    ("mount", "path", "fine"), [(0, 0, True), (2, 0, False), (2, 3, True), (9, 2, False), (3, 0, True), (0, 1, False)]
)
def test_the_number_of_versions_that_counts_is_the_paths_then_the_mounts_then_ten(
    mount: int, path: int, fine: bool
) -> None:
    """Fewer than three is refused."""
    at = settings_from("secret", "", {"max_versions": mount, "cas_required": True})
    below = settings_from("secret", "p", {"max_versions": path})
    assert (findings(at, (below,)) == []) is fine


def test_writes_without_check_and_set_by_others_are_a_warning_only() -> None:
    """Ours always have it."""
    at, below = settings_from("secret", "", {}), settings_from("secret", "p", {})
    assert [found.fatal for found in findings(at, (below,))] == [False]
