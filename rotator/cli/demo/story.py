"""What the demo shows, in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rotator.cli.demo.servers import Api, Stage, VaultPlace
from rotator.cli.out import say
from rotator.domain.errors import RotatorError
from rotator.domain.pair import fingerprint

CONFIG = """\
state_dir = "{folder}"

[vault]
address = "{vault}"
insecure = true
auth = {{ method = "approle", role_id = "{role_id}", secret_id_file = "vault-secret-id" }}

[orgs.acme]
host = "{host}"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/acme/rotator" }}

[apps.billing]
org = "acme"
app = "Billing_Sync"
vault_path = "salesforce/acme/billing"
overlap = "2s"
schedule = {{ every = "30d" }}

[apps.orders]
org = "acme"
app = "Order_Export"
vault_path = "salesforce/acme/orders"
overlap = "2s"
enabled = false             # on demand only

[timing]                    # short, so that you need not wait: the defaults are minutes
propagation = "2s"
proof_spacing = "500ms"
settle = "1s"
poll = "200ms"
lease = "5s"
"""
FORCED = "force orders --reason leaked --ticket INC-1"
OVERLAP = 2.5  # seconds: the overlap, and the second in which the org's clock may lag
Json = dict[str, Any]


class DemoFailed(RotatorError):
    """A step of the demo did not end as it should; the lines above tell more."""

    code = "demo"
    fix = "see the lines above; run it again with --keep to keep its folder"


class Story:
    """Runs the program as a person would, keeps what it said."""

    def __init__(self, folder: Path, world: Json, door: Api, vault: VaultPlace, stage: Stage) -> None:
        self.folder, self.world, self.door, self.vault, self.stage = folder, world, door, vault, stage
        self.config = folder / "rotator.toml"
        self.results: Json = {"vault": vault.words, "steps": {}}
        org = world["orgs"]["acme"]
        words = {"folder": folder, "vault": vault.address, "role_id": vault.role_id, "host": org["url"]}
        self.config.write_text(CONFIG.format(**words))
        (folder / "vault-secret-id").write_text(vault.secret_id)

    def tell(self) -> None:
        """All of it. Raises DemoFailed."""
        say(f"a simulated Salesforce org (seed {self.world['seed']}), {self.vault.words}, SQLite in {self.folder}")
        for c in self.step("Is everything in place?", "check", _all_right)["checks"]:
            say(f"  {'ok  ' if c['ok'] else 'warn'} {c['id']:<6} {c['found']}")
        before = {app: self.live(app) for app in ("billing", "orders")}
        self.step("A scheduled rotation: billing was never rotated, so it is due", "run --once", _in("overlap"))
        self.moved("billing", before["billing"])
        self.pause_until_overlap_ends("billing")
        self.step("The overlap is over: the next run retires the old pair, and proves it dead", "run --once",
                  _in("done"))
        self.step("A rotation on demand", "rotate orders --until done --reason demo", _in("done"))
        self.moved("orders", before["orders"])
        self.outside("billing", before["billing"])
        self.outside("orders", before["orders"])
        leaked = self.live("orders")
        self.step("A secret leaked: a forced rotation, at once, with a ticket", FORCED, _in("done"))
        self.moved("orders", leaked)
        self.outside("orders", leaked)
        events = self.step("The audit trail", "history billing", lambda told: len(told["events"]) > 0)["events"]
        for event in events:
            say(f"  {event['seq']:>4} {event['step']:<9} {event['phase']:<9} {event['outcome'] or ''}")
        checked = self.step("Is the trail whole?", "audit verify", lambda told: told["ok"])
        say(f"  {checked['rows']} rows, each chained to the one before: whole")

    def step(self, title: str, command: str, fits: Callable[[Json], bool]) -> Json:
        """Runs one command with `--json`; its progress goes to our output. Raises DemoFailed where it does not fit."""
        say(f"\n{title}\n$ rotator {command}")
        self.stage.go_on()
        common = ["--config", str(self.config), "--json", "--log-level", "error"]
        run = [sys.executable, "-m", "rotator", *common, *command.split()]
        started = time.monotonic()
        done = subprocess.run(run, stdout=subprocess.PIPE, stderr=sys.stdout, check=False, env=clean_environment())  # noqa: S603
        told: Json = json.loads(done.stdout or b"{}")
        name = f"{len(self.results['steps']) + 1} {command}"
        self.results["steps"][name] = {"exit": done.returncode, "seconds": round(time.monotonic() - started, 2), **told}
        if done.returncode != 0 or not fits(told):
            raise DemoFailed(f"`rotator {command}` ended with {done.returncode}: {json.dumps(told)[:2000]}")
        for row in told.get("rotations", ()):
            say(f"  {row['app']}: {row['state']}" + "".join(f", {k} {v}" for k, v in row["claims"].items()
                                                           if row["state"] == "done"))  # fmt: skip
        return told

    def live(self, app: str) -> Json:
        """What readers of the live path get: version and pair."""
        told = self.vault.root.call("GET", f"/v1/secret/data/salesforce/acme/{app}")["data"]
        return {"version": told["metadata"]["version"], **told["data"]}

    def moved(self, app: str, before: Json) -> None:
        """The live path serves another pair."""
        now = self.live(app)
        fps = fingerprint(before["client_id"]), fingerprint(now["client_id"])
        say(f"  secret/salesforce/acme/{app}: version {before['version']} with key {fps[0]} -> "
            f"version {now['version']} with key {fps[1]}")  # fmt: skip
        if fps[0] == fps[1]:
            raise DemoFailed(f"the live path of {app} did not move")
        self.results[app] = {"before": fps[0], "after": fps[1], "version": now["version"]}

    def outside(self, app: str, before: Json) -> None:
        """Asks the simulated org itself what the old and the new pair are worth now."""
        told = self.door.call("GET", "/truth")["acme"][app]["consumers"][0]
        new = told["primary"]["accepted"] and told["primary"]["key"] == self.live(app)["client_id"]
        old = [pair for pair in told["gone"] if pair["key"] == before["client_id"]]
        dead = bool(old) and not told["slot"] and not any(pair["accepted"] or pair["tokens"] for pair in old)
        say(f"  the org itself says of {app}: the pair in Vault is {'accepted' if new else 'REFUSED'}, "
            f"the old pair is {'dead, and so is every token of it' if dead else 'NOT DEAD'}")  # fmt: skip
        if not (dead and new):
            raise DemoFailed(f"the org disagrees about {app}")

    def pause_until_overlap_ends(self, app: str) -> None:
        """Waits for the overlap as a timer would: the rotation itself stands in the database, no process waits."""
        rows = self.step("Nothing runs now; the rotation stands in the database", f"status {app}", lambda told: True)
        until = rows["apps"][0]["rotation"]["overlap_until"]
        say(f"  the old pair stays valid until {until}")
        self.stage.pause(OVERLAP)


def _in(state: str) -> Callable[[Json], bool]:
    return lambda told: bool(told["rotations"]) and all(row["state"] == state for row in told["rotations"])


def _all_right(told: Json) -> bool:
    return all(c["ok"] or c.get("level") == "warn" for c in told["checks"])


def clean_environment() -> dict[str, str]:
    """The environment without what another rotator or Vault was told."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "ROTATOR_"))}
