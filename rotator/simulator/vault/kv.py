"""KV version 2 as pure state: versions, check-and-set, delete, undelete, destroy, metadata. No HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rotator.simulator.clock import Clock, iso, seconds

DEFAULT_VERSIONS = 10
"""Versions kept where neither the key nor the mount says otherwise."""


class KvError(Exception):
    """A refusal: HTTP status and the text Vault gives."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Version:
    """One version; `deletes_at` is set by delete, or in advance by delete_version_after."""

    data: dict[str, Any] | None
    created_at: float
    deletes_at: float | None = None
    destroyed: bool = False


@dataclass
class Key:
    """One path: its versions and its metadata."""

    created_at: float
    updated_at: float
    versions: dict[int, Version] = field(default_factory=dict)
    current: int = 0
    oldest: int = 0
    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: str = "0s"
    custom: dict[str, str] | None = None


@dataclass
class Mount:
    """A KV version 2 mount and its settings."""

    clock: Clock
    keys: dict[str, Key] = field(default_factory=dict)
    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: str = "0s"

    def gone(self, version: Version) -> bool:
        """Whether a version is deleted or destroyed now."""
        due = version.deletes_at
        return version.destroyed or (due is not None and due <= self.clock.now())

    def read(self, path: str, number: int = 0) -> tuple[Key, int, Version] | None:
        """A version (0: the current one); None when there is none. Deleted ones are given: see `gone`."""
        key = self.keys.get(path)
        wanted = number or (key.current if key else 0)
        if key is None or wanted not in key.versions:
            return None
        return key, wanted, key.versions[wanted]

    def write(self, path: str, data: dict[str, Any], cas: int | None) -> tuple[Key, int]:
        """Write a new version; KvError 400 when check-and-set is missing or does not match."""
        known = self.keys.get(path)
        current = known.current if known else 0
        if cas is None and (self.cas_required or (known is not None and known.cas_required)):
            raise KvError(400, "check-and-set parameter required for this call")
        if cas is not None and cas != current:
            raise KvError(400, "check-and-set parameter did not match the current version")
        key, now = self.key(path), self.clock.now()
        key.current += 1
        key.updated_at = now
        key.versions[key.current] = Version(data, now, self.deletion(key, now))
        self.trim(key)
        return key, key.current

    def key(self, path: str) -> Key:
        """The key of a path, made when absent."""
        now = self.clock.now()
        return self.keys.setdefault(path, Key(now, now))

    def deletion(self, key: Key, now: float) -> float | None:
        """When a version written now deletes itself."""
        after = seconds(key.delete_version_after) or seconds(self.delete_version_after)
        return now + after if after else None

    def trim(self, key: Key) -> None:
        """Over max_versions the oldest versions are gone for good; only a write does this, and counts the oldest."""
        keep = key.max_versions or self.max_versions or DEFAULT_VERSIONS
        for number in sorted(key.versions)[:-keep]:
            del key.versions[number]
            key.oldest = min(key.versions)

    def patch(self, path: str, data: dict[str, Any], cas: int | None) -> tuple[Key, int]:
        """JSON merge patch of the current version; KvError 404 when there is none."""
        found = self.read(path)
        if found is None or self.gone(found[2]):
            raise KvError(404, "")
        return self.write(path, merged(found[2].data or {}, data), cas)

    def delete(self, path: str, numbers: list[int] | None = None) -> None:
        """Soft delete the current version, or those numbers; unknown ones are ignored, as Vault does."""
        for version in self.chosen(path, numbers):
            if not self.gone(version):
                version.deletes_at = self.clock.now()

    def undelete(self, path: str, numbers: list[int]) -> None:
        """Bring soft-deleted versions back; destroyed ones stay destroyed."""
        for version in self.chosen(path, numbers):
            version.deletes_at = None

    def destroy(self, path: str, numbers: list[int]) -> None:
        """Remove the data of those versions for good."""
        for version in self.chosen(path, numbers):
            version.destroyed, version.data = True, None

    def chosen(self, path: str, numbers: list[int] | None) -> list[Version]:
        """The versions of a path with those numbers; the current one for None."""
        key = self.keys.get(path)
        if key is None:
            return []
        wanted = [key.current] if numbers is None else numbers
        return [key.versions[n] for n in wanted if n in key.versions]

    def version_meta(self, key: Key, number: int, custom: bool = True) -> dict[str, Any]:
        """Metadata of one version, as the data endpoints give it."""
        version = key.versions[number]
        shown: dict[str, Any] = {
            "created_time": iso(version.created_at), "destroyed": version.destroyed,
            "deletion_time": "" if version.deletes_at is None else iso(version.deletes_at),
        }  # fmt: skip
        return shown | ({"custom_metadata": key.custom, "version": number} if custom else {})

    def key_meta(self, key: Key) -> dict[str, Any]:
        """Metadata of a path, as the metadata endpoint gives it."""
        return {
            "cas_required": key.cas_required, "created_time": iso(key.created_at), "current_version": key.current,
            "custom_metadata": key.custom, "delete_version_after": vault_duration(key.delete_version_after),
            "max_versions": key.max_versions, "oldest_version": key.oldest,
            "updated_time": iso(key.updated_at),
            "versions": {str(n): self.version_meta(key, n, custom=False) for n in sorted(key.versions)},
        }  # fmt: skip

    def configure(self, target: Key | Mount, settings: dict[str, Any]) -> None:
        """Set max_versions, cas_required, delete_version_after, custom_metadata; members left out stay."""
        if "max_versions" in settings:
            target.max_versions = int(settings["max_versions"] or 0)
        if "cas_required" in settings:
            target.cas_required = bool(settings["cas_required"])
        if "delete_version_after" in settings:
            target.delete_version_after = str(settings["delete_version_after"] or "0s")
        if isinstance(target, Key) and "custom_metadata" in settings:
            target.custom = settings["custom_metadata"]


def merged(old: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396: null removes, objects merge, the rest replaces."""
    result = dict(old)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def vault_duration(text: str) -> str:
    """A duration the way Vault writes it: `0s`, `1h0m0s`."""
    total = int(seconds(text))
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
