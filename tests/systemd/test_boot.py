"""The service under a real systemd: a Debian that is booted, installed as the guide says, and looked at from inside.

The tests share one machine and run in the order of this file: the life of an installation, from its first start to its
removal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.canary.silence import assert_silent
from tests.systemd.guide import blocks
from tests.systemd.place import PEOPLE, Place, installed, run

pytestmark = [pytest.mark.boot, pytest.mark.needs("nspawn"), pytest.mark.timeout(600)]

THIRD = """
[apps.third]
org = "acme"
app = "{name}"
vault_path = "salesforce/acme/{app}"
overlap = "0s"
hooks = {{ published = ["/bin/sh", "-c", "echo $ROTATOR_APP > /var/lib/rotator/hook"] }}
"""
DROP_INS = "/etc/systemd/system/rotator.service.d"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The installed machine; every test may use what the one before it left."""
    with installed(tmp_path_factory.mktemp("place")) as ready:
        yield ready


def third(place: Place) -> str:
    """The table of an app that the first configuration does not name."""
    (name,) = set(place.world["orgs"]["acme"]["apps"]) - {"billing", "orders"}
    return THIRD.format(app=name, name=place.world["orgs"]["acme"]["apps"][name]["developer_name"])


def test_the_guide_leads_to_a_running_service(place: Place) -> None:
    """User and groups are there; systemd waited for READY and shows the daemon's own status; it starts at each boot."""
    told = place.machine.show("rotator", "ActiveState", "SubState", "Type", "StatusText", "UnitFileState", "NRestarts")
    assert told.pop("StatusText").startswith("2 apps, ")
    assert told == {"ActiveState": "active", "SubState": "running", "Type": "notify", "UnitFileState": "enabled",
                    "NRestarts": "0"}  # fmt: skip
    groups = {name: place.machine.out("id", "-nG", name).split() for name in PEOPLE}
    assert groups["rosa"] == ["rosa", "rotator-view", "rotator-rotate"]
    own = place.machine.sh("id -u rotator; getent group rotator-view | cut -d: -f3").split()
    assert [place.status()[name].split()[0] for name in ("Uid", "Gid")] == own


def test_what_is_due_is_rotated_under_all_protections(place: Place) -> None:
    """Salesforce, Vault and the database are reached from inside the cage, and invariant 1 holds."""
    place.machine.until(lambda: (place.state("orders"), place.state("billing")) == ("done", "overlap"))
    watched = place.door("GET", "/invariants")
    assert watched["ok"], watched


def test_the_exposure_of_the_running_service_is_low(place: Place) -> None:
    """The loaded unit, as the manager sees it; a drop-in that opens one thing is above the threshold."""
    look = ("systemd-analyze", "security", "--no-pager", "--threshold=11", "rotator.service")
    told = place.machine.run(*look)
    assert told.returncode == 0, told.stdout[-300:]
    drop_in = "/run/systemd/system/rotator.service.d/open.conf"
    place.machine.write(drop_in, "[Service]\nProtectKernelModules=no\n")
    place.machine.sh("systemctl daemon-reload")
    assert place.machine.run(*look).returncode != 0
    place.machine.sh(f"rm {drop_in}; systemctl daemon-reload")


def test_the_service_sees_little_of_the_machine(place: Place) -> None:
    """Its root has programs, settings and its own state, no home, no log, no file of others; and it gets no rights."""
    assert place.seen("") == ["bin", "dev", "etc", "lib", "lib64", "opt", "proc", "root", "run", "sbin", "sys", "tmp",
                            "usr", "var"]  # fmt: skip
    assert (place.seen("var/lib"), place.seen("root")) == (["rotator"], [])
    status = place.status()
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_the_credentials_are_for_the_service_alone(place: Place) -> None:
    """Nobody but root and the service reads them, in neither place, nor its memory, environment or database."""
    held = "/run/credentials/rotator.service/vault-secret-id"
    files = ("/etc/rotator/credentials/vault-secret-id", held, "/var/lib/rotator/rotator.db",
             f"/proc/{place.pid()}/environ", f"/proc/{place.pid()}/mem")  # fmt: skip
    for name in PEOPLE:
        for file in files:
            told = place.machine.run("cat", file, user=name)
            assert (told.returncode, "Permission denied" in told.stderr) == (1, True), (name, file, told.stderr)
    assert place.machine.out("cat", held, user="rotator") == place.world["vault"]["secret_id"]
    assert "CREDENTIALS_DIRECTORY" in place.machine.out("cat", f"/proc/{place.pid()}/environ")


def test_a_reload_refuses_a_bad_configuration_and_takes_a_good_one(place: Place) -> None:
    """`systemctl reload`: the mistake is a line of the journal and the daemon stays what it was; then a third app,
    which the good one names, is rotated by the same process."""
    before = place.pid()
    place.configure("\n[tming]\n")
    place.machine.out("systemctl", "reload", "rotator")
    place.machine.until(lambda: [line for line in place.lines("config_refused") if line.get("key") == "tming"])
    assert (place.is_active(), place.pid()) == (True, before)
    place.configure(third(place), orders="enabled = true")
    place.machine.out("systemctl", "reload", "rotator")
    place.machine.until(lambda: place.state("third") == "done", 60)
    assert (place.pid(), place.restarts()) == (before, 0)


def test_a_hook_runs_inside_the_cage(place: Place) -> None:
    """The program that an app names for `published` is started, and knows the app."""
    place.machine.until(lambda: place.machine.run("test", "-s", "/var/lib/rotator/hook").returncode == 0)
    assert place.machine.out("cat", "/var/lib/rotator/hook").strip() == "third"


def test_an_anchor_of_the_trail_reaches_the_journal(place: Place) -> None:
    """From inside the cage, as the field that a forwarder looks for."""
    place.machine.until(lambda: place.machine.out("journalctl", "--no-pager", "-F", "ROTATOR_ANCHOR"), 75)
    (anchor, *_) = place.machine.out("journalctl", "--no-pager", "-F", "ROTATOR_ANCHOR").splitlines()
    assert json.loads(anchor)["seq"] >= 1


def test_a_killed_daemon_is_started_again_and_goes_on(place: Place) -> None:
    """SIGKILL while Salesforce works at the POST of a rotation: systemd starts it again, and the same rotation ends
    done, with no second opened."""
    place.door("POST", "/pause", {"match": {"purpose": "stage"}, "when": "after"})
    place.configure(third(place), orders='schedule = { every = "1s", jitter = "0s" }')
    place.machine.out("systemctl", "reload", "rotator")
    place.machine.until(lambda: [call for call in place.door("GET", "/paused") if call["state"] == "paused"])
    place.configure(third(place))
    restarts = place.restarts()
    place.machine.out("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "rotator")
    place.door("DELETE", "/pause")
    place.machine.until(lambda: place.restarts() == restarts + 1 and place.is_active())
    place.machine.until(lambda: place.state("orders") == "done", 60)
    assert opened(place, "orders") == 2


def opened(place: Place, app: str) -> int:
    """How many rotations of an app were opened."""
    return sum(event["step"] == "request" for event in place.rotator("history", app)["events"])


def test_a_hung_daemon_is_noticed_by_the_watchdog(place: Place) -> None:
    """SIGSTOP: no beat comes, systemd ends it and starts another, which is ready."""
    before, restarts = place.pid(), place.restarts()
    place.machine.out("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "rotator")
    place.machine.until(lambda: place.restarts() == restarts + 1 and place.is_active(), 60)
    assert place.pid() != before
    assert "Failed with result 'watchdog'" in place.journal()


def test_a_wrong_configuration_is_not_tried_again_and_a_human_is_told(place: Place) -> None:
    """A start with it ends once, with exit code 2; rotator-failed.service says so with priority crit."""
    place.configure("\n[tming]\n")
    assert place.machine.run("systemctl", "restart", "rotator").returncode != 0
    told = place.machine.show("rotator", "ActiveState", "Result", "NRestarts", "ExecMainStatus")
    assert (told["ActiveState"], told["NRestarts"]) == ("failed", "0")
    alarm = ("journalctl", "-o", "cat", "--no-pager", "-p", "crit", "-u", "rotator-failed")
    place.machine.until(lambda: "service_failed" in place.machine.out(*alarm))
    place.configure(third(place))
    place.machine.out("systemctl", "start", "rotator")


def test_encrypted_credentials_and_an_owner_of_the_tables_are_drop_ins(place: Place) -> None:
    """As shipped: the secret comes from a file that this machine alone can open, `db check` stands in the place of
    `db upgrade`, and the daemon starts; without its plain file, which is gone."""
    place.machine.sh(f"""
        plain=/etc/rotator/credentials/vault-secret-id
        mkdir -p /etc/credstore.encrypted
        systemd-creds encrypt --name=vault-secret-id $plain /etc/credstore.encrypted/vault-secret-id
        mv $plain /home
        cd /opt/rotator/lib/python3*/site-packages/rotator/_data/systemd/rotator.service.d
        cp credentials-encrypted.conf postgresql-owner.conf {DROP_INS}
        systemctl daemon-reload
        systemctl restart rotator""")
    assert place.machine.out("cat", "/run/credentials/rotator.service/vault-secret-id") == (
        place.world["vault"]["secret_id"])  # fmt: skip
    (before, *_) = [json.loads(line) for line in reversed(place.journal().splitlines()) if line.startswith('{"ok"')]
    assert "before" not in before  # `db upgrade` tells it, `db check` does not
    place.machine.sh(f"""
        mv /home/vault-secret-id /etc/rotator/credentials/
        rm {DROP_INS}/credentials-encrypted.conf {DROP_INS}/postgresql-owner.conf
        systemctl daemon-reload
        systemctl restart rotator""")


def test_each_group_may_do_what_it_is_for(place: Place) -> None:
    """Over the socket, as the people that step 6 of the guide made members, without a right to the configuration: who
    is in no group is told which, rotator-view looks and is refused a rotation, the other two rotate, and rotator-force
    alone forces; the trail has them. Without the daemon: the configuration cannot be read, and that is said."""
    rotate = ("rotate", "orders", "--until", "done", "--timeout", "60s")
    told = {name: (place.rotator("status", user=name), place.rotator(*rotate, user=name)) for name in PEOPLE}
    assert [answer["errors"][0]["code"] for answer in told["nemo"]] == ["not_a_member"] * 2
    assert told["vera"][0]["daemon"]["pid"] == int(place.pid())
    assert [error["code"] for error in told["vera"][1]["errors"]] == ["not_permitted"]
    for name in ("rosa", "fred"):
        (rotation,) = told[name][1]["rotations"]
        assert (rotation["state"], rotation["trigger"]) == ("done", "manual"), rotation
    events = place.rotator("history", "orders")["events"]
    asked = [(event["actor"], event["origin"]) for event in events if event["step"] == "request"]
    assert asked[-2:] == [("rosa", "socket"), ("fred", "socket")]
    refused = [event["actor"] for event in place.rotator("history")["events"] if event["step"] == "refused_command"]
    assert refused == ["vera"]
    force = ("force", "orders", "--reason", "drill", "--ticket", "INC-1", "--yes", "--timeout", "60s")
    (error,) = place.rotator(*force, user="rosa")["errors"]
    assert error["code"] == "not_permitted"
    (rotation,) = place.rotator(*force, user="fred")["rotations"]
    assert (rotation["trigger"], rotation["state"]) == ("force", "done"), rotation
    (error,) = place.rotator("config", "check", user="rosa")["errors"]
    assert "cannot be read: Permission denied" in error["message"]


def test_an_upgrade_by_the_guide_is_one_restart(place: Place) -> None:
    """The first start brought the oldest tables to this version. By the guide the database is copied, the wheel
    installed, the daemon restarted; its last line names the program before that restart, and nothing after it."""
    (first, *_) = [json.loads(line) for line in place.journal().splitlines() if line.startswith('{"ok"')]
    assert (first["ok"], first["before"]) == (True, "0001")
    upgrade, needs_restart = blocks("Upgrade")
    replaced = upgrade.replace("--upgrade", "--upgrade --force-reinstall --no-deps")  # the same version, this time
    before = place.pid()
    run(place.machine, replaced.replace("systemctl restart rotator\n", ""))
    assert "rotator-" in run(place.machine, needs_restart)
    run(place.machine, "systemctl restart rotator")
    assert run(place.machine, needs_restart) == ""
    assert (place.is_active(), place.pid() != before) == (True, True)
    assert place.machine.out("sqlite3", "/var/lib/rotator/before.db", "SELECT count(*) FROM rotations").strip() != "0"


def test_the_timer_does_the_work_in_place_of_the_daemon(place: Place) -> None:
    """By the guide: the daemon is gone, the timer waits for its next call, and a call of its service ends well."""
    (timer,) = blocks("The timer instead")
    run(place.machine, timer)
    assert not place.is_active()
    place.machine.out("systemctl", "start", "rotator-once.service")
    assert place.machine.show("rotator-once.service", "Result")["Result"] == "success"
    assert place.machine.show("rotator-once.timer", "ActiveState")["ActiveState"] == "active"
    place.machine.sh("systemctl disable --now rotator-once.timer; systemctl enable --now rotator")


def test_the_journal_is_json_and_holds_no_secret(place: Place) -> None:
    """Every line that the program wrote is an object; in all that the machine has logged there is none of the secrets
    that the simulator ever gave out."""
    program = place.journal("_COMM=rotator", "_TRANSPORT=stdout")
    lines = [json.loads(line) for line in program.splitlines()]
    assert len(lines) > 100
    whole = place.machine.out("journalctl", "--no-pager", "-o", "cat")
    # A session id starts with the id of its org, which is public, and an exclamation mark.
    secrets = [secret.rpartition("!")[2] for secret in place.door("GET", "/secrets")]
    looked = assert_silent({"journal": whole}, {f"{n}": text for n, text in enumerate(secrets)})
    assert (looked["journal"] > 50_000, len(secrets) > 30) == (True, True)


def test_a_removal_by_the_guide_leaves_the_state(place: Place) -> None:
    """Program and units are gone, the database with its trail and the configuration are there."""
    (remove,) = blocks("Remove")
    run(place.machine, remove)
    assert place.machine.run("systemctl", "cat", "rotator").returncode != 0
    for file in ("/var/lib/rotator/rotator.db", "/etc/rotator/rotator.toml"):
        place.machine.out("test", "-s", file)
    for gone in ("/opt/rotator", "/usr/local/bin/rotator", "/etc/systemd/system/rotator.service.d"):
        assert place.machine.run("test", "-e", gone).returncode == 1
