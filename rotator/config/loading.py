"""From files to settings, or to the list of everything that is wrong with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rotator.config import files, rules, warnings
from rotator.config.mistakes import Wrong, explain
from rotator.config.models import Config
from rotator.config.secrets import SecretPlaces
from rotator.config.toml import dotted
from rotator.config.vault import DatabaseConfig
from rotator.domain.errors import ConfigError, Mistake


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that holds together."""

    config: Config
    warnings: tuple[str, ...]
    hash: str
    """SHA-256 of the settings: two spellings of the same settings have the same hash."""
    places: SecretPlaces
    files: tuple[Path, ...]


def load(path: Path, env: Mapping[str, str]) -> Loaded:
    """Read, join and check the configuration at `path` and in `conf.d` beside it.

    `env` is the environment: CREDENTIALS_DIRECTORY is used, VAULT_* and proxy variables are warned of.
    Secret files are not opened here. Raises ConfigError with every mistake at once.
    """
    joined = files.read(path)
    config, wrong = _check(joined.values) if joined.sources else (None, [])
    mistakes = {*joined.mistakes, *_placed(wrong, joined)}
    if mistakes or config is None:
        raise _error(path, mistakes)
    read = tuple(source.file for source in joined.sources)
    noted = (*warnings.of_environment(env), *warnings.of_files(read), *warnings.of_settings(config))
    return Loaded(config, noted, settings_hash(config), SecretPlaces.of(path, env), read)


def digests(path: Path) -> dict[str, str | None]:
    """SHA-256 of each file of the configuration as it is now, as `sha256sum` says it; None for one that cannot be
    read. It may be a refused one: nothing is parsed, nothing raised."""
    return {str(file): _digest(file) for file in files.all_of(path)}


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def stated_database(path: Path, env: Mapping[str, str]) -> tuple[DatabaseConfig, SecretPlaces] | None:
    """The database of a configuration that is refused, for the row that says so; None where it cannot be told: a file
    does not parse, or that table is wrong itself."""
    joined = files.read(path)
    if joined.mistakes:
        return None
    try:
        found = DatabaseConfig.model_validate(_with_state_dir(joined.values).get("database", {}))
    except ValidationError:
        return None
    return found, SecretPlaces.of(path, env)


def settings_hash(config: Config) -> str:
    """SHA-256 of the settings in one canonical writing, defaults included."""
    canonical = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check(values: dict[str, Any]) -> tuple[Config | None, list[Wrong]]:
    wrong = list(rules.broken(values))
    try:
        config = Config.model_validate(_with_state_dir(values))
    except ValidationError as error:
        return None, [*wrong, *explain(error)]
    return config, wrong


def _with_state_dir(values: dict[str, Any]) -> dict[str, Any]:
    """The defaults that lie in `state_dir` move with it."""
    state = values.get("state_dir")
    if not isinstance(state, str) or not state.startswith("/"):
        return values
    state = state.rstrip("/")
    moved: dict[str, dict[str, Any]] = {
        "database": {"url": f"sqlite:///{state}/rotator.db"},
        "audit": {"anchors": [f"file:{state}/anchors", "journal"]},
    }
    written = {key: values.get(key, {}) for key in moved}
    tables = {key: {**moved[key], **table} for key, table in written.items() if isinstance(table, dict)}
    return {**values, **tables}


def _placed(wrong: Iterable[Wrong], joined: files.Joined) -> Iterable[Mistake]:
    for item in wrong:
        file, line = joined.at(item.path)
        yield Mistake(file, line, dotted(item.path), item.message, item.example)


def _error(path: Path, mistakes: Iterable[Mistake]) -> ConfigError:
    ordered = tuple(sorted(mistakes, key=lambda m: (m.file, m.line or 0, m.key, m.message)))
    count = "one mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return ConfigError(f"{count} in the configuration", mistakes=ordered, where=str(path))
