"""The five ways to log in to Vault, each giving a token."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from rotator.adapters.vault.call import Reply, Send
from rotator.adapters.vault.options import AppRoleAuth, Auth, CertAuth, JwtAuth, KubernetesAuth, TokenAuth
from rotator.adapters.vault.seam import hvac_over
from rotator.domain.errors import ConfigError, Refused, Unintelligible
from rotator.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """`until`: when it ends, in the seconds of `monotonic`; None where it never does, or we were not told.
    `ours`: we logged in for it, so we can get another, and must end it."""

    secret: Secret = field(repr=False)
    until: float | None
    ours: bool


class LogIn:
    """Logs in by the configured method, each time it is called. Raises Refused (code vault_login or
    vault_wrapping; also where a file cannot be read), Unavailable or Unintelligible."""

    def __init__(self, auth: Auth, send: Send, address: str, monotonic: Callable[[], float]) -> None:
        self._auth = auth
        self._hvac = hvac_over(send, address)
        self._monotonic = monotonic
        self._opened: tuple[Secret, Secret] | None = None  # a wrapping token and what it held

    def __call__(self) -> Token:
        try:
            return self._log_in()
        except ConfigError as unreadable:
            # In mid-rotation this is one more way not to get in: nothing was changed, and a human is to look.
            fix, where = unreadable.fix, unreadable.where
            raise Refused(unreadable.message, code="vault_login", fix=fix, where=where) from None

    def _log_in(self) -> Token:
        if isinstance(self._auth, TokenAuth):
            return Token(self._auth.token(), until=None, ours=False)
        begun = self._monotonic()
        auth = self._ask(self._auth).auth
        text, seconds = auth.get("client_token"), auth.get("lease_duration")
        if not isinstance(text, str) or not text or not isinstance(seconds, int):
            raise Unintelligible("Vault's answer to our login holds no token", code="vault_login")
        return Token(Secret(text), until=begun + seconds if seconds > 0 else None, ours=True)

    def _ask(self, auth: AppRoleAuth | JwtAuth | KubernetesAuth | CertAuth) -> Reply:
        methods = self._hvac.auth
        reply: Reply
        match auth:
            case AppRoleAuth():
                secret_id = (self._unwrapped(auth) if auth.wrapped else auth.secret_id()).reveal()
                reply = methods.approle.login(auth.role_id, secret_id, use_token=False, mount_point=auth.mount)
            case JwtAuth():
                reply = methods.jwt.jwt_login(auth.role, auth.jwt().reveal(), use_token=False, path=auth.mount)
            case KubernetesAuth():
                jwt = auth.jwt().reveal()
                reply = methods.kubernetes.login(auth.role, jwt, use_token=False, mount_point=auth.mount)
            case CertAuth():
                # Not hvac's cert.login, which wants to hand the files to requests: our TLS context holds them.
                named = {"name": auth.role} if auth.role else {}
                reply = self._hvac.adapter.post(f"/v1/auth/{auth.mount}/login", json=named)
        return reply

    def _unwrapped(self, auth: AppRoleAuth) -> Secret:
        """The secret id behind the wrapping token in the file: opened once, kept while the file stays the same.

        Looked up before it is opened, because a token that was made elsewhere is an attack (Vault documentation,
        "Response wrapping: validation")."""
        wrapping = auth.secret_id()
        if self._opened is not None and self._opened[0] == wrapping:
            return self._opened[1]
        try:
            found = self._hvac.adapter.post("/v1/sys/wrapping/lookup", json={"token": wrapping.reveal()})
        except Refused:
            raise _alarm("was opened by somebody else, or has expired") from None
        made_at = str(found.data.get("creation_path", "")).strip("/")
        if not re.fullmatch(rf"auth/{re.escape(auth.mount)}/role/[^/]+/secret-id", made_at):
            raise _alarm(f"was not made by the AppRole mount {auth.mount}")
        try:
            opened = self._hvac.adapter.post("/v1/sys/wrapping/unwrap", headers={"X-Vault-Token": wrapping.reveal()})
        except Refused:
            raise _alarm("was opened by somebody else a moment ago") from None
        text = opened.data.get("secret_id")
        if not isinstance(text, str) or not text:
            raise _alarm("holds no secret id")
        self._opened = wrapping, Secret(text)
        return self._opened[1]


def _alarm(what: str) -> Refused:
    return Refused(
        f"security alert: the wrapped secret id {what}",
        code="vault_wrapping",
        fix="unless our own start was interrupted while it opened it: destroy the secret ids of the role, look in"
        " Vault's audit log who opened it, then deliver a new one (`vault write -wrap-ttl=5m -f auth/approle/role/"
        "ROLE/secret-id`)",
    )
