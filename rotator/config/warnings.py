"""What is not wrong but should be known: ignored variables, open doors, options that have no effect yet."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rotator.config.durations import write_duration
from rotator.config.models import Config
from rotator.config.notify import WebhookChannel, named
from rotator.config.org import ClientCredentials
from rotator.config.when import parse_window

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY")
PERSON_MINUTES = 15  # that a classic connected app needs


def of_environment(env: Mapping[str, str]) -> Iterator[str]:
    """VAULT_* and proxy variables; their names, never their values."""
    vault = sorted(name for name in env if name.upper().startswith("VAULT_"))
    if vault:
        yield f"ignored: {', '.join(vault)}; the Vault server and login stand in [vault] of the configuration"
    proxies = sorted(name for name in env if name.upper() in _PROXIES)
    if proxies:
        yield f"ignored: {', '.join(proxies)}; a proxy stands in egress_proxy of its org"


def of_files(files: Iterable[Path]) -> Iterator[str]:
    """Files that everybody may change: who changes the host in one gets the next secret."""
    for file in files:
        if file.stat().st_mode & stat.S_IWOTH:
            yield f"{file} may be changed by everybody: chmod o-w {file}"


def of_settings(config: Config) -> Iterator[str]:
    """Settings that are allowed and yet worth a line."""
    yield from _insecure(config)
    yield from _not_in_vault(config)
    yield from _unsigned(config)
    yield from _too_narrow(config)
    for name, app in config.apps.items():
        if app.schedule.interval and app.max_age < app.schedule.interval:
            age = write_duration(app.max_age)
            yield f"apps.{name}: max_age {age} comes before every {write_duration(app.schedule.interval)} and wins"


def _insecure(config: Config) -> Iterator[str]:
    places = ["vault"] if config.vault.insecure else []
    places += [f"orgs.{name}" for name, org in config.orgs.items() if org.insecure]
    if places:
        yield f"insecure = true in {', '.join(places)}: for tests only, secrets may travel unprotected"


def _unsigned(config: Config) -> Iterator[str]:
    for name, channel in named(config.notify).items():
        if isinstance(channel, WebhookChannel) and not channel.secret_file:
            yield f"notify {name}: without secret_file its receiver cannot tell who sent a notice"


def _too_narrow(config: Config) -> Iterator[str]:
    """A person generates and applies; Apply alone may take ten minutes (reference 5.1)."""
    for name, app in config.apps.items():
        window = parse_window(app.schedule.window) if app.schedule.window and app.kind == "connected_app" else None
        if window is not None and window.end - window.start < PERSON_MINUTES:
            yield f"apps.{name}: a window of less than {PERSON_MINUTES} minutes is too short for the person who applies"


def _not_in_vault(config: Config) -> Iterator[str]:
    """A pair that lies in a file is not ours to replace."""
    for name, org in config.orgs.items():
        for key, login in org.logins.items():
            if org.spare and key != "responder" and isinstance(login, ClientCredentials) and not login.vault_path:
                yield f"orgs.{name}.{key}: its pair lies in a file and is not rotated: put it into Vault (vault_path)"
