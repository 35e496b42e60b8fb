"""Invariant 1, watched: what readers of a live path get is accepted, and so is what they were promised."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from rotator.simulator.dice import fingerprint
from rotator.simulator.org import pairs
from rotator.simulator.org.model import Org
from rotator.simulator.vault.kv import Mount
from rotator.simulator.vault.model import Vault

FOREIGN = "stranger"


@dataclass
class Watched:
    """One live path. `external`: the Vault is a real one and the admin door is told what it serves.
    `promises`: earlier keys, and until when readers may still hold them."""

    org: str
    app: str
    mount: str
    path: str
    key_field: str
    overlap_s: float
    external: bool = False
    live: str = ""
    promises: dict[str, float] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


class Watch:
    """Looks after every request and records each break once, when it begins."""

    def __init__(self) -> None:
        self.by_app: dict[tuple[str, str], Watched] = {}
        self.violations: list[dict[str, Any]] = []
        self.checks = 0

    def add(self, org: str, app: str, mount: str, path: str, key_field: str, overlap_s: float = 0.0,
            external: bool = False) -> Watched:  # fmt: skip
        """Watch the live path of an app; replaces an earlier watch of it."""
        self.by_app.pop((org, app), None)
        made = self.by_app[org, app] = Watched(org, app, mount, path, key_field, overlap_s, external)
        return made

    @property
    def watched(self) -> Collection[Watched]:
        """Every live path that is watched, in the order in which they came."""
        return self.by_app.values()

    def find(self, app: str, org: str) -> Watched:
        """The watch of an app; LookupError when there is none."""
        return self.by_app[org, app]

    def check(self, orgs: dict[str, Org], vault: Vault, n: int, cause: str, now: float, touched: str = "") -> None:
        """Every watched path, after request `n`, whose effect was `cause`. `touched`: only the paths of that org, or
        only that path (`mount/path`)."""
        self.checks += 1
        for one in self.watched:
            if one.org in orgs and touched in ("", one.org, f"{one.mount}/{one.path}"):
                self.look(one, orgs[one.org], one.live if one.external else served(vault, one), n, cause, now)

    def push(self, one: Watched, org: Org, key: str, n: int, cause: str, now: float) -> None:
        """An external Vault serves that key now."""
        one.external = True
        self.look(one, org, key, n, cause, now)

    def look(self, one: Watched, org: Org, key: str, n: int, cause: str, now: float) -> None:
        """Compare what is served, and what was promised, with the org's record."""
        if key != one.live:
            if one.live and key and pairs.accepted_on_record(org, one.live):
                one.promises[one.live] = now + one.overlap_s
            one.live = key
            one.promises.pop(key, None)
        one.promises = {held: until for held, until in one.promises.items() if until > now}
        wanted = {("live", key)} if key else set()
        wanted |= {("promised", held) for held in one.promises}
        refused = {(what, held) for what, held in wanted if not pairs.accepted_on_record(org, held)}
        for what, held in refused:
            if held not in one.broken:
                self.record(one, org, what, held, n, cause, now)
        one.broken = {held for _, held in refused}

    def record(self, one: Watched, org: Org, what: str, key: str, n: int, cause: str, now: float) -> None:
        """Write one break down; a stranger's own act is marked foreign."""
        found = pairs.claim(org, key)
        self.violations.append({
            "app": one.app, "org": one.org, "what": what, "key_fp": fingerprint(key), "n": n, "cause": cause, "at": now,
            "foreign": cause.startswith(FOREIGN), "standing": found.standing if found else "unknown",
            "blocked": bool(found and not found.app.oauth_plugin_enabled),
        })  # fmt: skip

    def lift(self, one: Watched) -> None:
        """End all promises of a path: its overlap is over."""
        one.promises.clear()

    def shown(self) -> dict[str, Any]:
        """For `GET /invariants`: `ok` says that no act but a stranger's broke anything."""
        ours = [v for v in self.violations if not v["foreign"]]
        return {"ok": not ours, "checks": self.checks, "violations": ours,
                "foreign": [v for v in self.violations if v["foreign"]]}  # fmt: skip


def served(vault: Vault, one: Watched) -> str:
    """The key that readers of a path of the simulated Vault get; empty when they get nothing."""
    mount = vault.mounts.get("", {}).get(one.mount)
    found = mount.read(one.path) if isinstance(mount, Mount) else None
    if found is None or not isinstance(mount, Mount) or mount.gone(found[2]):
        return ""
    return str((found[2].data or {}).get(one.key_field, ""))
