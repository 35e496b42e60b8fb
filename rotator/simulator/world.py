"""The ready-made world: orgs with apps and users, a Vault with a login for the rotator, live paths that agree."""

from __future__ import annotations

from typing import Any

from rotator.simulator import switches
from rotator.simulator.clock import Clock
from rotator.simulator.dice import Dice
from rotator.simulator.options import Options
from rotator.simulator.org import pairs
from rotator.simulator.org.model import ALL_PERMISSIONS, App, Consumer, Org, Pair, User
from rotator.simulator.vault.kv import Mount
from rotator.simulator.vault.model import Role, Vault
from rotator.simulator.watch import Watch

MOUNT, KV1 = "secret", "kv1"
NAMED = (("billing", "Billing_Sync", "Billing Sync"), ("orders", "Order_Export", "Order Export"),
         ("invoices", "Invoice_Feed", "Invoice Feed"))  # fmt: skip
ADMIN_APP = "rotator"
DAYS_OLD = 40 * 86400


class World:
    """Everything the simulator knows, but for the sockets and the gate."""

    def __init__(self, options: Options, clock: Clock, urls: dict[str, str]) -> None:
        self.options, self.clock, self.urls = options, clock, urls
        self.orgs: dict[str, Org] = {}
        self.vault = make_vault(options, clock)
        self.kv = Mount(clock)
        self.vault.mounts[""] = {MOUNT: self.kv, KV1: {}}
        self.watch = Watch()
        for name in options.orgs:
            self.add_org(name)

    def add_org(self, name: str) -> Org:
        """An org with the rotator's own app, the named apps and as many more as the options ask."""
        org = make_org(name, self.options, self.clock, self.urls.get(name, ""))
        self.orgs[name] = org
        rotator = add_user(org, f"rotator@{name}.example", ALL_PERMISSIONS)
        self.seed_admin(org, add_app(org, ADMIN_APP, "Rotator_Admin", "Rotator Admin", rotator))
        other = add_user(org, f"admin@{name}.example", ALL_PERMISSIONS)
        org.note(other.id, "createdOrg", "Organization setup", DAYS_OLD)
        for number in range(self.options.apps):
            self.seed_app(org, add_numbered(org, number))
        return org

    def seed_admin(self, org: Org, app: App) -> None:
        """Put the rotator's own pair where a configuration will look for it."""
        pair = app.consumers[0].primary
        content = {"client_id": pair.key, "client_secret": pair.secret}
        self.kv.write(f"salesforce/{org.name}/{ADMIN_APP}", content, None)

    def seed_app(self, org: Org, app: App) -> None:
        """Write the live path of an app, and watch it."""
        path = f"salesforce/{org.name}/{app.name}"
        if self.options.seed_live:
            pair = app.consumers[0].primary
            content = {"client_id": pair.key, "client_secret": pair.secret, "login_url": org.url, "owner": "team-a"}
            self.kv.write(path, content, None)
        self.watch.add(org.name, app.name, MOUNT, path, "client_id", self.options.overlap_s)

    def check(self, n: int, cause: str, touched: str = "") -> None:
        """Look at invariant 1 after request `n`: at everything, or at what it touched."""
        self.watch.check(self.orgs, self.vault, n, cause, self.clock.now(), touched)

    def described(self) -> dict[str, Any]:
        """Ids, addresses and credentials: all that is needed to write a configuration of the rotator."""
        role = next(role for role in self.vault.roles if role.method == "approle")
        root = next(token.value for token in self.vault.tokens.values() if token.root)
        vault = {"url": self.urls.get("vault", ""), "mount": MOUNT, "kv1_mount": KV1, "role_id": role.role_id,
                 "role": role.name, "secret_id": next(iter(role.secret_ids), ""), "root_token": root}  # fmt: skip
        return {"seed": self.options.seed, "orgs": {name: org_described(org) for name, org in self.orgs.items()},
                "vault": vault, "trap": self.urls.get("trap", ""), "admin": self.urls.get("admin", "")}  # fmt: skip

    def secrets(self) -> list[str]:
        """Every secret value there ever was: pair secrets, tokens, delete tokens, Vault tokens, secret ids."""
        found = list(self.vault.issued)
        for org in self.orgs.values():
            found += org.secrets
            found += [value for token in org.tokens for value in (token.value, token.delete_token)]
        return found


def make_org(name: str, options: Options, clock: Clock, url: str) -> Org:
    """An empty org; its shapes are drawn from seed and name."""
    dice = Dice(options.seed, f"org:{name}")
    drawn = switches.shapes(Dice(options.seed, f"shapes:{name}") if options.difficulty == "difficult" else None)
    org = Org(name, dice.sf_id("00D"), f"{name}.my.salesforce.com", url, clock, dice, switches.facts(), drawn,
              strict_host=options.strict_host)  # fmt: skip
    org.facts.change(options.facts)
    org.shapes.change(options.shapes)
    return org


def add_user(org: Org, username: str, permissions: tuple[str, ...] = ("ApiEnabled", "ApiUserOnly")) -> User:
    """A user with those permissions."""
    user = User(org.dice.sf_id("005"), username, username.split("@")[0].title(), set(permissions))
    org.users.append(user)
    return user


def admin_of(org: Org) -> User:
    """The org's own admin, who is not the rotator."""
    return next(user for user in org.users if user.username.startswith("admin@"))


def add_app(org: Org, name: str, developer_name: str, label: str, user: User, kind: str = "external_client_app",
            consumers: int = 1) -> App:  # fmt: skip
    """An app whose pairs are forty days old and accepted."""
    made = [Consumer(org.dice.sf_id("888"), aged(org, user)) for _ in range(consumers)]
    prefix = "0H4" if kind == "connected_app" else "0xI"
    app = App(org.dice.sf_id(prefix), name, developer_name, label, kind, made, user.id, used=True)
    org.apps.append(app)
    return app


def aged(org: Org, user: User) -> Pair:
    """A pair minted forty days ago."""
    pair = pairs.new_pair(org, user.id)
    pair.minted_at = pair.usable_from = org.clock.now() - DAYS_OLD
    return pair


def add_numbered(org: Org, number: int) -> App:
    """The n-th app of the default world: the first have names, the rest numbers; each has its own run-as user."""
    name, developer_name, label = (
        NAMED[number] if number < len(NAMED) else (f"app{number:04}", f"App_{number:04}", f"App {number:04}")
    )
    return add_app(org, name, developer_name, label, add_user(org, f"{name}@{org.name}.example"))


def org_described(org: Org) -> dict[str, Any]:
    """One org for `GET /world`."""
    apps = {app.name: app_described(org, app) for app in org.apps}
    admin = apps.pop(ADMIN_APP, None)
    return {"url": org.url, "org_id": org.id, "my_domain": org.my_domain, "api_version": "65.0", "admin": admin,
            "apps": apps, "users": {user.username: user.id for user in org.users}}  # fmt: skip


def app_described(org: Org, app: App) -> dict[str, Any]:
    """One app for `GET /world`."""
    first = app.consumers[0]
    return {
        "app_id": app.id, "developer_name": app.developer_name, "label": app.label, "kind": app.kind,
        "consumer_id": first.id, "consumer_ids": [consumer.id for consumer in app.consumers],
        "client_id": first.primary.key, "client_secret": first.primary.secret, "user_id": app.run_as,
        "username": org.user(app.run_as).username, "vault_path": f"salesforce/{org.name}/{app.name}",
    }  # fmt: skip


def make_vault(options: Options, clock: Clock) -> Vault:
    """A Vault with a KV v2 and a KV v1 mount, a root token and a role per login method."""
    vault = Vault(clock, Dice(options.seed, "vault"))
    vault.root("hvs.root" + vault.dice.text(20))
    approle = Role("rotator", "approle", role_id=vault.dice.text(36))
    secret_id = vault.dice.text(36)
    approle.secret_ids[secret_id] = 0
    vault.issued.append(secret_id)
    vault.roles = [approle, *(Role("rotator", method) for method in ("jwt", "kubernetes", "cert"))]
    return vault
