"""What a new rotation takes over from the one before it (saga_model.py: open_rotation). Pure."""

from __future__ import annotations

from datetime import datetime

from rotator.domain.rotation import Rotation
from rotator.domain.words import Trigger
from rotator.ports import Opening


def new_rotation(opening: Opening, last: Rotation | None, rotation_id: str, number: int, now: datetime) -> Rotation:
    """The row of a new rotation after `last`, which ended, or which a force supersedes."""
    is_open = last is not None and not last.ended
    known = list(opening.old_keys)
    if last is not None and is_open and opening.trigger is Trigger.FORCE:
        known += last.ours  # every pair of ours known at the decision is retired
    return Rotation(
        id=rotation_id,
        app=opening.app,
        org=opening.org,
        consumer=opening.consumer,
        target=opening.target,
        policy=opening.policy,
        who=opening.who,
        trigger=opening.trigger,
        parent_id=last.id if last and is_open else "",
        number=number,
        started_at=now,
        old_keys=tuple(dict.fromkeys(filter(None, known))),
        old_version=opening.old_version,
        parent_new=last.new_key if last and is_open else "",
        leftover=last.old_keys[0] if last and not is_open and last.old_keys else "",
    )
