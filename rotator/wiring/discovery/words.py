"""How an app is told: for programs, and as a stanza of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rotator.domain.inventory import AppKind, Known, Owner, Standing
from rotator.domain.pair import Staged, fingerprint
from rotator.log_words import clean
from rotator.wiring.discovery.looks import OWN, Seen
from rotator.wiring.told import moment

Json = dict[str, object]
MOST_NAMED = 20  # apps that share a run-as user
KINDS = (AppKind.EXTERNAL.value, AppKind.CLASSIC.value)
HEAD = """\
# Apps of {org} that are not in the configuration, by `rotator discover {org} --toml`.
# Fill in `vault_path` (the live path, below the mount), which is refused while it is empty; look at each with
# `rotator check NAME`, take its pair with `rotator adopt NAME`, then set `enabled = true`."""


def document(standing: Standing, known: Known, seen: Seen, name: str, sharing: Sequence[str], age: int | None) -> Json:
    """One consumer of one app. `sharing`: the other apps that run as the same user; `age`: seconds."""
    consumer = seen.consumer
    return {
        "state": standing.value, "managed_as": name or None, "kind": known.kind.value, "owner": known.owner.value,
        "app_id": known.app_id or None, "developer_name": known.name or None, "label": known.label or None,
        "namespace": known.namespace or None, "consumer_id": consumer.consumer_id if consumer else None,
        "consumers": consumer.siblings + 1 if consumer else None, "key_fp": fingerprint(seen.key) or None,
        "run_as": known.run_as or known.holder or None, "shared_with": list(sharing[:MOST_NAMED]),
        "shared": len(sharing), "last_used_at": moment(known.used), "pair_age_s": age,
        "slot": None if seen.slot is None else [_entry(one) for one in seen.slot],
        "sources": [source.value for source in known.sources], "notes": list(filter(None, (seen.drift, *seen.notes))),
    }  # fmt: skip


def _entry(one: Staged) -> Json:
    return {"key_fp": fingerprint(one.pair.key), "state": one.state.value, "author": one.author.value,
            "expires_at": moment(one.expires_at)}  # fmt: skip


def stanzas(org: str, entries: Iterable[Mapping[str, Any]], taken: Iterable[str]) -> Iterator[str]:
    """A table of the configuration for each app that could be rotated and is not. `taken`: names in use."""
    names = {name.lower() for name in taken}
    yield HEAD.format(org=org)
    for one in entries:
        rotatable = one["state"] == Standing.UNMANAGED.value and one["owner"] != Owner.VENDOR.value
        if rotatable and one["kind"] in KINDS and OWN not in one["notes"]:
            yield _stanza(org, one, _name(str(one["developer_name"] or one["label"]), names))


def _name(text: str, taken: set[str]) -> str:
    """A name for the configuration: letters, digits, - and _, unlike any other."""
    base = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:50] or "app"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name


def _stanza(org: str, one: Mapping[str, Any], name: str) -> str:
    by_name = one["developer_name"] and not one["namespace"]
    told = [f"# {clean(about(one))}", f"[apps.{name}]", f'org = "{org}"']
    if one["kind"] != AppKind.EXTERNAL.value:
        told.append(f'kind = "{one["kind"]}"')
    told.append(f'app = "{one["developer_name"] if by_name else one["app_id"]}"')
    if (one["consumers"] or 1) > 1:
        told.append(f'consumer = "{one["consumer_id"]}"')
    return "\n".join(["", *told, 'vault_path = ""', "enabled = false"])


def about(one: Mapping[str, Any]) -> str:
    """One line: label, run-as user and who shares it, last use, slot, and what else is to be known."""
    slot = "not seen" if one["slot"] is None else ", ".join(e["state"] for e in one["slot"]) or "empty"
    age = "unknown" if one["pair_age_s"] is None else f"{one['pair_age_s'] // 86400} d"
    shared = f" (with {', '.join(one['shared_with'][:3])}{', ...' if one['shared'] > 3 else ''})"
    user = f"{one['run_as'] or 'unknown'}{shared if one['shared'] else ''}"
    used = (one["last_used_at"] or "unknown")[:10]
    notes = "".join(f"; {note}" for note in one["notes"])
    return f"{one['label'] or one['developer_name']}: runs as {user}, last used {used}, pair {age}, slot {slot}{notes}"
