"""The rotator on a booted Debian, installed as the guide says, a simulated org and Vault as a service beside it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.scene import CONFIG, USUAL, Json
from tests.project.installed import build_wheel
from tests.systemd import debian
from tests.systemd.guide import blocks
from tests.systemd.machine import Machine, alone, booted

PORTS = {"admin": 7000, "vault": 7001, "acme": 7002}
SIMULATOR = """\
[Service]
Type=exec
ExecStart=/opt/rotator/bin/python -m rotator.simulator --options /etc/simulator.json
DynamicUser=yes
"""
CALL = """\
import sys, urllib.request
method, path, body = sys.argv[1:]
asked = urllib.request.Request("http://127.0.0.1:7000" + path, body.encode() or None, method=method)
print(urllib.request.urlopen(asked, timeout=20).read().decode())
"""
FAST = 'tick = "500ms"\n'
OLD_TABLES = """\
from alembic import command
from alembic.config import Config
from rotator.resources import data_dir
from sqlalchemy import create_engine
config = Config()
config.set_main_option("script_location", str(data_dir("migrations")))
with create_engine("sqlite:////var/lib/rotator/rotator.db").begin() as config.attributes["connection"]:
    command.upgrade(config, "0001")
"""
# Time runs faster in a test: the beat of the watchdog, and the wait before a restart.
HURRY = "[Service]\nWatchdogSec=6\nRestartSec=1\n"
PEOPLE = {
    "vera": "rotator-view", "rosa": "rotator-view,rotator-rotate", "fred": "rotator-view,rotator-force", "nemo": "",
}  # fmt: skip


class Place:
    """What the tests do in it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.world: Json = {}

    def door(self, method: str, path: str, body: object = None) -> Any:
        """The admin door of the simulator."""
        given = "" if body is None else json.dumps(body)
        return json.loads(self.machine.out("/opt/rotator/bin/python", "-c", CALL, method, path, given))

    def configure(self, more: str = "", **changes: str) -> None:
        """Writes the configuration, as step 3 of the guide has it edited."""
        vault = self.world["vault"]
        words = {**USUAL, "state": "/var/lib/rotator", "host": self.world["orgs"]["acme"]["url"],
                 "vault": vault["url"], "role_id": vault["role_id"], **changes}  # fmt: skip
        self.machine.write("/etc/rotator/rotator.toml", CONFIG.format(**words) + FAST + more, "0640", "root:rotator")

    def rotator(self, *words: str, user: str = "rotator") -> Json:
        """The document of a command with `--json`, whatever its exit code."""
        done = self.machine.run("rotator", "--json", *words, user=user)
        assert done.stdout, done.stderr
        told: Json = json.loads(done.stdout)
        return told

    def state(self, app: str) -> str:
        """The state of the last rotation of an app that the trail tells of; empty where there is none."""
        changes = [event["evidence"].get("set") or {} for event in self.rotator("history", app)["events"]]
        states = [change["state"] for change in changes if "state" in change]
        return states[-1] if states else ""

    def journal(self, *words: str) -> str:
        """Lines of the service, from its first to its last."""
        return self.machine.out("journalctl", "--no-pager", "-o", "cat", "-u", "rotator", *words)

    def lines(self, event: str) -> list[Json]:
        """The lines of its log with this event."""
        told = [json.loads(line) for line in self.journal().splitlines() if line.startswith("{")]
        return [line for line in told if line.get("event") == event]

    def pid(self) -> str:
        """The main process, as it is numbered inside."""
        return self.machine.show("rotator", "MainPID")["MainPID"]

    def status(self) -> dict[str, str]:
        """What the kernel says of the main process."""
        lines = self.machine.out("cat", f"/proc/{self.pid()}/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def seen(self, folder: str) -> list[str]:
        """What lies in a folder as the main process sees it."""
        return sorted(self.machine.out("ls", "-A", "/".join(("/proc", self.pid(), "root", folder))).split())

    def is_active(self) -> bool:
        """Whether systemd was told that it is ready."""
        return self.machine.show("rotator", "ActiveState")["ActiveState"] == "active"

    def restarts(self) -> int:
        """How often systemd has started it again."""
        return int(self.machine.show("rotator", "NRestarts")["NRestarts"])


def share(folder: Path) -> Path:
    """What the machine sees at /media: the wheels, and ours."""
    shared = folder / "media"
    shared.mkdir()
    build_wheel(shared)
    root = debian.root(os.environ)
    shutil.copytree(debian.wheels(os.environ, root), shared / "wheels")
    return shared


@contextmanager
def installed(folder: Path) -> Iterator[Place]:
    """A booted machine on which the guide was followed, up to the groups of the people."""
    shared = share(folder)
    with alone(debian.cache(os.environ) / "boot.lock"), booted(debian.root(os.environ), shared) as machine:
        place = Place(machine)
        follow(place)
        yield place


def follow(place: Place) -> None:
    """Each step of the guide, with what a person does between them."""
    machine = place.machine
    machine.write("/etc/pip.conf", "[global]\nno-index = true\nfind-links = /media/wheels\n")
    machine.sh("cp /media/rotator-*.whl /home/")
    program, accounts, secret, look, start, people = blocks("Install")
    run(machine, program)
    run(machine, accounts)
    simulate(place)
    place.configure()
    machine.write("/home/vault-secret-id", place.world["vault"]["secret_id"], "0600")
    run(machine, secret)
    run(machine, look)
    machine.sh("rm /var/lib/rotator/rotator.db*")
    machine.out("sh", "-euc", 'umask 077; exec "$@"', "sh", "/opt/rotator/bin/python", "-c", OLD_TABLES, user="rotator")
    machine.write("/etc/systemd/system/rotator.service.d/hurry.conf", HURRY)
    machine.out("systemctl", "daemon-reload")
    run(machine, start)
    for name, groups in PEOPLE.items():
        machine.out("useradd", "--create-home", name)
        if groups:
            run(machine, people.replace("alice", name).replace("rotator-view,rotator-rotate", groups))


def run(machine: Machine, block: str) -> str:
    """One block of the guide, in the folder where its files are."""
    return machine.sh(f"cd /home\n{block}")


def simulate(place: Place) -> None:
    """The simulator as a service of its own."""
    options = {"seed": 7, "ports": PORTS}
    place.machine.write("/etc/simulator.json", json.dumps(options))
    place.machine.write("/etc/systemd/system/simulator.service", SIMULATOR)
    place.machine.sh("systemctl daemon-reload; systemctl start simulator")
    probe = ("/opt/rotator/bin/python", "-c", CALL, "GET", "/world", "")
    place.machine.until(lambda: place.machine.run(*probe).returncode == 0, unit="simulator")
    place.world = place.door("GET", "/world")
