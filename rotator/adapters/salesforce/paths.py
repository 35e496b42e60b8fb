"""Where the credentials of a consumer lie below `/services/data/vNN.N` (reference 6)."""

from __future__ import annotations

from rotator.adapters.salesforce.ids import is_id, opaque
from rotator.domain.errors import Unintelligible
from rotator.domain.pair import Consumer


def path_of(consumer: Consumer) -> str:
    """The consumer's resource. Raises Unintelligible for ids that Salesforce does not give."""
    if not (is_id(consumer.app_id) and is_id(consumer.consumer_id)):
        raise Unintelligible("an app or consumer has an id that Salesforce does not give")
    return f"/apps/oauth/credentials/{consumer.app_id}/{consumer.consumer_id}"


def staged_path(consumer: Consumer, staged_id: str) -> str:
    """One entry of its slot. Raises Unintelligible for an id that could not stand in a path."""
    if not opaque(staged_id):
        raise Unintelligible("the staged entry has no id that could stand in a path")
    return f"{path_of(consumer)}/staged/{staged_id}"
