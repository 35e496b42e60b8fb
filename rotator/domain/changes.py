"""The fields of a rotation's row that a step may change, with their types: a misspelt one does not pass the checker."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from rotator.domain.words import Claim, Goal, State


class Changes(TypedDict, total=False):
    """Names and types are those of `Rotation`; a test holds the two together."""

    state: State
    goal: Goal
    ends_as: State
    step: str
    reason: str
    message: str
    fix: str
    released: bool
    discard_foreign: str
    ended_at: datetime | None
    next_at: datetime | None
    new_key: str
    posting: bool
    promoting: bool
    publish_version: int
    published_version: int
    discards: int
    canary: str
    compared: str
    verified: str
    run_as: str
    overlap_until: datetime | None
    overlap_ended: bool
    abandon_until: datetime | None
    abandon_now: bool
    settle_until: datetime | None
    verify_until: datetime | None
    verified_from: datetime | None
    retired_at: datetime | None
    refused_at: datetime | None
    ended_before: datetime | None
    refusals: int
    last_refusal: datetime | None
    revoked: int
    listing_shown: bool
    listing_blind: bool
    proof_tries: int
    proven: bool
    claims: dict[str, Claim]
    switch: str
    stage_first: bool
    blocked_for: str
    unblock_at: datetime | None
    let_go: bool
    tries: int
    failing_since: datetime | None
    refused_calls: int
    logins: int
    receive_until: datetime | None
    early: bool
    both_refused: int
    gives_way_until: datetime | None
