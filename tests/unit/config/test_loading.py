"""Files in, settings out, or every mistake at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from rotator import config
from rotator.domain.errors import ConfigError
from rotator.domain.facts import Facts
from tests.unit.config.given import APP, ORG, VAULT, loaded, mistakes, said, write

BOOKS = APP.replace("illing", "ooks")


def test_a_small_configuration_loads_with_the_defaults_of_the_contract(tmp_path: Path) -> None:
    """What is not written has the default that contract.md names."""
    app = loaded(tmp_path, APP).config.apps["billing"]
    assert (app.kind, app.enabled, app.sessions, app.destroy_old) == ("external_client_app", True, "revoke", "force")
    assert (app.overlap, app.max_age, app.probe) == (timedelta(hours=24), timedelta(days=90), "limits")
    assert (app.schedule.interval, app.schedule.jitter) == (timedelta(days=30), timedelta(minutes=30))
    assert (app.fields.key, app.fields.secret) == ("client_id", "client_secret")


def test_all_mistakes_are_reported_at_once_with_file_line_key_and_example(tmp_path: Path) -> None:
    """One run names every mistake, in the order in which they stand."""
    file = write(
        tmp_path,
        """\
        stat_dir = "/x"
        [vault]
        address = "http://vault.example.com"
        auth = { method = "token" }
        [orgs.acme]
        host = "https://login.salesforce.com"
        [apps.billing]
        org = "acmee"
        app = "Billing_Sync"
        vault_path = "salesforce/acme/billing"
        overlap = "soon"
        [timing]
        lease = "1s"
        """,
    )
    found = mistakes(file)
    assert {m.file for m in found} == {str(file)}
    assert [(m.line, m.key) for m in found] == [
        (1, "stat_dir"),
        (3, "vault.address"),
        (4, "vault.auth.token_file"),
        (5, "orgs.acme.admin"),
        (6, "orgs.acme.host"),
        (8, "apps.billing.org"),
        (11, "apps.billing.overlap"),
        (13, "timing.lease"),
    ]
    assert all(m.message and m.example for m in found)


def test_the_error_is_a_usage_error_that_counts_the_mistakes(tmp_path: Path) -> None:
    """Exit 2, and the number of mistakes in the headline."""
    with pytest.raises(ConfigError, match="3 mistakes") as caught:
        config.load(write(tmp_path, "a = 1\nb = 2"), {})
    assert caught.value.exit_code == 2


def test_an_unknown_key_is_refused_naming_the_nearest(tmp_path: Path) -> None:
    """A slip of the pen is answered with the key that was meant, in every kind of table."""
    found = said(tmp_path, APP + 'overlaps = "1h"\n[apps.billing.schedule]\nevry = "1d"\n[timing]\nsetle = "1s"')
    assert "did you mean overlap?" in found["apps.billing.overlaps"]
    assert "did you mean every?" in found["apps.billing.schedule.evry"]
    assert "did you mean settle?" in found["timing.setle"]


def test_a_key_in_the_wrong_table_is_told_its_home(tmp_path: Path) -> None:
    """`propagation` under an app belongs to [timing]."""
    found = said(tmp_path, APP + 'propagation = "1m"')
    assert found == {"apps.billing.propagation": "does not belong here; there is timing.propagation"}


def test_an_unknown_kind_of_login_lists_the_kinds(tmp_path: Path) -> None:
    """A wrong or missing `method`, `grant` or `kind` names what there is."""
    text = VAULT.replace('"token"', '"tokken"') + ORG.replace('grant = "client_credentials", ', "") + "[[notify]]\n"
    found = {m.key: m.message for m in mistakes(write(tmp_path, text))}
    assert found["vault.auth.method"] == "must be one of token, approle, jwt, kubernetes, cert"
    assert found["orgs.acme.admin.grant"] == "must be one of client_credentials, jwt_bearer"
    assert found["notify[0].kind"] == "must be one of webhook, slack, pagerduty, smtp"


@pytest.mark.parametrize(
    ("text", "key", "example"),
    [
        (
            '[orgs.b]\nadmin = { grant = "client_credentials", client_secret = "CANARY" }',
            "client_secret",
            "secret_file",
        ),
        ('[orgs.b.admin]\ngrant = "jwt_bearer"\nprivate_key = "CANARY"', "private_key", "key_file"),
        ('[database]\npassword = "CANARY"', "password", "password_file"),
        ('[[notify]]\nkind = "pagerduty"\nrouting_key = "CANARY"', "routing_key", "routing_key_file"),
        ('[apps.b]\nsecret_id = "CANARY"', "secret_id", "vault.auth.secret_id_file"),
        ('[database]\nurl = "postgresql+psycopg://u:CANARY@h/d"', "url", "url"),
        ('[database]\npassword_file = "-----BEGIN CANARY"', "password_file", "password_file"),
        ('[[notify]]\nkind = "slack"\nurl_file = "hvs.CANARY"', "url_file", "url_file"),
    ],
)
def test_a_secret_is_refused_unquoted_with_the_way_by_a_file(tmp_path: Path, text: str, key: str, example: str) -> None:
    """Where a secret was written the mistake shows the option for its file and never the secret."""
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, VAULT + ORG + text), {})
    found = next(m for m in caught.value.mistakes if m.key.endswith(f".{key}"))
    assert "file" in found.message
    assert found.example.startswith(f"{example} = ")
    assert "CANARY" not in repr((caught.value, caught.value.mistakes, caught.value.__context__))


def test_the_models_by_themselves_repeat_no_value() -> None:
    """Even pydantic's own error, were it ever shown, holds no value."""
    with pytest.raises(ValidationError) as caught:
        config.Config.model_validate({"vault": "CANARY", "client_secret": "CANARY"})
    assert "CANARY" not in str(caught.value)


def test_a_value_of_the_wrong_type_is_named_and_not_repeated(tmp_path: Path) -> None:
    """Types are not guessed: no 1 for true, no number for a duration, no text for a list."""
    found = said(
        tmp_path,
        APP + 'enabled = 1\nmax_age = 90\nhooks = { published = "CANARY" }\nsessions = "CANARY"\n[timing]\npoll = "0s"',
    )
    assert found["apps.billing.enabled"] == "must be true or false"
    assert "is not a duration" in found["apps.billing.max_age"]
    assert found["apps.billing.hooks.published"] == "must be a list"
    assert found["apps.billing.sessions"] == "must be 'revoke' or 'keep'"
    assert found["timing.poll"] == "must be more than nothing"
    assert "CANARY" not in str(found)


def test_a_name_that_cannot_be_a_path_segment_is_refused(tmp_path: Path) -> None:
    """App and org names go into Vault paths and arguments."""
    found = said(tmp_path, APP.replace("billing]", '"../billing"]') + APP.replace("billing]", "-rf]"))
    assert "is not a name" in found['apps."../billing"']
    assert "is not a name" in found["apps.-rf"]


def test_syntax_that_is_no_toml_is_placed(tmp_path: Path) -> None:
    """The line of a syntax error, one per file, together with the mistakes of files that could be read."""
    write(tmp_path, "x = 1\ny = = 2\n", "conf.d/a.toml")
    write(tmp_path, 'x = "', "conf.d/b.toml")
    (tmp_path / "conf.d" / "c.toml").write_bytes(b"x = 1\ny = '\xff'")
    found = mistakes(write(tmp_path, VAULT + "[timing]\nlease = 5"))
    places = {(Path(m.file).name, m.line) for m in found}
    assert {("a.toml", 2), ("b.toml", 1), ("c.toml", 2), ("rotator.toml", 6)} <= places


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """No file: exit 2 with the two ways to name another."""
    (found,) = mistakes(tmp_path / "rotator.toml")
    assert found.message == "there is no such file"
    assert "ROTATOR_CONFIG" in found.example


def test_state_dir_moves_what_lies_in_it(tmp_path: Path) -> None:
    """Database and anchors follow `state_dir` unless they are written."""
    text = 'state_dir = "/srv/r"\n' + VAULT + ORG
    moved = config.load(write(tmp_path, text), {}).config
    assert moved.database.url == "sqlite:////srv/r/rotator.db"
    assert moved.audit.anchors == ("file:/srv/r/anchors", "journal")
    told = config.load(write(tmp_path, text + '[database]\nurl = "sqlite:////x.db"'), {}).config
    assert told.database.url == "sqlite:////x.db"


def test_the_hash_follows_the_settings_and_not_their_spelling(tmp_path: Path) -> None:
    """The same settings in another order, file or spelling have one hash; another setting has another."""
    one = loaded(tmp_path / "a", APP + BOOKS).hash
    write(tmp_path / "b", APP + 'overlap = "1440m"\n', "conf.d/app.toml")
    two = config.load(write(tmp_path / "b", BOOKS + ORG + VAULT), {}).hash
    assert one == two
    assert one != loaded(tmp_path / "c", APP + 'overlap = "23h"' + BOOKS).hash
    assert len(one) == 64


def test_the_settings_cannot_be_changed(tmp_path: Path) -> None:
    """What was checked stays as it was checked."""
    held = loaded(tmp_path, APP).config
    with pytest.raises(ValueError, match="frozen"):
        held.vault.mount = "other"


def test_stated_facts_leave_out_the_unknown(tmp_path: Path) -> None:
    """Facts go to the domain as it wants them: what is `unknown` states nothing."""
    text = '[orgs.acme.facts]\nstaged_pair_accepted = "no"\ncreated_by_given = "unknown"\ndelete_propagation = "5m"'
    stated = loaded(tmp_path, text).config.orgs["acme"].stated_facts()
    assert stated == {"staged_pair_accepted": "no", "delete_propagation": "5m"}
    assert Facts().merged(stated).no("staged_pair_accepted")


def test_a_fact_takes_only_its_own_vocabulary(tmp_path: Path) -> None:
    """yes, no, unknown; or a duration; and the names of protocol section 6 alone."""
    found = said(tmp_path, '[orgs.acme.facts]\nstaged_pair_accepted = "maybe"\ndelete_propagation = "yes"\nfoo = "yes"')
    assert found["orgs.acme.facts.staged_pair_accepted"] == 'must be "yes", "no" or "unknown"'
    assert "is not a duration" in found["orgs.acme.facts.delete_propagation"]
    assert found["orgs.acme.facts.foo"].startswith("is unknown")
