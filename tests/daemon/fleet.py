"""Daemons as real processes, two simulated orgs with many apps beside them, and a socket in systemd's place."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.scene import Door, Json, environment, program, until

HEAD = """\
state_dir = "{state}"
{database}
[vault]
address = {vault}
mount = "{mount}"
insecure = true
auth = {{ method = "approle", role_id = "{role_id}", secret_id_file = "vault-secret-id", mount = "{auth}" }}
[control]
socket = "{socket}"
[timing]
propagation = "{propagation}"
proof_spacing = "100ms"
settle = "300ms"
poll = "100ms"
lease = "{lease}"
vault_wait = "1s"
tick = "200ms"
sweep = "{sweep}"
"""
ORG = """
[orgs.{name}]
host = "{host}"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/{name}/rotator" }}
"""
APP = """
[apps.{app}]
org = "{org}"
app = "{developer_name}"
vault_path = "salesforce/{org}/{app}"
{told}
"""


class Fleet:
    """A world of `apps` apps in each org, and a configuration that names them `<org>-<app>`: all, or so many."""

    def __init__(self, door: Door, folder: Path, apps: int, orgs: Sequence[str] = ("acme", "bolt"),
                 difficulty: str = "difficult", managed: int | None = None) -> None:
        self.door, self.folder = door, folder
        self.world = door("POST", "/reset", {"seed": 7, "orgs": list(orgs), "apps": apps, "facts": {}, "shapes": {},
                                             "difficulty": difficulty})  # fmt: skip
        for told in self.world["orgs"].values():
            told["apps"] = dict(list(told["apps"].items())[:managed])
        self.config = folder / "rotator.toml"
        vault = self.world["vault"]
        self.vault_words = {"vault": json.dumps(vault["url"]), "role_id": vault["role_id"], "mount": "secret",
                            "auth": "approle"}  # fmt: skip
        self.secret_id(vault["secret_id"])
        self.configure()

    def secret_id(self, text: str) -> None:
        """Writes the file of the Vault login."""
        secret = self.folder / "vault-secret-id"
        secret.write_text(text)
        secret.chmod(0o600)

    def configure(self, *, database: str = "", propagation: str = "500ms", overlap: str = "0s", sweep: str = "0s",
                  lease: str = "2s", every_app: str = "", apps: Mapping[str, str] | None = None,
                  spoilt: str = "", socket: str = "") -> None:
        """Writes the configuration anew; `apps` adds lines to an app's table, `every_app` to each, `spoilt` to the
        end; `socket` is the control surface's."""
        where = f'[database]\nurl = "{database}"' if database else ""
        text = HEAD.format(state=self.folder, propagation=propagation, sweep=sweep, lease=lease, socket=socket,
                           database=where, **self.vault_words)  # fmt: skip
        for org, told in self.world["orgs"].items():
            text += ORG.format(name=org, host=told["url"])
            for app, one in told["apps"].items():
                more = f'overlap = "{overlap}"\n{every_app}\n' + (apps or {}).get(app, "")
                table = APP.format(org=org, app=app, developer_name=one["developer_name"], told=more)
                text += table.replace(f"[apps.{app}]", f"[apps.{org}-{app}]")
        self.config.write_text(text + spoilt)

    @property
    def names(self) -> set[str]:
        """Every app."""
        return {f"{org}-{app}" for org, told in self.world["orgs"].items() for app in told["apps"]}

    def json(self, *words: str) -> Json:
        """The document of a command, which must succeed in looking."""
        return program("--config", str(self.config), "--json", *words).told

    def rotations(self) -> Counter[str]:
        """How many rotations each app ever had, by the trail."""
        events = self.json("history")["events"]
        return Counter(event["app"] for event in events if event["step"] == "request")

    def count(self) -> int:
        """How many calls there were."""
        found = self.door("GET", "/history")
        return len(found["requests"] if isinstance(found, dict) else found)

    def calls(self, purpose: str) -> int:
        """How often this was asked of the org or of Vault."""
        found = self.door("GET", "/history")
        return [call["purpose"] for call in (found["requests"] if isinstance(found, dict) else found)].count(purpose)

    def writes(self) -> list[str]:
        """All that was ever changed in the orgs and on the live and escrow paths."""
        found = self.door("GET", "/history")
        changes = ("stage", "promote", "delete slot", "kv write", "kv delete", "kv destroy", "kv metadata write")
        return [call["purpose"] for call in (found["requests"] if isinstance(found, dict) else found)
                if call["purpose"] in changes]  # fmt: skip

    def settle(self) -> None:
        """Invariant 1 was kept all along, and no lease is left behind."""
        watched = self.door("GET", "/invariants")
        assert watched["ok"], watched


class Running:
    """A daemon at work."""

    def __init__(self, process: subprocess.Popen[bytes], heard: list[str], log: Path) -> None:
        self.process, self.heard, self.log = process, heard, log

    def said(self, text: str) -> bool:
        """Whether systemd was told this."""
        return any(text in message for message in self.heard)

    def lines(self, event: str) -> list[Json]:
        """The lines of its log with this event."""
        whole = self.log.read_text().rpartition("\n")[0]
        told = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in told if line["event"] == event]

    def ended(self) -> set[str]:
        """The apps whose rotation ended well before this daemon's eyes."""
        return {line["app"] for line in self.lines("ended") if line["state"] == "done"}

    def settled(self) -> set[str]:
        """The same, and those that only their proof holds open."""
        return self.ended() | {line["app"] for line in self.lines("parked") if line["state"] == "unproven"}

    def ready(self) -> Running:
        """Waits until it says that it is ready."""
        until(lambda: self.said("READY=1") or self.process.poll() is not None, 20)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(20)


def listen(ear: socket.socket, heard: list[str]) -> None:
    """Takes what systemd is told, as systemd does: a queue that nobody empties holds ten messages."""
    while message := ear.recv(4096):
        heard.append(message.decode())


@contextmanager
def daemon(fleet: Fleet, name: str = "one", env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A daemon as a process of its own; killed in the end, should it still run."""
    command = [sys.executable, "-m", "rotator", "--config", str(fleet.config), "run"]
    with listening(command, fleet.folder, name, env) as running:
        yield running


@contextmanager
def listening(command: list[str], folder: Path, name: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The same for any command that tells systemd how it is."""
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = f"\0rotator-test-{os.getpid()}-{name}-{folder.name}"
    ear.bind(address)
    told = environment({"NOTIFY_SOCKET": "@" + address[1:], "WATCHDOG_USEC": "6000000", **(env or {})})
    log = folder / f"{name}.log"
    heard: list[str] = []
    ears = threading.Thread(target=listen, args=(ear, heard), daemon=True)
    ears.start()
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env=told, cwd=folder)
        try:
            yield Running(process, heard, log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(20)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", address)
            ears.join(5)
            ear.close()
