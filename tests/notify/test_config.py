"""`[[notify]]` and `hooks` as they are written: mistakes, names, filters."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator import config
from rotator.config.notify import named
from rotator.domain.notice import Topic
from tests.unit.config.given import APP, loaded, mistakes, write
from tests.unit.config.given import ORG as ORG_TABLE
from tests.unit.config.given import VAULT as VAULT_TABLE

SLACK = '[[notify]]\nkind = "slack"\nurl_file = "u"\n'
SMTP = '[[notify]]\nkind = "smtp"\nhost = "m"\nsender = "a@b.example"\nto = ["c@d.example"]\n'
PAGER = '[[notify]]\nkind = "pagerduty"\nrouting_key_file = "k"\n'


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (SLACK + 'name = "a"\n' + PAGER + 'name = "a"\n', "notify[1].name", "another channel"),
        (SLACK + 'name = "hook"\n', "notify[0].name", "hooks of apps"),
        (SLACK + 'orgs = ["acne"]\n', "notify[0].orgs", "did you mean acme?"),
        (SLACK + 'apps = ["ledger"]\n', "notify[0].apps", "not in [apps]"),
        (SLACK + 'events = ["hold"]\n', "notify[0].events[0]", "held"),
        (PAGER + 'events = ["held", "published"]\n', "notify[0].events", "ever resolve"),
        (PAGER + 'endpoint = "http://x"\n', "notify[0].endpoint", "https"),
        (SMTP + 'password_file = "p"\n', "notify[0].password_file", "belong together"),
        (SMTP + 'tls = "none"\nusername = "u"\npassword_file = "p"\n', "notify[0].password_file", "without TLS"),
        (SLACK + 'proxy = "socks5://x"\n', "notify[0].proxy", "http://host:port"),
        (APP + 'hooks = { published = ["/bin/x"], time_limit = "2h" }\n', "apps.billing.hooks.time_limit", "1h"),
        (APP + 'hooks = { published = ["restart"] }\n', "apps.billing.hooks.published", "absolute path"),
    ],
)
def test_a_mistake_is_named_at_its_key(tmp_path: Path, text: str, key: str, words: str) -> None:
    """Where, and what is wrong."""
    found = mistakes(write(tmp_path, VAULT_TABLE + ORG_TABLE + text))
    assert [(one.key, words in one.message) for one in found] == [(key, True)], found


def test_a_username_needs_its_password_file(tmp_path: Path) -> None:
    """One without the other is a mistake whichever is missing."""
    assert mistakes(write(tmp_path, VAULT_TABLE + ORG_TABLE + SMTP + 'username = "u"\n'))


def test_channels_without_a_name_are_called_by_their_kind(tmp_path: Path) -> None:
    """slack, slack-2; a name that is given is kept, also where it looks like one of these."""
    text = SLACK + SLACK + SLACK + 'name = "slack-2"\n' + PAGER
    assert set(named(loaded(tmp_path, text).config.notify)) == {"slack", "slack-2", "slack-3", "pagerduty"}


def test_a_channel_is_told_what_it_asked_for(tmp_path: Path) -> None:
    """By event, org and app; what concerns no app or org is told to all; a test always is."""
    (one,) = loaded(tmp_path, APP + SLACK + 'events = ["held"]\norgs = ["acme"]\napps = ["billing"]\n').config.notify
    assert one.wants(Topic.HELD, "acme", "billing")
    assert one.wants(Topic.HELD, "", "")
    assert one.wants(Topic.TEST, "", "")
    assert not one.wants(Topic.FORCE, "acme", "billing")
    assert not one.wants(Topic.HELD, "acme", "orders")
    assert not one.wants(Topic.HELD, "bolt", "billing")


def test_an_unsigned_webhook_is_warned_of(tmp_path: Path) -> None:
    """Its receiver cannot tell who sent a notice."""
    text = '[[notify]]\nkind = "webhook"\nurl = "https://hooks.example.com/x"\n'
    (warning,) = config.load(write(tmp_path, VAULT_TABLE + ORG_TABLE + text), {}).warnings
    assert "webhook: without secret_file" in warning
