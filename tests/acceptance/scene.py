"""The program as a person has it: the real command line as a process, a simulated org beside it, a configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]
ENDED = ("done", "abandoned", "failed")

CONFIG = """\
state_dir = "{state}"
{database}
[vault]
address = "{vault}"
mount = "{mount}"
insecure = true
auth = {{ method = "approle", role_id = "{role_id}", secret_id_file = "vault-secret-id", mount = "{auth}" }}

[orgs.acme]
host = "{host}"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/acme/rotator" }}
[orgs.acme.facts]
{facts}

[apps.billing]
org = "acme"
app = "Billing_Sync"
vault_path = "salesforce/acme/billing"
overlap = "{overlap}"
{billing}

[apps.orders]
org = "acme"
app = "Order_Export"
vault_path = "salesforce/acme/orders"
overlap = "0s"
{orders}

[timing]
propagation = "{propagation}"
proof_spacing = "200ms"
settle = "500ms"
poll = "100ms"
lease = "3s"
vault_wait = "{vault_wait}"
"""
USUAL = {
    "database": "", "facts": "", "overlap": "1h", "billing": "", "orders": "", "propagation": "500ms",
    "vault_wait": "1s", "mount": "secret", "auth": "approle",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Json:
        """The one document on standard output."""
        found: Json = json.loads(self.out)
        return found

    @property
    def rotation(self) -> Json:
        """The only rotation that it tells of."""
        (one,) = self.told["rotations"]
        return dict(one)


def program(*words: str, env: Mapping[str, str] | None = None, limit: float = 60, given: str = "") -> Done:
    """Runs the program to its end, in a bare environment; `given` is what its standard input holds."""
    command = [sys.executable, "-m", "rotator", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit, env=environment(env),
                          input=given)  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Door:
    """The simulator's admin door."""

    def __init__(self, url: str, patience: float = 20) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=patience)

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


@contextmanager
def simulator() -> Iterator[Door]:
    """A simulator as a process of its own, which ends with the test process."""
    command = [sys.executable, "-m", "rotator.simulator", "--with-parent", "--seed", "7"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        door = Door(json.loads(process.stdout.readline())["admin"])
        try:
            yield door
        finally:
            door.close()
            process.terminate()


class Scene:
    """One world, one configuration, one database."""

    def __init__(self, door: Door, folder: Path, seed: int = 7) -> None:
        self.door, self.folder = door, folder
        self.world = door("POST", "/reset", {"seed": seed, "facts": {}, "shapes": {}, "difficulty": "difficult"})
        self.config = folder / "rotator.toml"
        self.vault_words: Mapping[str, str] = {
            "vault": self.world["vault"]["url"], "role_id": self.world["vault"]["role_id"],
        }  # fmt: skip
        self.secret_file("vault-secret-id", self.world["vault"]["secret_id"])
        self.configure()

    def secret_file(self, name: str, text: str) -> None:
        """A file that only its owner may read."""
        place = self.folder / name
        place.write_text(text)
        place.chmod(0o600)

    def configure(self, **changes: str) -> None:
        """Writes the configuration anew."""
        host = self.world["orgs"]["acme"]["url"]
        words = {**USUAL, "state": str(self.folder), "host": host, **self.vault_words, **changes}
        self.config.write_text(CONFIG.format(**words))

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "rotator.db"

    # --- running it

    def command(self, *words: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "rotator", "--config", str(self.config), *words]

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Runs the program to its end."""
        return program("--config", str(self.config), *words, env=env)

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The running program; killed in the end, should it still run."""
        process = subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment(), cwd=self.folder)  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate(timeout=20)

    def json(self, *words: str) -> Done:
        """Runs it with `--json`."""
        return self.run("--json", *words)

    # --- looking at the world

    def truth(self, app: str = "billing") -> Json:
        """What is really so in the org."""
        return dict(self.door("GET", "/truth")["acme"][app]["consumers"][0])

    def secrets(self) -> list[str]:
        """Every secret the simulator ever gave out."""
        return list(self.door("GET", "/secrets"))

    def calls(self) -> list[Json]:
        """What was asked of org and Vault since the world began."""
        found = self.door("GET", "/history")
        return list(found["requests"] if isinstance(found, dict) else found)

    def fault(self, kind: str, match: Mapping[str, str], **more: object) -> None:
        """Schedules a fault."""
        self.door("POST", "/faults", {"kind": kind, "match": dict(match), **more})

    def stranger(self, act: str, app: str = "billing") -> None:
        """A foreign act that must have an effect."""
        assert self.door("POST", "/strangers", {"act": act, "app": app})["done"], act

    def events(self, app: str = "billing") -> list[Json]:
        """The audit trail of an app."""
        return list(self.json("history", app).told["events"])

    def settle(self) -> None:
        """Invariant 1 was kept all along."""
        watched = self.door("GET", "/invariants")
        assert watched["ok"], watched


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A bare environment: what is set on this machine must not change a test."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **(more or {})}


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Waits for a condition that another process makes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
