"""The program as a person has it: channels in its configuration, receivers beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, Json, Scene, until
from tests.canary.silence import assert_silent
from tests.daemon.fleet import Fleet, daemon
from tests.notify.receivers import PostOffice, Receiver, receiver
from tests.servers.network import Tls

KEY, ROUTING = "k3y-of-the-webhook-0123456789", "R0UTING-KEY-0123456789abcdef"
CHANNELS = """
[[notify]]
kind = "webhook"
name = "hook-receiver"
url_file = "webhook-url"
secret_file = "webhook-key"
ca_file = "{ca}"
events = ["held", "unproven", "failed", "force", "overdue", "failing", "hook", "published"]
[[notify]]
kind = "pagerduty"
routing_key_file = "pagerduty-key"
endpoint = "{url}"
ca_file = "{ca}"
[[notify]]
kind = "smtp"
host = "127.0.0.1"
port = {port}
ca_file = "{ca}"
sender = "rotator@example.com"
to = ["oncall@example.com"]
"""


def told(web: Receiver, path: str = "/in") -> list[Json]:
    """The documents that came in there."""
    return [json.loads(one.body) for one in web.heard if one.path == path]


def events(web: Receiver) -> list[tuple[str, str]]:
    """What the webhook was told, in short."""
    return [(one["event"], one["status"]) for one in told(web)]


class Wired:
    """A scene with three channels, and a hook that writes down what it got."""

    def __init__(self, scene: Scene, web: Receiver, office: PostOffice, tls: Tls) -> None:
        self.scene, self.web, self.office = scene, web, office
        self.hooked = scene.folder / "hooked"
        hook = scene.folder / "hook"
        ids = "$ROTATOR_APP $ROTATOR_ROTATION_ID $ROTATOR_VAULT_VERSION"
        hook.write_text(f'#!/bin/sh\necho "{ids}" >> {self.hooked}\n')
        hook.chmod(0o700)
        scene.secret_file("webhook-url", web.url + "/in")
        scene.secret_file("webhook-key", KEY)
        scene.secret_file("pagerduty-key", ROUTING)
        scene.configure(overlap="0s", billing=f'hooks = {{ published = ["{hook}"] }}')
        channels = CHANNELS.format(ca=tls.ca_file, url=web.url, port=office.port)
        scene.config.write_text(scene.config.read_text() + channels)

    def runs(self) -> list[str]:
        """What the hook was given, a line for each run."""
        return self.hooked.read_text().splitlines() if self.hooked.exists() else []


@pytest.fixture
def wired(door: Door, tmp_path: Path, web: Receiver, office: PostOffice, tls: Tls) -> Wired:
    """A world of the test's own."""
    return Wired(Scene(door, tmp_path), web, office, tls)


def test_every_channel_is_tried_and_told_apart(wired: Wired) -> None:
    """All three arrive: exit 0. A receiver that refuses: exit 1, its error and its fix, the mail all the same. Only the
    named one where one is named; an unknown name is a mistake."""
    done = wired.scene.json("notify", "test")
    assert (done.code, [one["ok"] for one in done.told["channels"]]) == (0, [True, True, True])
    assert events(wired.web) == [("test", "firing")]
    actions = [one["event_action"] for one in told(wired.web, "/v2/enqueue")]
    assert actions == ["trigger", "resolve"]
    wired.web.status = 403
    done = wired.scene.json("notify", "test")
    assert (done.code, [one["ok"] for one in done.told["channels"]]) == (1, [False, False, True])
    assert "HTTP 403" in done.told["channels"][0]["error"]["message"]
    assert "secret_file" in done.told["channels"][0]["error"]["fix"]
    assert wired.scene.run("notify", "test", "--name", "smtp").out.startswith("ok    smtp")
    assert wired.scene.json("notify", "test", "--name", "smpt").code == 2


def test_a_rotation_runs_its_hook_and_a_hold_reaches_every_channel(wired: Wired) -> None:
    """After `rotate`: the hook ran once, with this rotation and version, and stands in the trail. A foreign pair: held,
    told by three channels before the command ends; the release says that it is over."""
    done = wired.scene.json("rotate", "billing")
    assert wired.runs() == [f"billing {done.rotation['rotation_id']} {done.rotation['vault_version']}"]
    assert events(wired.web) == [("published", "once")]
    hooks = [e for e in wired.scene.events() if e["phase"] == "observe" and "hook" in e["evidence"]]
    assert [(e["step"], e["outcome"], e["evidence"]["hook"]["exit_status"]) for e in hooks] == [("publish", "ok", 0)]
    wired.scene.stranger("stage")
    held = wired.scene.json("rotate", "billing")
    assert held.code == 3
    notice = told(wired.web)[-1]
    assert (notice["event"], notice["reason"], notice["fix"]) == ("held", held.rotation["reason"], held.rotation["fix"])
    assert told(wired.web, "/v2/enqueue")[-1]["dedup_key"] == notice["key"]
    assert "Subject: HELD: billing" in wired.office.letters[-1]
    wired.scene.json("abandon", "billing")
    assert events(wired.web)[-1] == ("held", "resolved")
    assert wired.scene.json("audit", "verify").told["ok"]


def test_a_receiver_that_hangs_holds_a_command_for_ten_seconds_at_most(wired: Wired) -> None:
    """The result is out before; what was not told waits, is seen in `status`, and arrives with the next command."""
    wired.web.hangs = 60
    began = time.monotonic()
    assert wired.scene.json("rotate", "billing").code == 0
    assert time.monotonic() - began < 25
    (waiting,) = wired.scene.json("status").told["notices"]
    assert (waiting["channel"], waiting["waiting"]) == ("hook-receiver", 1)
    assert len(wired.runs()) == 1


def test_nothing_that_is_told_holds_a_secret(wired: Wired) -> None:
    """Every body, letter, log and the database, of a rotation with hook, of a hold, and of channels that fail: no
    secret of the org or of Vault; of the channels' own, only the routing key in PagerDuty's own body."""
    outputs = [wired.scene.run("--log-level", "debug", "rotate", "billing")]
    wired.scene.stranger("stage")
    wired.web.status = 500
    outputs.append(wired.scene.run("--log-level", "debug", "rotate", "billing"))
    outputs.append(wired.scene.run("--log-level", "debug", "notify", "test"))
    bodies = b"\n".join(one.body for one in wired.web.heard if one.path == "/in")
    incidents = b"\n".join(one.body for one in wired.web.heard if one.path != "/in").replace(ROUTING.encode(), b"")
    sinks: dict[str, bytes | Path] = {
        "webhook": bodies, "pagerduty": incidents, "letters": "\n".join(wired.office.letters).encode(),
        "database": wired.scene.database, "said": "".join(o.out + o.err for o in outputs).encode(),
    }  # fmt: skip
    secrets = {f"secret-{n}": text for n, text in enumerate(wired.scene.secrets())}
    own = {"key": KEY, "routing": ROUTING, "address": wired.web.url + "/in"}
    assert_silent(dict(sinks), {**secrets, **{name: text for name, text in own.items() if len(text) >= 16}})


@contextmanager
def told_fleet(door: Door, folder: Path, tls: Tls, database: str = "") -> Iterator[tuple[Fleet, Receiver]]:
    """A fleet whose daemons tell one webhook everything."""
    with receiver(tls) as web:
        fleet = Fleet(door, folder, apps=2)
        url = folder / "webhook-url"
        url.write_text(web.url + "/in")
        url.chmod(0o600)
        notify = f'\n[[notify]]\nkind = "webhook"\nurl_file = "webhook-url"\nca_file = "{tls.ca_file}"\n'
        fleet.configure(database=database, spoilt=notify + 'events = ["published", "held"]\n')
        yield fleet, web


def test_a_daemon_whose_receiver_hangs_rotates_all_the_same(door: Door, tmp_path: Path, tls: Tls) -> None:
    """Nothing of a rotation waits for a notice; when it is stopped it does not wait long either."""
    with told_fleet(door, tmp_path, tls) as (fleet, web), daemon(fleet) as one:
        web.hangs = 60
        one.ready()
        until(lambda: one.ended() == fleet.names, 60)
        assert web.heard
        began = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - began < 15


def test_two_daemons_on_one_postgresql_tell_each_publish_once(door: Door, tmp_path: Path, tls: Tls,
                                                              postgres_url: str) -> None:
    """Four apps, two daemons: four publishes told, each once, and nothing is left waiting."""
    with told_fleet(door, tmp_path, tls, postgres_url) as (fleet, web):
        with daemon(fleet, "one") as one, daemon(fleet, "two") as two:
            until(lambda: one.settled() | two.settled() == fleet.names, 100)
            until(lambda: len(web.heard) >= 4, 30)
            assert (one.stop(), two.stop()) == (0, 0)
        notices = told(web)
        assert sorted(notice["app"] for notice in notices) == sorted(fleet.names)
        assert len({notice["id"] for notice in notices}) == 4
        assert fleet.json("status")["notices"] == []


def test_a_daemon_killed_between_commit_and_notice_tells_at_its_next_start(door: Door, tmp_path: Path,
                                                                           tls: Tls) -> None:
    """SIGKILL while the receiver still thinks about the first notices: none is lost; a repeat has the same id."""
    with told_fleet(door, tmp_path, tls) as (fleet, web):
        web.hangs = 1.5
        with daemon(fleet) as one:
            one.ready()
            until(lambda: len(web.heard) >= 1, 60)
            one.process.kill()
            one.process.wait(10)
        web.hangs = 0
        with daemon(fleet, "two") as two:
            two.ready()
            until(lambda: one.settled() | two.settled() == fleet.names, 60)
            until(lambda: {notice["app"] for notice in told(web)} == fleet.names, 60)
            assert two.stop() == 0
        ids = {(notice["app"], notice["id"]) for notice in told(web)}
        assert len(ids) == len(fleet.names)
