"""Rules that look at several tables at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.given import APP, ORG, VAULT, loaded, mistakes, said, write

OTHER = """
[apps.other]
org = "{org}"
app = "{app}"
consumer = "{consumer}"
vault_path = "{path}"
"""
ID15, ID18 = "888000000000001", "888000000000001AAA"


def other(org: str = "acme", app: str = "Other", consumer: str = "", path: str = "salesforce/acme/other") -> str:
    """A second app."""
    return OTHER.format(org=org, app=app, consumer=consumer, path=path)


def test_an_app_of_an_unknown_org_is_told_the_nearest(tmp_path: Path) -> None:
    """The org of an app must stand in [orgs]."""
    assert said(tmp_path, other(org="acne")) == {"apps.other.org": "names no org of [orgs]; did you mean acme?"}


def test_two_apps_on_one_path_are_refused(tmp_path: Path) -> None:
    """The second is named, and who was there first."""
    found = said(tmp_path, APP + other(path="salesforce/acme/billing"))
    assert found == {"apps.other.vault_path": "is the path of apps.billing already: one app, one path"}


def test_an_app_on_the_path_of_the_rotators_own_login_is_refused(tmp_path: Path) -> None:
    """A rotation would overwrite what the rotator itself logs in with."""
    found = said(tmp_path, other(path="salesforce/acme/rotator"))
    assert found == {"apps.other.vault_path": "is the path of orgs.acme.admin already: one app, one path"}


@pytest.mark.parametrize(
    ("app", "mine", "theirs"),
    [
        ("Billing_Sync", ID18, ID18),
        ("Billing_Sync", ID15, ID18),
        ("billing_sync", ID18, ID15),
        ("Billing_Sync", "", ID18),
        ("Billing_Sync", ID18, ""),
        ("Billing_Sync", "", ""),
    ],
)
def test_two_apps_on_one_consumer_are_refused(tmp_path: Path, app: str, mine: str, theirs: str) -> None:
    """Short and long ids are one id; without a consumer the app has just one."""
    found = said(tmp_path, APP + f'consumer = "{mine}"\n' + other(app=app, consumer=theirs))
    assert found == {"apps.other.consumer": "is the consumer that apps.billing rotates already: one app, one consumer"}


def test_app_ids_of_both_lengths_are_one_app(tmp_path: Path) -> None:
    """The 0xI id counts by its first 15 characters too."""
    text = APP.replace("Billing_Sync", "0xI000000000001AAA") + other(app="0xI000000000001")
    assert "apps.other.consumer" in said(tmp_path, text)


def test_one_host_under_two_org_names_is_one_org(tmp_path: Path) -> None:
    """Giving an org a second name does not hide that two apps share a consumer."""
    twin = ORG.replace("[orgs.acme]", "[orgs.twin]").replace("https://acme", "https://ACME").replace("rotator", "twin")
    assert "apps.other.consumer" in said(tmp_path, twin + APP + other(org="twin", app="Billing_Sync"))


def test_different_consumers_of_one_app_are_fine(tmp_path: Path) -> None:
    """One app may have several consumers, and other orgs may have an app of the same name."""
    text = APP + f'consumer = "{ID18}"\n' + other(app="Billing_Sync", consumer="888000000000002AAA")
    twin = ORG.replace("acme", "twin")
    elsewhere = other(org="twin", app="Billing_Sync", path="x").replace("apps.other", "apps.elsewhere")
    assert len(loaded(tmp_path, text + twin + elsewhere).config.apps) == 3


@pytest.mark.parametrize("path", ["rotator-escrow", "rotator-escrow/x", "rotator-escrow/a/b"])
def test_a_live_path_on_or_under_the_escrow_prefix_is_refused(tmp_path: Path, path: str) -> None:
    """What lies in escrow only the rotator may read."""
    assert "escrow prefix rotator-escrow" in said(tmp_path, other(path=path))["apps.other.vault_path"]


def test_an_escrow_prefix_below_a_live_path_is_refused(tmp_path: Path) -> None:
    """Whoever may read all below the live path would read escrow too."""
    text = VAULT + 'escrow_prefix = "salesforce/escrow"\n' + ORG + other(path="salesforce")
    (found,) = mistakes(write(tmp_path, text))
    assert found.key == "apps.other.vault_path"
    assert "escrow prefix salesforce/escrow" in found.message


def test_a_path_near_the_escrow_prefix_in_name_only_is_fine(tmp_path: Path) -> None:
    """Prefixes are compared by whole segments."""
    assert loaded(tmp_path, other(path="rotator-escrow2/x")).config.apps


def test_a_path_with_mount_and_data_is_refused_with_the_short_one(tmp_path: Path) -> None:
    """The path of the HTTP API is not the path of the secret."""
    assert "without its name" in said(tmp_path, other(path="secret/data/x"))["apps.other.vault_path"]


@pytest.mark.parametrize("path", ["", "/x", "x/", "x//y", "x/../y", "./x", "x y", "x?version=1", "x%2fy", "é", "x\\ny"])
def test_a_path_that_vault_would_read_otherwise_is_refused(tmp_path: Path, path: str) -> None:
    """No empty segments, dots, escapes, blanks or queries."""
    assert "apps.other.vault_path" in said(tmp_path, other(path=path))


@pytest.mark.parametrize(
    ("schedule", "overlap", "word"),
    [
        ('{ every = "12h" }', None, "shorter"),
        ('{ every = "24h" }', "24h", "shorter"),
        ('{ cron = "0 3 * * *" }', "24h", "shorter"),
        ('{ every = "60d" }', "30d", "29d"),
    ],
)
def test_an_overlap_that_does_not_fit_is_refused(tmp_path: Path, schedule: str, overlap: str | None, word: str) -> None:
    """It ends before the next rotation, the default included, and before Salesforce drops the pair."""
    written = f'overlap = "{overlap}"\n' if overlap else ""
    assert word in said(tmp_path, APP + f"schedule = {schedule}\n" + written)["apps.billing.overlap"]


@pytest.mark.parametrize(
    ("schedule", "overlap"),
    [
        ('{ every = "24h" }', "23h"),
        ('{ every = "30d" }', "29d"),
        ('{ cron = "0 3 1 * *" }', "27d"),
        ('{ every = "1s" }', "0s"),
    ],
)
def test_an_overlap_that_fits_is_taken(tmp_path: Path, schedule: str, overlap: str) -> None:
    """Up to the edge, and none at all."""
    assert loaded(tmp_path, APP + f'schedule = {schedule}\noverlap = "{overlap}"\n').config.apps


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('schedule = { every = "30d", cron = "0 3 * * *" }', "apps.billing.schedule.cron"),
        ('schedule = { every = "0s" }', "apps.billing.schedule.every"),
        ('schedule = { window = "Sunday" }', "apps.billing.schedule.window"),
        ('schedule = { timezone = "Europe/Berlinn" }', "apps.billing.schedule.timezone"),
        ('schedule = { timezone = "../etc/passwd" }', "apps.billing.schedule.timezone"),
        ('schedule = { timezone = "" }', "apps.billing.schedule.timezone"),
        ('schedule = { timezone = "Europe" }', "apps.billing.schedule.timezone"),
        ('fields = { key = "k", secret = "k" }', "apps.billing.fields.secret"),
        ('fields = { key = "rotation_id" }', "apps.billing.fields.key"),
        ('fields = { secret = "old_secret" }', "apps.billing.fields.secret"),
        ('hooks = { published = ["restart"] }', "apps.billing.hooks.published"),
        ('consumer = "888"', "apps.billing.consumer"),
        ('[approval]\nticket_pattern = "("', "approval.ticket_pattern"),
        ('[audit]\nsigning_key_file = "k"\ntransit_key = "t"', "audit.transit_key"),
        ('[audit]\nanchors = ["ftp://x"]', "audit.anchors"),
        ('[control]\nsocket = "run/x"', "control.socket"),
        ('[orgs.b]\nhost = "https://b.my.salesforce.com"\nadmin = { grant = "client_credentials" }', "orgs.b.admin"),
        ('[orgs.b]\norg_id = "001000000000001"', "orgs.b.org_id"),
        ('[orgs.b]\napi_version = "64.0"', "orgs.b.api_version"),
        ('[orgs.b]\napi_version = "v65.0"', "orgs.b.api_version"),
        ('[orgs.b]\negress_proxy = "http://u:p@x:1"', "orgs.b.egress_proxy"),
        ('[database]\npassword_file = "../x"', "database.password_file"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, key: str) -> None:
    """Each rule of docs/configuration.md that looks at a single table, at its own key."""
    assert key in said(tmp_path, APP + text)
