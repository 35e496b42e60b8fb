"""A domain.Rotation as a row of the table `rotations`, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any

from rotator.adapters.sql.plain import build, hints, plain
from rotator.adapters.sql.tables import rotations
from rotator.domain.chain import canonical
from rotator.domain.errors import InvariantBroken
from rotator.domain.rotation import Rotation

FIELDS = frozenset(hints(Rotation))
JSON = frozenset({"consumer", "target", "policy", "who", "old_keys", "claims"})
COLUMNS = FIELDS & set(rotations.c.keys())


def known_fields(changes: Mapping[str, object]) -> Mapping[str, object]:
    """The same changes. Raises InvariantBroken where a name is no field of a rotation."""
    strange = sorted(set(changes) - FIELDS)
    if strange:
        raise InvariantBroken(f"a rotation has no {', '.join(strange)}")
    return changes


def to_row(rotation: Rotation, own: Set[str] = COLUMNS) -> dict[str, Any]:
    """All columns of the row; `own` names the fields that have one of their own, the others stand in `more`."""
    values = plain(rotation)
    return {
        **{name: canonical(values[name]) if name in JSON else _scalar(values[name]) for name in own},
        "org_id": rotation.consumer.org_id,
        "consumer_id": rotation.consumer.consumer_id,
        "more": canonical({name: values[name] for name in FIELDS - own}),
    }


def from_row(row: Mapping[Any, Any], own: Set[str] = COLUMNS) -> Rotation:
    """The rotation of a whole row; a field that it does not have yet gets its default."""
    told = {name: json.loads(row[name]) if name in JSON else row[name] for name in own}
    return build(Rotation, {**json.loads(row["more"]), **told})


def _scalar(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value
