"""A world in which the rotator has two identities: `admin`, and a `spare` with an app and a user of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from rotator.adapters.answer import Exchange
from rotator.config import load
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Trigger
from rotator.process import Stop, SystemClock
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Patience, Setting, Until
from rotator.wiring.outside import Outside, Spent
from rotator.wiring.rotate import Wish, rotate
from rotator.wiring.settings import timing_of
from tests.acceptance.scene import Door, Scene

RIGHTS = ("ApiEnabled", "ApiUserOnly", "ExternalClientAppDeveloper", "ExternalClientAppAdmin", "ViewClientSecret",
          "CustomizeApplication", "ManageUsers", "ModifyMetadata")  # fmt: skip
SPARE = 'spare = { grant = "client_credentials", vault_path = "salesforce/acme/spare" }\n'
WHO = Who("alice", "cli")


class Killed(BaseException):
    """The process is dead: nothing but the unwinding of Python comes after it."""


class TwoIdentities(Scene):
    """The scene of the acceptance tests with a spare; both own live paths are watched as those of apps are."""

    overlap = "0s"

    def __init__(self, door: Door, folder: Path, seed: int = 7) -> None:
        super().__init__(door, folder, seed)
        door("POST", "/orgs/acme/users", {"username": "spare@acme.example", "permissions": RIGHTS})
        told = {"name": "spare", "developer_name": "Rotator_Spare", "label": "Rotator Spare"}
        door("POST", "/orgs/acme/apps", {**told, "username": "spare@acme.example"})
        for app in ("rotator", "spare"):
            door("POST", "/watch", {"app": app, "overlap_s": 0})
        self.with_spare()

    def with_spare(self, more: str = "", own: str = "") -> None:
        """Writes the configuration anew, with a spare; `more` beside it, `own` into its table."""
        self.configure(propagation="0s")
        text = self.config.read_text()
        for name in ("proof_spacing", "settle"):
            text = text.replace(f'{name} = "200ms"', f'{name} = "0s"').replace(f'{name} = "500ms"', f'{name} = "0s"')
        head = 'vault_path = "salesforce/acme/rotator" }\n'
        assert head in text
        table = f'own = {{ overlap = "{self.overlap}"{own} }}\n'
        self.config.write_text(text.replace(head, head + SPARE + table + more))

    @contextmanager
    def process(self, heard: Outside | None = None) -> Iterator[Connections]:
        """One process of the rotator, in this one."""
        stop = Stop()
        connections = Connections(load(self.config, {}), SystemClock(stop), host="test", version="0", outside=heard)
        try:
            yield connections
        finally:
            connections.close()
            stop.close()

    def rotate(self, connections: Connections, *apps: str, trigger: Trigger = Trigger.MANUAL) -> list[Errand]:
        """Drives these to their end."""
        patience = Patience(connections.clock, end=connections.clock.monotonic() + 60)
        timing = timing_of(connections.config.timing)
        setting = Setting(timing, timedelta(milliseconds=50), owner(), patience)
        return rotate(connections, setting, apps, Wish(WHO, trigger, Until.DONE))

    def killed_at(self, app: str, n: int, *, before: bool) -> bool:
        """A process that dies at its n-th remote call, before or after the effect; whether it came to that."""
        if before:
            self.door("POST", "/faults", {"kind": "before", "match": {}, "nth": n})
        calls, armed = 0, True

        def heard(_side: str, exchange: Exchange) -> None:
            nonlocal calls
            calls += armed
            if armed and calls == n:
                assert before == (exchange.status == 0), "the fault fell on another call"
                raise Killed

        try:
            with self.process(Outside(Spent(lambda: 0.0), heard=heard)) as connections:
                self.rotate(connections, app)
                armed = False  # it lived to see the end: a death while it says goodbye is none
        except Killed:
            return True
        finally:
            self.door("DELETE", "/faults")
        return False

    def finished(self, app: str) -> Rotation:
        """The next start: gives the rotation as it ended."""
        with self.process() as connections:
            (errand,) = self.rotate(connections, app)
            assert errand.error is None, errand.error
            assert errand.row is not None
            assert connections.trail.verify_chain().ok
            return errand.row

    def served(self, name: str) -> str:
        """The key that the live path of an own pair holds, as its login reads it."""
        with self.process() as connections:
            return connections.vault.read_fields(f"salesforce/acme/{name}")["client_id"].reveal()


def vault_write(place: TwoIdentities, path: str, content: dict[str, str]) -> None:
    """A new version, written by root."""
    told = place.world["vault"]
    answer = httpx.post(f"{told['url']}/v1/{told['mount']}/data/{path}", json={"data": content}, trust_env=False,
                        headers={"X-Vault-Token": told["root_token"]})  # fmt: skip
    assert answer.status_code == 200
