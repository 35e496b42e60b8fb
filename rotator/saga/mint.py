"""Steps before the pivot: a new pair, kept where a crash cannot lose it, witnessed, and shown to work."""

from __future__ import annotations

from dataclasses import replace

from rotator.domain.changes import Changes
from rotator.domain.errors import LedgerUnavailable, Refused, SlotTaken, Unavailable, must
from rotator.domain.pair import EscrowContent, SlotState, fingerprint
from rotator.domain.session import Login, Probe
from rotator.domain.words import Goal, Outcome, State
from rotator.saga import block
from rotator.saga.holds import Hold
from rotator.saga.seen import Place, Seen
from rotator.saga.undo import delete_slot, fence, keep, primary_pair, write_escrow, write_live
from rotator.saga.worker import LookAgain, Worker

MOST_DISCARDS = 2


def clear(me: Worker, s: Seen) -> Seen:
    """Makes room in the slot. If live serves that pair, live is made primary first."""
    entry = must(s.slot, "the pair in the slot")
    if s.live_key != s.slot_key:
        return delete_slot(me, s, "clear")
    if entry.state is SlotState.ACTIVE and s.live_key == s.row.parent_new:  # minted by us: forward is shorter than back
        s = me.intent(s, "clear", evidence={"promote": entry.id})
        with me.changing(s, "clear"):
            me.salesforce.promote(me.consumer, entry.id)
        return me.outcome(s, "clear").forget(Place.ORG)
    pair = primary_pair(me, s)
    if pair is None:
        return me.hold(s, Hold("primary_secret_unreadable", "the primary secret is neither in Vault nor readable",
                               f"allow secrets via REST API in the org, then `rotator release {s.row.app}`"))
    return write_live(me, s, "clear", pair)


def stage(me: Worker, s: Seen) -> Seen:
    """Mints a second pair; the first stays valid. POST has no idempotency key: it is never repeated blindly."""
    if s.fence_due:
        return fence(me, s)
    s = me.intent(s, "stage", posting=True)
    me.alive()
    try:
        entry = me.salesforce.stage(me.consumer)
    except SlotTaken as error:  # the slot was empty a moment ago: foreign
        s = me.outcome(s, "stage", Outcome.REFUSED, error=error, posting=False)
        return me.hold(s, Hold("slot_taken", error.message, error.fix))
    except Refused as error:
        means = _blocked_or_held(s) if s.row.policy.block_first else _failed(error)
        return me.outcome(s, "stage", Outcome.REFUSED, error=error, **means)
    except Unavailable as error:
        me.outcome(s, "stage", Outcome.REFUSED, error=error, posting=False)
        raise
    me.eyes.memory = entry.pair
    seen_fact = {"stage_while_blocked": "yes" if s.row.switch == "blocked" else "no"}
    s = me.outcome(s, "stage", new_key=entry.pair.key, posting=False, evidence={"slot_id": entry.id},
                   learned=seen_fact if s.row.switch == "blocked" or s.row.stage_first else None)
    return s.infer(Place.ORG, slots=(entry,))


def _failed(error: Refused) -> Changes:
    """Ends the rotation before the pivot: what was begun is undone first."""
    return {"posting": False, "goal": Goal.ABANDON, "ends_as": State.FAILED, "reason": error.code,
            "message": error.message, "fix": error.fix}


def _blocked_or_held(s: Seen) -> Changes:
    """The first time the block may be why: it is lifted for the next try. Then a human must see it, the app blocked."""
    if s.row.switch == "blocked" and not s.stages_first and not s.facts.yes("stage_while_blocked"):
        return {"posting": False, "stage_first": True}
    return {"posting": False, "blocked_for": "stage_refused", "switch": s.row.switch or "blocking"}


def discard(me: Worker, s: Seen) -> Seen:
    """Staged, but nobody can use it, or a person named it as foreign."""
    if s.slot_is_named_foreign:
        return delete_slot(me, s, "discard", discard_foreign="")
    if s.row.discards >= MOST_DISCARDS:
        return me.hold(s, Hold("secret_unreadable", "the secret of a staged pair could not be read, three times",
                               "give the rotator's user `View Client Secret` and allow secrets via REST API;"
                               f" then `rotator release {s.row.app}`"), discards=0)
    return delete_slot(me, s, "discard", new_key="", posting=False, discards=s.row.discards + 1)


def escrow(me: Worker, s: Seen) -> Seen:
    """Keeps the new pair, and the old ones, on the rotator's own path; reads back and compares."""
    new = must(s.slot, "the staged pair").pair
    olds = tuple(pair for pair in map(s.held_pair, s.row.old_keys) if pair)
    kept = s.pic.escrow.content
    mine = (s.row.id, s.row.parent_id) if s.row.canary else (s.row.id,)  # a force may go on with its parent's witness
    token = kept.canary if kept and kept.rotation_id in mine else None
    content = EscrowContent(s.row.id, new, olds, token)
    return keep(me, s, "escrow", content)


def canary(me: Worker, s: Seen) -> Seen:
    """A witness: a token of the old pair, alive on a real call, kept in escrow and never revoked by name."""
    old = primary_pair(me, s)
    login = me.login(old) if old else Login(accepted=False)
    if not login.accepted or login.token is None:
        return me.observe(s, "canary", Outcome.REFUSED, canary="none", evidence={"old_pair_dead": old is not None})
    me.alive()
    if me.salesforce.probe(login.token, canary_call(s)) is Probe.DEAD:
        raise Unavailable("a token of the old pair was issued, but does not work yet", code="token_not_usable")
    kept = s.pic.escrow.content
    whole = kept and (*kept.olds, *((kept.new,) if kept.new else ()))  # before a block: what is there stays there
    mine = kept if kept and kept.rotation_id == s.row.id else EscrowContent(s.row.id, None, whole or ())
    old = must(old, "the old pair")
    olds = mine.olds if mine.find(old.key) else (*mine.olds, old)
    word = "jwt" if login.self_contained else "kept"
    write = keep if s.row.consumer.assisted else write_escrow  # whose new pair shows only after Apply that it is whole
    return write(me, s, "canary", replace(mine, olds=olds, canary=login.token), canary=word, run_as=login.user_id)


def witness(me: Worker, s: Seen) -> Seen:
    """Before a block: one try, for an incident does not wait for a witness."""
    try:
        return canary(me, s)
    except LedgerUnavailable:
        raise
    except (Unavailable, Refused, LookAgain) as error:
        code = error.code if isinstance(error, Unavailable | Refused) else "vault_refused"
        return me.observe(s, "canary", Outcome.UNKNOWN, canary="none", evidence={"not_had": code})


def canary_call(s: Seen) -> str:
    """The real call of the canary; a token proves nothing without one, so `none` falls back to the usual."""
    return s.row.policy.probe if s.row.policy.probe != "none" else "limits"


def verify(me: Worker, s: Seen) -> Seen:
    """The pair **as read back from Vault** must log in, in the right org and as the right user."""
    pair = must(s.held_pair(s.row.new_key), "the new pair in Vault")
    login = me.login(pair)
    if not login.accepted or login.token is None:
        return _not_yet(me, s)
    if s.row.policy.probe != "none":
        me.alive()
        if me.salesforce.probe(login.token, s.row.policy.probe) is Probe.DEAD:
            raise Unavailable("a token of the new pair was issued, but does not work yet", code="token_not_usable")
    return stranger(me, s, login) or _verified(me, s, login)


def stranger(me: Worker, s: Seen, login: Login) -> Seen | None:
    """A token for another org or user is an alarm, not an acceptance."""
    org_ok = login.org_id[:15] == s.row.consumer.org_id[:15]
    user_ok = not s.row.run_as or login.user_id[:15] == s.row.run_as[:15]
    if org_ok and user_ok:
        return None
    what = "another org" if not org_ok else "another user than the old pair did"
    return me.hold(s, Hold("wrong_identity", f"the new pair logs in to {what}",
                           "treat it as an incident: docs/runbook.md; then `rotator abandon` or `rotator release`"))


def _verified(me: Worker, s: Seen, login: Login) -> Seen:
    spread = me.timing.verify_spread
    seen_fact = {"staged_pair_accepted": "yes"} if s.staged else None
    since = s.row.verified_from or s.now
    if s.now < since + spread:
        s = me.observe(s, "verify", verified_from=since, learned=seen_fact)
        return me.park(s, "verify", since + spread)
    return me.observe(s, "verify", verified=s.row.new_key, verify_until=None, learned=seen_fact,
                      run_as=s.row.run_as or login.user_id, evidence={"key_fp": fingerprint(s.row.new_key)})


def _not_yet(me: Worker, s: Seen) -> Seen:
    """Within W a refusal of a new pair says nothing (reference section 12); after it, it decides."""
    until = s.row.verify_until or s.now + me.timing.propagation
    s = me.observe(s, "verify", Outcome.REFUSED, verify_until=until, verified_from=None)
    if s.now < until:
        tries = s.row.tries + 1
        return me.park(s, "verify", min(until, s.now + me.pace(tries)), tries=tries)
    if s.promoted and s.row.policy.block_first:
        return block.again(me, s, "verify", "new_refused")
    if s.promoted:
        return me.hold(s, Hold("new_refused", "the new pair is primary, but Salesforce does not accept it",
                               f"see the app's policies in Setup; then `rotator release {s.row.app}`"))
    if s.facts.yes("staged_pair_accepted"):
        return me.decide(s, "verify", Outcome.FAILED, goal=Goal.ABANDON, ends_as=State.FAILED, reason="new_refused",
                         message="Salesforce does not accept the staged pair",
                         fix="run `rotator check`; the old pair stays as it was")
    return me.decide(s, "verify", Outcome.HELD, goal=Goal.ABANDON, ends_as=State.HELD, reason="fact_missing",
                     message="the staged pair is refused, and whether this org accepts staged pairs is unknown",
                     fix=f"{s.learn('staged_pair_accepted')}; then `rotator release {s.row.app}`")


def turn_back(me: Worker, s: Seen) -> Seen:
    """`--dry-run`: the pair was minted and shown to work; now it is discarded."""
    return me.decide(s, "abandon", goal=Goal.ABANDON, ends_as=State.ABANDONED, reason="dry_run",
                     message="a dry run: staged, verified, discarded")
