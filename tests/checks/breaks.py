"""How each row is broken: (id, level) -> what is done to world, configuration or database before the look."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import httpx

from rotator.simulator.org.model import ALL_PERMISSIONS
from tests.acceptance.scene import Scene

Break = Callable[[Scene], object]
ACME, BILLING = "/orgs/acme", "/orgs/acme/apps/billing"
ROTATOR, RUNNER = "/orgs/acme/users/rotator@acme.example", "/orgs/acme/users/billing@acme.example"


def patch(path: str, **members: object) -> Break:
    """Members of an org, app or user."""
    return lambda scene: scene.door("PATCH", path, members)


def without(*permissions: str) -> Break:
    """The rotator's user lacks these."""
    return patch(ROTATOR, permissions=[p for p in ALL_PERMISSIONS if p not in permissions])


def written(old: str, new: str) -> Break:
    """Another configuration."""

    def work(scene: Scene) -> None:
        text = scene.config.read_text()
        assert old in text
        scene.config.write_text(text.replace(old, new))

    return work


def both(*breaks: Break) -> Break:
    """One after the other."""
    return lambda scene: [one(scene) for one in breaks]


def late(seconds: float) -> Break:
    """The org's clock goes before ours."""
    return lambda scene: scene.door("POST", "/clock", {"advance": seconds})


def database(statement: str) -> Break:
    """A statement behind the program's back."""

    def work(scene: Scene) -> None:
        assert scene.run("db", "upgrade").code == 0
        with sqlite3.connect(scene.database) as opened:
            opened.execute(statement)
        opened.close()

    return work


def two_consumers(scene: Scene) -> None:
    """An app with two consumers, none of them named."""
    scene.door("POST", ACME + "/apps", {"name": "multi", "developer_name": "Multi_App", "consumers": 2})
    written("Billing_Sync", "Multi_App")(scene)


def shared(scene: Scene) -> None:
    """Two apps run as one user."""
    scene.door("PATCH", "/orgs/acme/apps/orders", {"run_as": scene.door("PATCH", BILLING, {})["run_as"]})


def vault(path: str, content: dict[str, object]) -> Break:
    """A write as root."""

    def work(scene: Scene) -> None:
        known = scene.world["vault"]
        headers = {"x-vault-token": known["root_token"]}
        answer = httpx.post(f"{known['url']}/v1/{path}", json=content, headers=headers, trust_env=False)
        assert answer.status_code in (200, 204)

    return work


def old_pair_left(scene: Scene) -> None:
    """The slot keeps the pair that a promote displaced, and the live path serves the new primary."""
    scene.stranger("stage_as_us")
    scene.stranger("promote")


def logins(count: int, **more: object) -> Break:
    """Logins through billing."""
    return lambda scene: scene.door("POST", BILLING + "/logins", {"count": count, **more})


def nothing(scene: Scene) -> None:
    """The world as it is."""


CLASSIC = written('app = "Billing_Sync"', 'app = "Billing_Sync"\nkind = "connected_app"')
NO_RIGHT = [p for p in ALL_PERMISSIONS if p != "ClientSecretRotation"]

BREAKS: dict[tuple[str, str], Break] = {
    ("DB-1", "fail"): database("UPDATE alembic_version SET version_num = '9999'"),
    ("AUD-1", "fail"): database("UPDATE audit_head SET seq = 7"),
    ("AUD-1", "warn"): nothing,
    ("HST-1", "fail"): lambda scene: (scene.folder / "vault-secret-id").chmod(0o604),
    ("VLT-3", "fail"): patch("/vault", roles=[{"method": "approle", "ttl": 20, "max_ttl": 20}]),
    ("ORG-1", "fail"): patch(ACME, newest_version=64),
    ("ORG-2", "fail"): written("[orgs.acme]", '[orgs.acme]\norg_id = "00D000000000001AAA"'),
    ("ORG-2", "warn"): patch(ACME, organization_type="Group Edition"),
    ("ORG-3", "fail"): patch(ROTATOR, active=False),
    ("ORG-3", "warn"): patch(ACME, daily_limit=100, calls_today=92),
    ("ORG-4", "fail"): late(120),
    ("ORG-4", "warn"): late(30),
    ("ORG-5", "fail"): patch(ACME, rest_secret_access=False),
    ("ORG-6", "fail"): patch("/orgs/acme/apps/rotator", admin_blocked=True),
    ("ORG-7", "warn"): patch(ACME, lock_sessions_to_ip=True),
    ("ADM-1", "fail"): without("ViewClientSecret"),
    ("ADM-1", "warn"): patch(ROTATOR, permissions=[*ALL_PERMISSIONS, "ModifyAllData"]),
    ("ADM-2", "fail"): without("ManageUsers"),
    ("ADM-2", "warn"): without("ModifyMetadata"),
    ("ADM-3", "fail"): patch("/orgs/acme/apps/rotator", ip_refused=True),
    ("ADM-3", "warn"): without("ApiUserOnly"),
    ("ADM-4", "fail"): written("Billing_Sync", "Rotator_Admin"),
    ("APP-1", "fail"): written("Billing_Sync", "Billing_Snyc"),
    ("APP-2", "fail"): two_consumers,
    ("APP-3", "fail"): lambda scene: scene.stranger("write_live"),
    ("APP-3", "warn"): written("salesforce/acme/billing", "salesforce/acme/empty"),
    ("APP-4", "fail"): lambda scene: scene.stranger("stage"),
    ("APP-4", "warn"): old_pair_left,
    ("APP-5", "fail"): patch(BILLING, flow_in_policies=False),
    ("APP-6", "fail"): lambda scene: scene.stranger("replace_primary"),
    ("APP-7", "fail"): patch(BILLING, scopes="custom_permissions"),
    ("APP-8", "fail"): patch(BILLING, ip_refused=True),
    ("APP-8", "warn"): patch(BILLING, ip_relaxation="Bypass"),
    ("APP-9", "warn"): patch(BILLING, session_minutes=240, format="opaque"),
    ("APP-10", "warn"): logins(1, username="admin@acme.example"),
    ("APP-11", "fail"): patch(BILLING, policy_action="RaiseSessionLevel"),
    ("APP-12", "warn"): both(patch(BILLING, pre_authorized=False),
                             lambda scene: scene.door("POST", "/shapes", {"permitted_users_gate": "yes",
                                                                          "not_approved_error": "invalid_app_access"})),
    ("APP-13", "fail"): patch(BILLING, namespace="vendor"),
    ("APP-13", "warn"): patch(BILLING, distribution="Packaged"),
    ("RUN-1", "fail"): patch(RUNNER, frozen=True),
    ("RUN-2", "warn"): patch(RUNNER, permissions=["ApiEnabled"]),
    ("RUN-3", "warn"): shared,
    ("RUN-4", "warn"): patch(RUNNER, permissions=["ApiEnabled", "ApiUserOnly", "ModifyAllData"]),
    ("RUN-5", "warn"): logins(1801),
    ("CLS-1", "fail"): both(CLASSIC, *(patch(f"/orgs/acme/users/{name}@acme.example", permissions=NO_RIGHT)
                                       for name in ("rotator", "admin"))),
    ("CLS-2", "fail"): CLASSIC,
    ("CLS-2", "warn"): patch("/orgs/acme/apps/billing", kind="connected_app", label="Billing_Sync"),
    ("VLT-1", "fail"): vault("secret/config", {"delete_version_after": "10m"}),
    ("VLT-1", "warn"): nothing,
    ("VLT-2", "fail"): patch("/vault", denies=[{"path": "secret/data", "capabilities": ["update"]}]),
    ("VLT-2", "warn"): nothing,
}  # fmt: skip

# What the fix must name, so that it can be followed: a place in Setup, a permission, a command, an option.
FIXES: dict[str, str] = {
    "DB-1": "newer version", "AUD-1": "rotator audit", "HST-1": "chmod o=", "VLT-3": "token_ttl",
    "ORG-1": "My Domain", "ORG-2": "org_id", "ORG-2 warn": "Salesforce", "ORG-3": "", "ORG-4": "timedatectl",
    "ORG-5": "Client", "ORG-6": "Connected Apps OAuth Usage", "ORG-7": "Session Settings", "ADM-1": "Rotator_Admin",
    "ADM-2": "Rotator_Responder", "ADM-3": "Setup, ", "ADM-4": "`admin`", "APP-1": "", "APP-2": "`consumer`",
    "APP-3": "", "APP-4": "", "APP-5": "Settings and Policies", "APP-6": "APP-3", "APP-7": "(api)", "APP-8": "Setup, ",
    "APP-9": "Session Timeout", "APP-10": "External Client App", "APP-11": "Session Policies",
    "APP-12": "Permitted Users", "APP-13": "publisher", "APP-13 warn": "distribution state",
    "RUN-1": "Unfreeze", "RUN-2": "PermissionsApiUserOnly",
    "RUN-3": "Run As", "RUN-4": "Permission Sets", "RUN-5": "token", "CLS-1": "key and secret rotation",
    "CLS-2 fail": "App Manager", "CLS-2": "External Client App", "VLT-1": "vault ", "VLT-2": "vault-policy.hcl",
}  # fmt: skip
