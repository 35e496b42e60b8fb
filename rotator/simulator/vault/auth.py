"""Logins (approle, jwt, kubernetes, cert), the token endpoints and response wrapping."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any

from rotator.simulator.clock import iso, seconds
from rotator.simulator.vault.model import Role, Token, Vault, VaultError
from rotator.simulator.vault.secrets import ok
from rotator.simulator.wire.call import Call, Reply


def login(vault: Vault, call: Call, method: str) -> Reply:
    """POST auth/{method}/login; each method refuses with its own status and words."""
    body = call.json()
    checks = {"approle": approle, "jwt": jwt, "kubernetes": kubernetes, "cert": certificate}
    if method not in checks or call.method not in ("POST", "PUT"):
        raise VaultError(404, f'no handler for route "auth/{method}/login". route entry not found.')
    role = checks[method](vault, call, body)
    token = vault.issue(role, f"auth/{method}/login", {"role_name": role.name})
    return ok(vault, None, effect="vault login", about=role.name, auth=auth_of(vault, token))


def approle(vault: Vault, call: Call, body: dict[str, Any]) -> Role:
    """role_id and a secret_id with uses left."""
    role_id, secret_id = str(body.get("role_id", "")), str(body.get("secret_id", ""))
    for role in vault.roles:
        if role.method == "approle" and role.role_id == role_id and secret_id in role.secret_ids:
            use_up(role.secret_ids, secret_id)
            return role
    raise VaultError(400, "invalid role or secret ID")


def use_up(counted: dict[str, int], name: str) -> None:
    """Count a use down; 0 is unlimited, 1 is the last."""
    if counted[name] == 1:
        del counted[name]
    elif counted[name] > 1:
        counted[name] -= 1


def jwt(vault: Vault, call: Call, body: dict[str, Any]) -> Role:
    """A JWT that the role was told to accept."""
    for role in vault.roles:
        if role.method == "jwt" and role.name == body.get("role") and body.get("jwt") in role.accepted:
            return role
    raise VaultError(400, "error validating token: invalid signature")


def kubernetes(vault: Vault, call: Call, body: dict[str, Any]) -> Role:
    """A service account token that the role was told to accept."""
    for role in vault.roles:
        if role.method == "kubernetes" and role.name == body.get("role") and body.get("jwt") in role.accepted:
            return role
    raise VaultError(403, "permission denied")


def certificate(vault: Vault, call: Call, body: dict[str, Any]) -> Role:
    """A TLS client certificate whose SHA-256 (hex) or PEM the role was told to accept."""
    digest = hashlib.sha256(call.peer_certificate).hexdigest()
    for role in vault.roles:
        named = body.get("name") in (None, "", role.name)
        known = {a if "BEGIN" not in a else pem_digest(a) for a in role.accepted}
        if role.method == "cert" and named and call.peer_certificate and (role.any_certificate or digest in known):
            return role
    raise VaultError(400, "invalid certificate or no client certificate supplied")


def pem_digest(pem: str) -> str:
    """SHA-256 of the certificate in a PEM text."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def auth_of(vault: Vault, token: Token) -> dict[str, Any]:
    """The `auth` member of a login or renewal."""
    left = int(token.expires_at - vault.clock.now()) if token.expires_at else 0
    return {
        "client_token": token.value, "accessor": token.accessor, "policies": token.policies,
        "token_policies": token.policies, "metadata": token.meta, "lease_duration": left,
        "renewable": token.renewable, "entity_id": "", "token_type": "service", "orphan": True,
        "mfa_requirement": None, "num_uses": token.uses,
    }  # fmt: skip


def token_endpoint(vault: Vault, call: Call, token: Token, what: str) -> Reply:
    """auth/token/{what}: lookup-self, renew-self, revoke-self, create."""
    if what == "lookup-self":
        return ok(vault, lookup(vault, token))
    if what == "renew-self":
        return renew(vault, call, token)
    if what == "revoke-self":
        del vault.tokens[token.value]
        return Reply(204, effect="vault revoke")
    if what == "create":
        body = call.json()
        ttl = seconds(body.get("ttl") or "20m")
        role = Role("token", "token", ttl, seconds(body.get("explicit_max_ttl") or "768h"),
                    policies=list(body.get("policies") or token.policies))  # fmt: skip
        return ok(vault, None, effect="vault token", auth=auth_of(vault, vault.issue(role, "auth/token/create")))
    raise VaultError(404, "unsupported path")


def lookup(vault: Vault, token: Token) -> dict[str, Any]:
    """What lookup-self tells."""
    now = vault.clock.now()
    shown = {
        "accessor": token.accessor, "creation_time": int(token.created_at), "creation_ttl": int(token.ttl),
        "display_name": "root" if token.root else token.path.split("/")[1], "entity_id": "", "explicit_max_ttl": 0,
        "expire_time": iso(token.expires_at) if token.expires_at else None, "id": token.value,
        "meta": token.meta or None, "num_uses": token.uses, "orphan": True, "path": token.path,
        "policies": token.policies,
        "ttl": int(token.expires_at - now) if token.expires_at else 0, "type": "service",
    }  # fmt: skip
    return shown if token.root else shown | {"renewable": token.renewable, "issue_time": iso(token.created_at)}


def renew(vault: Vault, call: Call, token: Token) -> Reply:
    """renew-self: up to the maximum since creation, never beyond it."""
    if not token.renewable:
        raise VaultError(400, "lease is not renewable")
    asked = seconds(call.json().get("increment") or token.ttl)
    limit = token.created_at + token.max_ttl if token.max_ttl else float("inf")
    token.expires_at = min(vault.clock.now() + asked, limit)
    return ok(vault, None, effect="vault renew", auth=auth_of(vault, token))


def secret_id(vault: Vault, call: Call, name: str) -> Reply:
    """POST auth/approle/role/{name}/secret-id: a new secret id, wrapped when the header asks."""
    role = next((r for r in vault.roles if r.method == "approle" and r.name == name), None)
    if role is None:
        raise VaultError(400, f'role "{name}" does not exist')
    value = vault.dice.text(36)
    role.secret_ids[value] = int(call.json().get("num_uses") or 0)
    vault.issued.append(value)
    shown = {"secret_id": value, "secret_id_accessor": vault.dice.text(36), "secret_id_ttl": 0,
             "secret_id_num_uses": role.secret_ids[value]}  # fmt: skip
    return ok(vault, shown, effect="vault secret-id", about=name)


def wrapping(vault: Vault, call: Call, what: str) -> Reply:
    """sys/wrapping/lookup and unwrap; the wrapping token stands in the body or in the token header."""
    value = str(call.json().get("token") or call.headers.get("x-vault-token", ""))
    kept = vault.wrapped.get(value)
    if kept is None or kept.created_at + kept.ttl <= vault.clock.now():
        raise VaultError(400, "wrapping token is not valid or does not exist")
    if what == "lookup":
        return ok(vault, {"creation_path": kept.path, "creation_time": iso(kept.created_at),
                          "creation_ttl": int(kept.ttl)})  # fmt: skip
    del vault.wrapped[value]
    return ok(vault, kept.response.get("data"), effect="vault unwrap", auth=kept.response.get("auth"))
