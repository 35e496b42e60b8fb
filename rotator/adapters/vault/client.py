"""One Vault for the whole process: servers, token, and the calls that do not belong to a rotation."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import hvac

from rotator.adapters.answer import Listener, deaf
from rotator.adapters.http import Http
from rotator.adapters.tls import tls_context
from rotator.adapters.vault.call import Call, Kind, Reply
from rotator.adapters.vault.login import LogIn
from rotator.adapters.vault.options import AppRoleAuth, CertAuth, VaultOptions
from rotator.adapters.vault.seam import hvac_over
from rotator.adapters.vault.servers import Servers
from rotator.adapters.vault.tokens import Tokens
from rotator.domain.errors import ConfigError, Refused, RotatorError, Unintelligible
from rotator.domain.secret import Secret


class VaultClient:
    """Shared by all threads. Logs in at the first call, anew when the token ends, and once more after a 403.

    https: one per address, for tests; else made from the options. Every method raises Refused, Unavailable or
    Unintelligible. Making one raises ConfigError.
    """

    def __init__(
        self,
        options: VaultOptions,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        https: Sequence[Http] | None = None,
        heard: Listener = deaf,
    ) -> None:
        self.options = options
        self._servers = Servers(https or _https(options, heard), options.namespace)
        log_in = LogIn(options.auth, self._without_token, options.addresses[0], monotonic)
        self._tokens = Tokens(log_in, monotonic)
        self.hvac: hvac.Client = hvac_over(self.send, options.addresses[0])

    def send(self, call: Call) -> Reply:
        """One call with our token; after a 403, which is certain to have changed nothing, once more with another."""
        token = self._tokens.current()
        try:
            return self._servers.send(call, token.secret)
        except Refused as refused:
            if refused.code != "vault_permission":
                raise
            another = self._tokens.instead_of(token)
            if another is None:
                raise
        return self._servers.send(call, another.secret)

    def send_once(self, call: Call) -> Reply:
        """One call with our token, and a 403 is an answer like another: for what is done on the side."""
        return self._servers.send(call, self._tokens.current().secret)

    def _without_token(self, call: Call) -> Reply:
        return self._servers.send(call, None)

    def read_fields(self, path: str) -> Mapping[str, Secret]:
        """The text fields of a secret of our mount: the rotator's own login to an org.

        Raises ConfigError where the path holds nothing."""
        reply: Reply = self.hvac.secrets.kv.v2.read_secret_version(
            path=path, mount_point=self.options.mount, raise_on_deleted_version=False
        )
        fields = reply.data.get("data")
        if not reply.found or not isinstance(fields, Mapping) or not fields:
            fix = f"`vault kv put -mount={self.options.mount} {path} client_id=... client_secret=...`"
            raise ConfigError(f"Vault holds nothing at {self.options.mount}/{path}", fix=fix, where=f"vault:{path}")
        return {str(name): Secret(text) for name, text in fields.items() if isinstance(text, str)}

    def written_at(self, path: str) -> datetime | None:
        """When the newest version of a secret was written; None where it holds nothing, or does not say."""
        reply: Reply = self.hvac.secrets.kv.v2.read_secret_version(
            path=path, mount_point=self.options.mount, raise_on_deleted_version=False
        )
        told = reply.data.get("metadata")
        written = told.get("created_time") if isinstance(told, Mapping) and reply.data.get("data") else None
        try:
            return datetime.fromisoformat(str(written)[:19] + "+00:00") if written else None
        except ValueError:
            return None

    def capabilities(self, paths: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """What our token may do at each path, which is written as in a policy (`secret/data/a`). One call."""
        # Not hvac's get_capabilities: its stubs leave it untyped, and it does no more than this.
        data = self.hvac.adapter.post("/v1/sys/capabilities-self", json={"paths": list(paths)}).data
        if any(not isinstance(data.get(path), list) for path in paths):
            raise Unintelligible("Vault does not say what we may do at every path", code="vault_capabilities")
        return {path: frozenset(str(word) for word in data[path]) for path in paths}

    def token_life(self) -> float | None:
        """Seconds our token lives on; None: for ever. One call for a token from a file, else none."""
        token = self._tokens.current()
        if token.until is not None or token.ours:
            return self._tokens.left(token)
        data = self.hvac.auth.token.lookup_self().data
        seconds = data.get("ttl")
        if not isinstance(seconds, int):
            raise Unintelligible("Vault does not say how long our token lives", code="vault_token")
        return None if data.get("expire_time") is None and seconds == 0 else float(seconds)

    def ensure_life(self) -> None:
        """Makes sure that the token outlives the first part of a rotation, by a new login where that helps.

        Raises ConfigError where even a fresh token is too short-lived."""
        needed = self.options.needs_seconds
        left = self.token_life()
        if left is None or left >= needed:
            return
        token = self._tokens.current()
        if self._tokens.instead_of(token) is not None:
            left = self.token_life()
        if left is not None and left < needed:
            raise ConfigError(
                f"our Vault token lives {left:.0f} s, and a rotation needs {needed:.0f} s", fix=_longer(self.options)
            )

    def close(self) -> None:
        """Ends the token that we logged in for, and the connections. Never fails: a token that outlives us ends by
        itself."""
        token = self._tokens.take()
        if token is not None and token.ours:
            with contextlib.suppress(RotatorError):
                self._servers.send(Call("POST", "/v1/auth/token/revoke-self", Kind.LOGIN), token.secret)
        self._servers.close()


def _longer(options: VaultOptions) -> str:
    seconds = f"{options.needs_seconds * 2:.0f}s"
    if isinstance(options.auth, AppRoleAuth):
        return f"`vault write auth/{options.auth.mount}/role/ROLE token_ttl={seconds} token_max_ttl={seconds}`"
    return f"give the token a longer life, `vault token create -policy=rotator -ttl={seconds}` or the role's token_ttl"


def _https(options: VaultOptions, heard: Listener) -> list[Http]:
    if not options.addresses:
        raise ConfigError("[vault] address names no server", fix='address = "https://vault.example.com:8200"')
    if not options.insecure and any(not address.startswith("https://") for address in options.addresses):
        raise ConfigError("[vault] address is not https", fix="use https; `insecure = true` permits http in tests")
    auth = options.auth
    files = (auth.cert_file, auth.key_file) if isinstance(auth, CertAuth) else ("", "")
    tls = tls_context(options.ca_file, *files)
    return [Http(address.rstrip("/"), tls=tls, deadline=options.deadline, heard=heard)
            for address in options.addresses]
