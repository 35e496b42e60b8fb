"""The port to Vault KV v2: the live path, the escrow path, and what must hold before the first change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rotator.adapters.vault.call import Call, Kind, Reply
from rotator.adapters.vault.client import VaultClient
from rotator.adapters.vault.content import (
    check_fields,
    credential_fields,
    credential_from,
    escrow_fields,
    escrow_from,
)
from rotator.adapters.vault.settings import Finding, Settings, findings, is_kv2_config, settings_from
from rotator.domain.errors import ConfigError, OutcomeUnknown, RotatorError, Unintelligible
from rotator.domain.pair import Credential, Escrow, EscrowContent, Live, Target

MARK = {"managed_by": "rotator"}
MOST = 100  # versions that one destroy names: no mount that we have seen keeps more


def _now() -> datetime:
    return datetime.now(UTC)


class VaultKv:
    """Implements rotator.ports.Vault for one app: light, for one thread at a time, over a shared VaultClient.

    now: the time that goes into `rotated_at`.
    """

    def __init__(self, client: VaultClient, *, now: Callable[[], datetime] = _now) -> None:
        self._client = client
        self._mount = client.options.mount
        self._prefix = client.options.escrow_prefix
        self._kv = client.hvac.secrets.kv.v2
        self._now = now
        self._request_id = ""

    @property
    def request_id(self) -> str:
        return self._request_id

    # --- before the first change -------------------------------------------------------------------------------

    def preflight(self, target: Target) -> None:
        check_fields(target)
        self._client.ensure_life()
        fatal = next((found for found in self.findings(target) if found.fatal), None)
        if fatal is not None:
            raise ConfigError(fatal.message, fix=fatal.fix, where=f"vault:{self._mount}/{target.path}")

    def findings(self, target: Target) -> list[Finding]:
        """What is wrong with the mount and both paths (check VLT-1). Three calls. Raises ConfigError for a mount
        that is not KV v2."""
        paths = target.path, self._escrow_path(target)
        return findings(self._mount_settings(), tuple(self._path_settings(path) for path in paths))

    def _mount_settings(self) -> Settings:
        # On a KV v2 mount this always is there; on KV v1 it would be a secret called "config".
        reply = self._ask(self._kv.read_configuration)
        if not is_kv2_config(reply.data):
            raise ConfigError(
                f"the Vault mount {self._mount} is not KV version 2: it has no check-and-set",
                fix=f"`vault kv enable-versioning {self._mount}/`, or name another mount in [vault]",
                where=f"vault:{self._mount}",
            )
        return settings_from(self._mount, "", reply.data)

    def _path_settings(self, path: str) -> Settings:
        return settings_from(self._mount, path, self._ask(self._kv.read_secret_metadata, path=path).data)

    # --- the live path -----------------------------------------------------------------------------------------

    def live(self, target: Target) -> Live:
        reply = self._read(target.path)
        return Live(_number(reply), credential_from(_fields(reply), target))

    def live_version(self, target: Target, number: int) -> Credential | None:
        if number < 1:  # Vault takes 0 for "the newest"
            return None
        try:
            return credential_from(_fields(self._read(target.path, number)), target)
        except ConfigError:  # a version from before the path held a credential
            return None

    def versions_holding(self, target: Target, keys: Sequence[str], below: int) -> tuple[int, ...]:
        kept = _kept(self._ask(self._kv.read_secret_metadata, path=target.path), below)
        held = ((number, self.live_version(target, number)) for number in kept)
        return tuple(number for number, credential in held if credential and credential.pair.key in keys)

    def write_live(self, target: Target, credential: Credential | None, cas: int) -> int:
        fields = {} if credential is None else credential_fields(credential, target, self._now())
        reply = self._write(target.path, fields, cas)
        number = _written(reply)
        with contextlib.suppress(RotatorError):
            if credential is None:
                self._hide(target.path, number)
            elif not _marked(reply):
                self._mark(target.path)
        return number

    def destroy_live(self, target: Target, versions: Sequence[int]) -> None:
        self._destroy(target.path, list(versions))

    # --- the escrow path ---------------------------------------------------------------------------------------

    def escrow(self, target: Target) -> Escrow:
        reply = self._read(self._escrow_path(target))
        return Escrow(_number(reply), escrow_from(_fields(reply), target) if reply.found else None)

    def write_escrow(self, target: Target, content: EscrowContent, cas: int) -> int:
        return _written(self._write(self._escrow_path(target), escrow_fields(content, target), cas))

    def destroy_escrow(self, target: Target, upto: int) -> None:
        self._destroy(self._escrow_path(target), list(range(max(1, upto - MOST + 1), upto + 1)))

    def rights(self, target: Target) -> Mapping[str, frozenset[str]]:
        """What our token must be allowed to do, by path as in a policy (check VLT-2). No call."""
        live, escrow = target.path, self._escrow_path(target)
        needed = {
            f"data/{live}": ("create", "read", "update"),
            f"delete/{live}": ("update",),
            f"metadata/{live}": ("read", "patch"),
            f"data/{escrow}": ("create", "read", "update"),
            f"destroy/{escrow}": ("update",),
            f"metadata/{escrow}": ("read",),
            "config": ("read",),
        }
        return {f"{self._mount}/{path}": frozenset(words) for path, words in needed.items()}

    # --- calls -------------------------------------------------------------------------------------------------

    def _escrow_path(self, target: Target) -> str:
        return f"{self._prefix}/{target.escrow_name}"

    def _ask(self, call: Callable[..., Any], **arguments: Any) -> Reply:
        self._request_id = ""
        reply: Reply = call(mount_point=self._mount, **arguments)
        self._request_id = reply.request_id
        return reply

    def _read(self, path: str, version: int | None = None) -> Reply:
        return self._ask(self._kv.read_secret_version, path=path, version=version, raise_on_deleted_version=False)

    def _write(self, path: str, fields: Mapping[str, Any], cas: int) -> Reply:
        return self._ask(self._kv.create_or_update_secret, path=path, secret=dict(fields), cas=cas)

    def _destroy(self, path: str, versions: list[int]) -> None:
        if versions:
            self._ask(self._kv.destroy_secret_versions, path=path, versions=versions)

    # --- on the side: done after a write that the caller asked for, and never worth a failure ---------------------

    def _hide(self, path: str, number: int) -> None:
        """Soft-deletes the empty version of our fence, by number, so that readers see an absent path again."""
        body = {"versions": [number]}
        self._client.send_once(Call("POST", f"/v1/{self._mount}/delete/{path}", Kind.WRITE, json=body))

    def _mark(self, path: str) -> None:
        """Says in the path's custom metadata who manages it, once in its life: the answer to a write shows whether
        it stands there. A merge patch, because hvac's update_metadata would reset delete_version_after."""
        kind = {"Content-Type": "application/merge-patch+json"}
        body = {"custom_metadata": MARK}
        self._client.send_once(Call("PATCH", f"/v1/{self._mount}/metadata/{path}", Kind.WRITE, headers=kind, json=body))


def _number(reply: Reply) -> int:
    """The newest version's number, also of a deleted one; 0 where Vault knows no version."""
    metadata = reply.data.get("metadata")
    if metadata is None and not reply.found:
        return 0
    number = metadata.get("version") if isinstance(metadata, Mapping) else None
    if not isinstance(number, int) or number < 1:
        raise Unintelligible("Vault's answer names no version", code="vault_unintelligible", fix=_NOT_KV2)
    return number


def _fields(reply: Reply) -> Mapping[str, Any]:
    """The fields of a version; none of a deleted one."""
    fields = reply.data.get("data") if reply.found else None
    if reply.found and not isinstance(fields, Mapping):
        raise Unintelligible("Vault's answer holds no fields", code="vault_unintelligible", fix=_NOT_KV2)
    return fields or {}


def _kept(reply: Reply, below: int) -> list[int]:
    """The numbers of the versions below this one that were not destroyed."""
    versions = reply.data.get("versions", {})
    if not isinstance(versions, Mapping):
        raise Unintelligible("Vault's answer lists no versions", code="vault_unintelligible", fix=_NOT_KV2)
    numbers = {int(name): version for name, version in versions.items() if name.isdecimal()}
    kept = (number for number, version in numbers.items() if not _destroyed(version))
    return sorted(number for number in kept if 0 < number < below)


def _destroyed(version: object) -> bool:
    return isinstance(version, Mapping) and version.get("destroyed") is True


def _marked(reply: Reply) -> bool:
    """Whether the path's custom metadata, which the answer to a write shows, says that it is ours."""
    custom = reply.data.get("custom_metadata")
    return isinstance(custom, Mapping) and MARK.items() <= custom.items()


def _written(reply: Reply) -> int:
    number = reply.data.get("version")
    if not isinstance(number, int):
        raise OutcomeUnknown("Vault took our write and names no version", code="vault_unintelligible")
    return number


_NOT_KV2 = "is [vault] mount a KV v2 mount? `vault secrets list -detailed`"
