"""Rules between tables. They read the raw values, so that they speak although single values are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rotator.config.lines import Path
from rotator.config.mistakes import Wrong, nearest
from rotator.config.toml import dotted

_LOGINS = ("admin", "responder", "spare")
Raw = Mapping[str, Any]


def broken(values: Raw) -> Iterator[Wrong]:
    """Everything in `values` (the files as one) that no single table can see."""
    orgs, apps = _tables(values, "orgs"), _tables(values, "apps")
    yield from _unknown_orgs(orgs, apps)
    yield from _shared_paths(orgs, apps)
    yield from _one_identity(orgs)
    yield from _shared_consumers(orgs, apps)
    yield from _near_escrow(_table(values, "vault"), orgs, apps)
    yield from _channels(values, orgs, apps)


def _unknown_orgs(orgs: Raw, apps: Raw) -> Iterator[Wrong]:
    for name, app in apps.items():
        org = _text(app, "org")
        if org and org not in orgs:
            example = f'org = "{next(iter(orgs), "acme")}"'
            yield Wrong(("apps", name, "org"), f"names no org of [orgs]{nearest(org, orgs)}", example)


def _live_paths(orgs: Raw, apps: Raw) -> Iterator[tuple[Path, str]]:
    """Every path that readers read, with the place that names it: the apps' and the rotator's own."""
    for name, org in orgs.items():
        for login in _LOGINS:
            if path := _text(_table(org, login), "vault_path"):
                yield ("orgs", name, login, "vault_path"), path
    for name, app in apps.items():
        if path := _text(app, "vault_path"):
            yield ("apps", name, "vault_path"), path


def _shared_paths(orgs: Raw, apps: Raw) -> Iterator[Wrong]:
    taken: dict[str, Path] = {}
    for place, written in _live_paths(orgs, apps):
        path = written.strip("/")
        first = taken.setdefault(path, place)
        if first != place and place[0] == "apps":
            example = f'vault_path = "{path}-{place[1]}"'
            yield Wrong(place, f"is the path of {dotted(first[:-1])} already: one app, one path", example)


def _one_identity(orgs: Raw) -> Iterator[Wrong]:
    """A spare with the pair of `admin` could not rotate it: no moment may come in which neither logs in."""
    for name, org in orgs.items():
        admin, spare = _table(org, "admin"), _table(org, "spare")
        for key in ("vault_path", "client_id", "key_file"):
            if _text(spare, key).strip("/") and _text(spare, key).strip("/") == _text(admin, key).strip("/"):
                message = f"is that of orgs.{name}.admin: the second identity is an app of its own"
                example = f'spare = {{ grant = "client_credentials", vault_path = "salesforce/{name}/rotator-spare" }}'
                yield Wrong(("orgs", name, "spare", key), message, example)


def _shared_consumers(orgs: Raw, apps: Raw) -> Iterator[Wrong]:
    taken: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, app in apps.items():
        org, target = _text(app, "org"), _text(app, "app")
        if not org or not target:
            continue
        consumer = _text(app, "consumer")[:15]
        others = taken.setdefault((_org(org, orgs), _id(target)), [])
        # Where no consumer is named the app must have exactly one, so any other entry means the same.
        same = next((other for other, theirs in others if not (theirs and consumer) or theirs == consumer), None)
        if same is not None:
            key = "consumer" if "consumer" in app else "app"
            message = f"is the consumer that apps.{same} rotates already: one app, one consumer"
            yield Wrong(("apps", name, key), message, 'consumer = "888000000000001AAA"')
        others.append((name, consumer))


def _org(name: str, orgs: Raw) -> str:
    """Two names for one host are one org."""
    try:
        return urlsplit(_text(orgs.get(name), "host")).netloc.lower() or name
    except ValueError:
        return name


def _id(written: str) -> str:
    """15 and 18 characters are one id: the rest is a checksum. Developer names do not tell case apart."""
    if written.startswith("0x") and len(written) in (15, 18):
        return written[:15]
    return written.casefold()


def _near_escrow(vault: Raw, orgs: Raw, apps: Raw) -> Iterator[Wrong]:
    prefix = (_text(vault, "escrow_prefix") or "rotator-escrow").strip("/")
    mount = (_text(vault, "mount") or "secret").strip("/")
    for place, written in _live_paths(orgs, apps):
        path = written.strip("/")
        if _within(path, prefix) or _within(prefix, path):
            message = f"lies on the escrow prefix {prefix}, which only the rotator may read"
            yield Wrong(place, message, f'vault_path = "salesforce/{place[1]}"')
        elif path.startswith(f"{mount}/data/"):
            short = path.removeprefix(f"{mount}/data/")
            yield Wrong(place, "is given below the mount, without its name and `data`", f'vault_path = "{short}"')


def _channels(values: Raw, orgs: Raw, apps: Raw) -> Iterator[Wrong]:
    """Each channel has a name of its own and filters by what there is."""
    taken: dict[str, int] = {}
    written = values.get("notify")
    for place, channel in enumerate(written if isinstance(written, list) else ()):
        name = _text(channel, "name")
        if name and taken.setdefault(name, place) != place:
            message = "is the name of another channel already: give each a name of its own"
            yield Wrong(("notify", place, "name"), message, f'name = "{name}-2"')
        for key, known in (("orgs", orgs), ("apps", apps)):
            for unknown in _texts(channel, key) - known.keys():
                yield Wrong(("notify", place, key), f"names what is not in [{key}]{nearest(unknown, known)}")


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _table(values: Any, key: str) -> Raw:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _tables(values: Raw, key: str) -> dict[str, Raw]:
    return {name: table for name, table in _table(values, key).items() if isinstance(table, Mapping)}


def _text(values: Any, key: str) -> str:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, str) else ""


def _texts(values: Any, key: str) -> set[str]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return {text for text in found if isinstance(text, str)} if isinstance(found, list) else set()
