"""The middle of a simulator: world, gate and servers, and the acts that touch more than one of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rotator.simulator.clock import Clock
from rotator.simulator.dice import Dice
from rotator.simulator.door.changes import change
from rotator.simulator.options import Options
from rotator.simulator.org import site as org_site
from rotator.simulator.vault import site as vault_site
from rotator.simulator.vault.kv import Mount
from rotator.simulator.vault.model import Deny, Role
from rotator.simulator.wire.call import Call, Reply
from rotator.simulator.wire.faults import Chaos
from rotator.simulator.wire.gate import Gate
from rotator.simulator.wire.server import Servers, Tls
from rotator.simulator.world import World

TICK_S = 0.05
FEW, SAMPLE = 30, 50


class Hub:
    """Opens the ports on construction; the addresses outlive a reset."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.urls: dict[str, str] = {}
        self.servers = Servers(options.host)
        self.tls = Tls(options.tls_cert, options.tls_key, options.tls_client_ca) if options.tls_cert else None
        self.gate = Gate(self.clock, self.answer, self.watch)
        for name in options.orgs:
            self.urls[name] = self.servers.open(self.gate.site(f"org:{name}"), self.tls, options.ports.get(name, 0))
        self.urls["vault"] = self.servers.open(self.gate.site("vault"), self.tls, options.ports.get("vault", 0))
        if options.trap:
            self.urls["trap"] = self.servers.open(self.gate.site("trap"), self.tls)
        self.world = World(options, self.clock, self.urls)
        self.set_latency({"ms": options.latency_ms})
        self.set_chaos({"on": options.chaos})
        self.world.check(0, "start")
        self.servers.every(TICK_S, self.tick)

    def answer(self, call: Call) -> Reply:
        """The reply of the site that a request reached."""
        if call.site == "vault":
            return vault_site.answer(self.world.vault, call)
        org = self.world.orgs.get(call.site.removeprefix("org:"))
        return org_site.answer(org, call) if org else org_site.trap(call)

    def watch(self, call: Call, reply: Reply) -> None:
        """Invariant 1 after a request. With very many watched paths only what it touched, and now and then all."""
        if call.n % SAMPLE == 0 or len(self.world.watch.watched) <= FEW:
            self.world.check(call.n, reply.effect or "time")
        elif reply.effect:
            org = call.site.removeprefix("org:")
            self.world.check(call.n, reply.effect, reply.about.split("@")[0] if org == "vault" else org)

    def tick(self) -> None:
        """Time has passed: late requests may be due."""
        if self.gate.schedule.late:
            self.gate.land(0)

    def reset(self, changes: dict[str, Any]) -> dict[str, Any]:
        """A new world on the same addresses, with some options changed; all else starts anew."""
        self.options = self.options.changed(**changes)
        for name in self.options.orgs:
            self.open_org(name)
        self.clock.reset()
        self.world = World(self.options, self.clock, self.urls)
        self.clear_history()
        self.clear_faults()
        self.clear_pauses()
        self.set_latency({"ms": self.options.latency_ms})
        self.set_chaos({"on": self.options.chaos})
        self.world.check(0, "start")
        return self.world.described()

    def add_org(self, name: str) -> dict[str, Any]:
        """Another org on another port."""
        self.open_org(name)
        self.world.add_org(name)
        return dict(self.world.described()["orgs"][name])

    def open_org(self, name: str) -> None:
        """A port for an org that has none yet."""
        if name not in self.urls:
            self.urls[name] = self.servers.open_here(self.gate.site(f"org:{name}"), self.tls)

    def clear_history(self) -> dict[str, int]:
        """Forget past requests; numbering goes on."""
        self.gate.history.records.clear()
        return {"last": self.gate.history.last}

    def add_faults(self, body: Any) -> list[int]:
        """One fault or a list of them; gives their ids."""
        return [self.gate.schedule.add(spec).id for spec in (body if isinstance(body, list) else [body])]

    def clear_faults(self) -> dict[str, int]:
        """Empty the schedule; late requests that have not landed are forgotten."""
        self.gate.schedule.faults.clear()
        self.gate.schedule.late.clear()
        return {"faults": 0}

    def clear_pauses(self) -> dict[str, int]:
        """Forget all pauses; whoever waits goes on."""
        self.gate.pauses.clear()
        return {"pauses": 0}

    def set_latency(self, body: dict[str, Any]) -> dict[str, float]:
        """`{"ms": 50}` for every request, or `{"org": 50, "vault": 5}`."""
        named = {"" if site == "ms" else site: float(value) / 1000 for site, value in body.items()}
        self.gate.latency_s = named
        return named

    def set_chaos(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"on": true, "seed": 7, "lost": 5, "delayed": 5, "failed": 2, "throttled": 2, "delay_s": 0.05}`."""
        shares = {name: float(value) for name, value in body.items() if name not in ("on", "seed")}
        dice = Dice(int(body.get("seed") or self.options.seed), "chaos")
        self.gate.schedule.chaos = Chaos(dice, **shares) if body.get("on", True) else None
        return {"on": self.gate.schedule.chaos is not None, **shares}

    def change_vault(self, body: dict[str, Any]) -> dict[str, Any]:
        """Seal, status and lag; `denies`, `roles`, `namespaces` and `wrap_secret_id` are the bigger switches."""
        vault, body = self.world.vault, dict(body)
        if "denies" in body:
            vault.denies = [Deny(**rule) for rule in body.pop("denies")]
        for spec in body.pop("roles", []):
            self.put_role(dict(spec))
        for name in body.pop("namespaces", []):
            vault.mounts.setdefault(str(name).strip("/"), {"secret": Mount(self.clock)})
        for value in body.pop("end_tokens", []):
            vault.tokens.pop(value, None)
        if body.pop("end_all_tokens", False):
            vault.tokens = {value: token for value, token in vault.tokens.items() if token.root}
        return change(vault, body)

    def put_role(self, spec: dict[str, Any]) -> None:
        """Change a role, named by method and name, or make it."""
        method, name = str(spec.pop("method")), str(spec.pop("name", "rotator"))
        known = [r for r in self.world.vault.roles if (r.method, r.name) == (method, name)]
        role = known[0] if known else Role(name, method, role_id=self.world.vault.dice.text(36))
        change(role, spec)
        if not known:
            self.world.vault.roles.append(role)

    def announced(self) -> dict[str, Any]:
        """The line a process prints when it is ready."""
        orgs = {name: url for name, url in self.urls.items() if name not in ("vault", "trap", "admin")}
        named = {name: self.urls.get(name, "") for name in ("vault", "admin", "trap")}
        return {"org": orgs, **named, "seed": self.options.seed, "options": asdict(self.options)}
