"""When the picture is none of the expected: why nothing may be done, and what a human should do (step `hold`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotator.domain.pair import SlotState, fingerprint
from rotator.domain.words import State
from rotator.saga.seen import Seen


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to stop: a stable code, what is wrong, and the next action."""

    code: str
    message: str
    fix: str


REFUSALS = 3  # clear refusals of one step in a row, before a human is asked
LOGINS = 200  # token requests of one rotation (Salesforce blocks a user at 3,600 an hour: reference section 7)

RELEASE = "then `rotator release {app}`"


def why_hold(s: Seen) -> Hold | None:
    """The first thing that is wrong with the picture; None where every part of it is expected."""
    checks: tuple[Callable[[Seen], Hold | None], ...] = (
        _blocked_again, _slot_unreadable, _drift, _live_dead, _displaced, _live_behind, _late_abandon, _no_order,
        _refused, _logins, _foreign, _stay_blocked,
    )  # fmt: skip
    if s.row.consumer.assisted:
        checks = (_live_strange, _live_garbled, _refused, _logins)
    elif _only_undoing(s):
        checks = (_slot_unreadable, _displaced, _live_behind, _late_abandon, _refused)
    return next((found for found in (check(s) for check in checks) if found), None)


def _only_undoing(s: Seen) -> bool:
    """A human saw it held and said to abandon it: what is ours and serves nobody is taken away, the rest is left."""
    asked = s.abandoning and s.row.released and s.row.ends_as is State.ABANDONED and not s.row.force
    return asked and not s.live_is_new and not s.promoted


def _fix(s: Seen, text: str) -> str:
    return f"{text}; {RELEASE.format(app=s.row.app)}"


def _adopt(s: Seen) -> str:
    """What a person does where only a person can tell which pair is good."""
    return f"`rotator adopt {s.row.app}` puts the present primary pair into {s.row.target.path}"


def _by_hand(s: Seen) -> str:
    """The same of a classic connected app, whose pair no API tells."""
    return f"put the pair that Setup shows into {s.row.target.path} (docs/runbook.md, By hand)"


def _start_over(s: Seen) -> str:
    """How a rotation that cannot go on is left behind. A force is not abandoned: another one takes over."""
    if not s.row.force:
        return f"{_adopt(s)}; then `rotator abandon {s.row.app}`"
    return (f"somebody may have taken the app: `rotator block {s.row.app}`, rotate its primary pair in Setup,"
            f" {_adopt(s)}; then `rotator force {s.row.app}` with another reason")


BLOCKED = {
    "new_refused": ("the new pair is primary, but refused after the unblock: the app is blocked again",
                    "see the app's policies in Setup"),
    "old_pair_accepted": ("the old pair is deleted, but logs in after the unblock: the app is blocked again",
                          "open the app in Setup and look for a second consumer: docs/runbook.md, old_pair_accepted"),
    "stage_refused": ("the org refuses to stage a pair, and not because of the block; the app stays blocked",
                      "see `rotator history {app}` for what it says, and mend that"),
}  # fmt: skip


def _blocked_again(s: Seen) -> Hold | None:
    if s.row.switch != "blocked" or not s.row.blocked_for:
        return None
    message, fix = BLOCKED[s.row.blocked_for]
    return Hold(s.row.blocked_for, message, _fix(s, fix.format(app=s.row.app)))


def _stay_blocked(s: Seen) -> Hold | None:
    stays = s.row.policy.stay_blocked and not s.row.let_go and s.row.switch == "blocked"
    if not stays or not s.escrowed or s.promoted or s.live_is_new:
        return None
    return Hold("stay_blocked", "the app is blocked, the new pair is safe in escrow and not yet published, as asked",
                f"make sure that nobody unfit reads {s.row.target.path}; {RELEASE.format(app=s.row.app)}")


def _slot_unreadable(s: Seen) -> Hold | None:
    if s.several:
        return Hold("several_staged", "the staged slot holds several pairs",
                    _fix(s, "delete the foreign ones in Setup, External Client App, OAuth settings"))
    if s.slot is not None and s.slot.state is SlotState.UNKNOWN:
        return Hold("unknown_slot_state", "the staged pair is in a state that the rotator does not know",
                    _fix(s, "look at the staged pair in Setup"))
    return None


def _drift(s: Seen) -> Hold | None:
    if s.primary.key not in s.row.ours:
        return Hold("foreign_primary", f"the primary pair ({fingerprint(s.primary.key)}) is not one of this rotation:"
                    " somebody else rotated", _start_over(s))
    return _live_strange(s) or _live_garbled(s)


def _live_strange(s: Seen) -> Hold | None:
    if s.live_key and s.live_key not in s.row.ours:
        return Hold("drift", f"the live path serves a pair ({fingerprint(s.live_key)}) that is neither old nor new",
                    _fix(s, _by_hand(s) if s.row.consumer.assisted else _adopt(s)))
    return None


def _live_garbled(s: Seen) -> Hold | None:
    pair = s.escrowed_pair
    live = s.pic.live.credential
    if s.live_is_new and pair is not None and live is not None and live.pair != pair:
        return Hold("live_garbled", "the live path serves the new key with another secret than the one in escrow",
                    _fix(s, f"see who else writes {s.row.target.path} and take that right away"))
    return None


def _live_dead(s: Seen) -> Hold | None:
    if s.live_key and not s.accepted(s.live_key):
        return Hold("live_dead", "the live path serves a pair that Salesforce does not accept, and no other secret of"
                    " this app is in Vault", _start_over(s))
    return None


def _displaced(s: Seen) -> Hold | None:
    if s.slot_is_new and s.slot is not None and s.slot.state is SlotState.ROTATED:
        return Hold("displaced", "somebody promoted another pair over the new one",
                    _fix(s, "find out who rotates this app besides the rotator"))
    return None


def _live_behind(s: Seen) -> Hold | None:
    """As expected only in promote-first before publish, or once a human released it."""
    if not s.promoted or s.live_is_new:
        return None
    before_publish = s.promote_first and not 0 <= s.row.publish_version < s.live_number
    if s.escrowed and (before_publish or s.row.released):
        return None
    return Hold("live_behind", "the new pair is primary, but the live path does not serve it",
                _fix(s, f"see who wrote {s.row.target.path}"))


def _late_abandon(s: Seen) -> Hold | None:
    if s.promoted and s.abandoning:
        return Hold("too_late_to_abandon", "the new pair became primary before the abandon could be done",
                    f"somebody else promoted it: {_adopt(s)}")
    return None


def _no_order(s: Seen) -> Hold | None:
    facts = s.facts
    if s.promoted:
        return None
    if facts.no("staged_pair_accepted") and not facts.yes("rotated_pair_accepted"):
        return Hold("no_order", "no order without an outage is known: the fact rotated_pair_accepted is missing",
                    _fix(s, s.learn("rotated_pair_accepted")))
    if facts.unknown("staged_pair_accepted") and s.row.policy.block_first:
        return Hold("fact_missing", "block-first needs the fact staged_pair_accepted",
                    _fix(s, s.learn("staged_pair_accepted")))
    return None


def _refused(s: Seen) -> Hold | None:
    if s.row.refused_calls >= REFUSALS:
        return Hold("refused", s.row.message or "the far side refuses the same step again and again",
                    _fix(s, s.row.fix or "mend what it names"))
    return None


def _logins(s: Seen) -> Hold | None:
    if s.row.logins >= LOGINS:
        return Hold("login_budget", f"{s.row.logins} token requests were made for this rotation: the budget is used up",
                    _fix(s, "find out why logins fail before Salesforce blocks the user"))
    return None


def _foreign(s: Seen) -> Hold | None:
    expected = s.slot is None or s.slot_is_new or s.slot_is_old or s.slot_is_lost_post or s.slot_is_named_foreign
    if expected or s.clearable:
        return None
    print_ = fingerprint(s.slot_key)
    return Hold("foreign_staged", f"the staged slot holds a pair ({print_}) that is not ours",
                f"find out who staged it; `rotator release {s.row.app} --discard-foreign {print_}` deletes it")
