"""What is really so: pairs, slots, tokens by key. No secret values."""

from __future__ import annotations

from typing import Any

from rotator.simulator.dice import fingerprint
from rotator.simulator.org import pairs
from rotator.simulator.org.model import App, Consumer, Org
from rotator.simulator.watch import Watch


def of_org(org: Org, watch: Watch) -> dict[str, Any]:
    """All apps of an org."""
    live = {one.app: one.live for one in watch.watched if one.org == org.name}
    return {app.name: of_app(org, app, live.get(app.name, "")) for app in org.apps}


def of_app(org: Org, app: App, live: str) -> dict[str, Any]:
    """One app: the key on its live path, and each consumer."""
    return {"live": key_shown(org, live) if live else None, "oauth_plugin_enabled": app.oauth_plugin_enabled,
            "consumers": [of_consumer(org, consumer) for consumer in app.consumers]}  # fmt: skip


def of_consumer(org: Org, consumer: Consumer) -> dict[str, Any]:
    """Primary, slot, and the pairs that are gone."""
    pairs.expire(org, consumer)
    return {
        "id": consumer.id, "primary": key_shown(org, consumer.primary.key),
        "slot": [{"id": e.id, "state": e.state, "created_by": e.created_by, "created_at": e.created_at,
                  "expires_at": e.expires_at} | key_shown(org, e.pair.key) for e in consumer.slot],
        "gone": [key_shown(org, grave.pair.key) for grave in consumer.graves],
    }  # fmt: skip


def key_shown(org: Org, key: str) -> dict[str, Any]:
    """A key with its fingerprint, whether the record accepts it, whether a login would work, and its live tokens."""
    found = pairs.claim(org, key)
    alive = [token for token in org.live_tokens() if token.key == key]
    return {"key": key, "fp": fingerprint(key), "standing": found.standing if found else "unknown",
            "accepted": pairs.accepted_on_record(org, key), "tokens": len(alive)}  # fmt: skip
