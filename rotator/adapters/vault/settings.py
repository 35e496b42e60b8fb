"""What the mount and a path are set to, and what of it could lose a version (check VLT-1, preflight).

Source: KV v2 HTTP API, `config` and `metadata`. A path's own number wins over the mount's; neither given means ten
versions. `delete_version_after` sets an end on every new version; a negative one switches it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FEWEST = 3  # the present version, the one before it, and one that a stranger may squeeze in between
DEFAULT_VERSIONS = 10
_NO_END = ("", "0", "0s")
_KEYS = ("max_versions", "delete_version_after", "cas_required")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend. `fatal` is false for a warning."""

    message: str
    fix: str
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a mount (path "") or of a path."""

    mount: str
    path: str
    max_versions: int
    ends: bool  # delete_version_after is set
    cas_required: bool

    @property
    def name(self) -> str:
        return f"{self.mount}/{self.path}" if self.path else f"the mount {self.mount}"

    def mend(self, option: str, value: str) -> str:
        """The command that sets one option and leaves the others alone."""
        if not self.path:
            return f"`vault write {self.mount}/config {option}={value}`"
        return f"`vault kv metadata patch -mount={self.mount} -{option.replace('_', '-')}={value} {self.path}`"


def is_kv2_config(data: Mapping[str, Any]) -> bool:
    """Whether an answer to `GET mount/config` is a KV v2 configuration, and not a secret of a KV v1 mount."""
    return all(name in data for name in _KEYS)


def settings_from(mount: str, path: str, data: Mapping[str, Any]) -> Settings:
    """The settings in an answer; of a path that does not exist (no data), all unset."""
    most, ends = data.get("max_versions"), str(data.get("delete_version_after") or "")
    return Settings(
        mount,
        path,
        most if isinstance(most, int) else 0,
        ends not in _NO_END and not ends.startswith("-"),
        data.get("cas_required") is True,
    )


def findings(mount: Settings, paths: tuple[Settings, ...]) -> list[Finding]:
    """All that is wrong, in the order of danger: first the versions that end by themselves."""
    return [
        *(_ends(place) for place in (mount, *paths) if place.ends),
        *(_few(mount if path.max_versions == 0 else path) for path in paths if _kept(mount, path) < FEWEST),
        *(_unchecked(path) for path in paths if not (path.cas_required or mount.cas_required)),
    ]


def _kept(mount: Settings, path: Settings) -> int:
    return path.max_versions or mount.max_versions or DEFAULT_VERSIONS


def _ends(place: Settings) -> Finding:
    return Finding(f"{place.name} lets its versions end by themselves (delete_version_after): readers would lose the"
                   " credential", place.mend("delete_version_after", "0s"))  # fmt: skip


def _few(place: Settings) -> Finding:
    return Finding(f"{place.name} keeps only {place.max_versions} versions: the old pair could be lost",
                   place.mend("max_versions", str(DEFAULT_VERSIONS)))  # fmt: skip


def _unchecked(place: Settings) -> Finding:
    return Finding(f"{place.name} also takes writes without check-and-set, from others",
                   place.mend("cas_required", "true"), fatal=False)  # fmt: skip
