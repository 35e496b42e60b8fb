"""The steps of a classic connected app: a person generates the pair in Setup, hands it over, and clicks Apply.

No API shows or changes its pairs (reference 5.1), so the new one counts as primary from its first acceptance on: Apply
is irreversible. From Apply to publish readers are cut off; the trail says that invariant 1 is waived (protocol
section 3, end).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rotator.domain.changes import Changes
from rotator.domain.errors import Refused, must
from rotator.domain.pair import Pair, fingerprint
from rotator.domain.session import Login
from rotator.domain.words import Goal, Outcome, State
from rotator.saga.holds import Hold
from rotator.saga.mint import stranger
from rotator.saga.requests import APPLY_WITHIN
from rotator.saga.seen import Seen
from rotator.saga.undo import leave
from rotator.saga.worker import Worker

RECEIVE_WITHIN = timedelta(hours=24)
SHORTEST = timedelta(seconds=1)  # between two polls, whatever the configuration says
IN_A_ROW = 2  # polls that find both pairs refused, before a human is told: one may be propagation
BARRED = ("run_as_missing", "run_as_inactive", "app_blocked")  # somebody froze the user, or blocked the app
CLICKS = "in Setup: App Manager, {label}, View, Manage Consumer Details"


def receive_due(s: Seen) -> bool:
    """No pair was handed over; or it was lost with the process before escrow kept it; or another takes its place."""
    lost = not s.escrowed and (s.slot is None or s.slot.pair.secret is None)
    return not s.promoted and (lost or (s.handed is not None and s.handed.key != s.row.new_key))


def request(me: Worker, s: Seen) -> Seen:
    """Before a person is asked: whether the old pair logs in, and as whom."""
    old = s.held_pair(s.primary.key)
    login = _logs_in(me, old) if old else Login(accepted=False)
    found = "none" if old is None else "accepted" if login.accepted else "refused"
    return me.observe(s, "request", run_as=login.user_id or s.row.run_as, receive_until=s.now + RECEIVE_WITHIN,
                      canary=s.row.canary if login.accepted else "none",
                      learned={"classic_has_staged_api": "no"}, evidence={"old_pair": found})


def receive(me: Worker, s: Seen) -> Seen:
    """Takes the pair that a person handed over, or waits for one. It must not log in yet; where it does, it was applied
    already: it is kept all the same, and believed once the old pair is refused."""
    pair = s.handed
    if pair is None:
        return _ask(me, s)
    kept = s.escrowed_pair
    in_force = _applied(me, s, kept) if kept is not None else None
    if in_force is not None:
        return _accept(me, s, in_force)  # what was to be replaced was applied: nothing is replaced
    if _is_old(s, pair):
        return _refuse(me, s, "the pair that was handed over is the present one")
    login = _logs_in(me, pair)
    if login.accepted and login.user_id[:15] != (s.row.run_as or login.user_id)[:15]:
        return _refuse(me, s, "the pair that was handed over is another app's: it logs in as another user")
    return me.observe(s, "receive", new_key=pair.key, early=login.accepted, compared="", verify_until=None,
                      evidence={"key_fp": fingerprint(pair.key), "logs_in": login.accepted})


def _logs_in(me: Worker, pair: Pair) -> Login:
    """Where somebody froze the run-as user or blocked the app, as before a force, nothing can be told: not accepted."""
    try:
        return me.login(pair)
    except Refused as error:
        if error.code not in BARRED:
            raise
        return Login(accepted=False)


def _is_old(s: Seen, pair: Pair) -> bool:
    olds = (s.held_pair(key) for key in s.row.old_keys)
    return pair.key in s.row.old_keys or any(old is not None and old.secret == pair.secret for old in olds)


def _refuse(me: Worker, s: Seen, why: str) -> Seen:
    me.eyes.memory = None
    return _held(me, s, Hold("receive_refused", f"{why}; nothing was kept of it", _fix_receive(s)))


def _ask(me: Worker, s: Seen) -> Seen:
    """Nothing is done until a person hands the pair over; at the deadline it is said again, and louder."""
    until = must(s.row.receive_until, "a deadline of the person")
    if s.now >= until:
        words = f"nobody has handed over a new pair for {RECEIVE_WITHIN.days * 24} hours"
        return _held(me, s, Hold("receive_late", words, _fix_receive(s)))
    if s.row.new_key:
        words = "the pair that was handed over was lost before it was safe: it must be handed over again"
    elif s.row.canary == "none" and s.live_key:
        words = "the present pair is refused: somebody may have clicked Apply; the pair that Setup shows is awaited"
    else:
        words = "a person must generate a new pair in Setup and hand it over"
    return _held(me, s, Hold("receive", words, _fix_receive(s)), until)


def _fix_receive(s: Seen) -> str:
    applied = s.row.canary == "none" and s.live_key
    last = "look at the pair" if applied or s.row.new_key else "Generate"
    return f"{_clicks(s)}, {last}; then `rotator receive {s.row.app}`" + ("" if applied else ". Do not click Apply yet")


def _clicks(s: Seen) -> str:
    return CLICKS.format(label=s.row.consumer.label or s.row.consumer.app_name)


def _held(me: Worker, s: Seen, why: Hold, until: datetime | None = None) -> Seen:
    """A human is needed; looked at again at that time."""
    return me.decide(s, "receive", Outcome.HELD, state=State.HELD, reason=why.code, message=why.message, fix=why.fix,
                     next_at=until, released=False, evidence={"code": why.code})


def await_apply(me: Worker, s: Seen) -> Seen:
    """Asks for a token with the new pair, as Vault keeps it, until Salesforce gives one."""
    if s.row.verify_until is None:
        return _allow(me, s)
    try:
        login = _applied(me, s, must(s.escrowed_pair, "the pair in escrow"))
    except Refused as error:
        return _barred(me, s, error)
    return _not_yet(me, s) if login is None else _accept(me, s, login)


def _barred(me: Worker, s: Seen, error: Refused) -> Seen:
    """A human must lift what keeps everybody out; it is asked again all the same."""
    if error.code not in BARRED:
        raise error
    held: Changes = {"state": State.HELD, "reason": error.code, "message": f"{error.message}: nothing can be asked",
                     "fix": f"once Apply was clicked: `rotator unblock {s.row.app}`, or lift it in Setup",
                     "released": False, "tries": s.row.tries + 1, "next_at": s.now + _pause(me, s.row.tries + 1)}
    return me.decide(s, "await_apply", Outcome.HELD, error=error.message, evidence={"code": error.code}, **held)


def _allow(me: Worker, s: Seen) -> Seen:
    """The new pair is where a crash cannot lose it: only now may the old one die."""
    now: Changes = {**_allowed(s), "tries": 0, "both_refused": 0, "verify_until": s.now + APPLY_WITHIN,
                    "next_at": s.now if s.row.early else s.now + _pause(me, 0)}  # fmt: skip
    return me.decide(s, "await_apply", evidence={"availability": "waived from Apply to publish"}, **now)


def _allowed(s: Seen) -> Changes:
    return {"state": State.WAITING, "reason": "await_apply", "fix": f"{_clicks(s)}, Apply; then `rotator applied"
            f" {s.row.app}`", "message": "the new pair is safe in Vault: Apply is allowed now"}


def _applied(me: Worker, s: Seen, pair: Pair) -> Login | None:
    """The login that shows that Apply was clicked. A pair that logged in before Apply was allowed shows it only beside
    a refusal of the old one: some org may accept what was generated, and another app's pair logs in too."""
    login = me.login(pair)
    if not login.accepted or (s.row.early and _old_logs_in(me, s)):
        return None
    return login


def _accept(me: Worker, s: Seen, login: Login) -> Seen:
    """From now on there is only forward."""
    return stranger(me, s, login) or me.observe(
        s, "await_apply", verified=s.row.new_key, run_as=s.row.run_as or login.user_id, verify_until=None,
        both_refused=0, evidence={"key_fp": fingerprint(s.row.new_key)})  # fmt: skip


def _old_logs_in(me: Worker, s: Seen) -> bool | None:
    """None where nobody here knows its secret, or the answer is none."""
    old = s.held_pair(s.primary.key)
    try:
        return me.login(old).accepted if old is not None else None
    except Refused:
        return None


def _not_yet(me: Worker, s: Seen) -> Seen:
    """After 10, 20, then every 30 s (at the usual spacing of logins that are refused), for half an hour."""
    dead = s.row.both_refused + 1 if _old_logs_in(me, s) is False else 0
    late = s.now >= must(s.row.verify_until, "a deadline of Apply")
    wait: Changes = {**_allowed(s), "tries": s.row.tries + 1, "both_refused": dead,
                     "next_at": None if late else s.now + _pause(me, s.row.tries + 1)}
    if dead >= IN_A_ROW:
        return _both_refused(me, s, wait)
    if late:
        words = f"the new pair is not accepted after {APPLY_WITHIN.seconds // 60} minutes: nobody clicked Apply"
        return me.hold(s, Hold("apply_late", words,
                               f"{_clicks(s)}, Apply, then `rotator applied {s.row.app}`; where it was clicked,"
                               f" `rotator receive {s.row.app} --replace`; else `rotator abandon {s.row.app}`"))
    return me.decide(s, "await_apply", Outcome.REFUSED, **wait)


def _both_refused(me: Worker, s: Seen, wait: Changes) -> Seen:
    """Applied was another pair than the one in escrow. The polling goes on: it may be propagation after all."""
    held: Changes = {
        **wait, "state": State.HELD, "reason": "both_refused", "released": False,
        "message": "both pairs are refused: Generate was clicked twice, or a character is wrong",
        "fix": f"{_clicks(s)}; hand over the pair that it shows as the present one:"
               f" `rotator receive {s.row.app} --replace`",
    }  # fmt: skip
    return me.decide(s, "await_apply", Outcome.HELD, evidence={"code": "both_refused"}, **held)


def _pause(me: Worker, tries: int) -> timedelta:
    spacing = me.timing.proof_spacing
    return max(SHORTEST, min(tries + 1, 3) * spacing / 3)


def give_up(me: Worker, s: Seen) -> Seen:
    """An abandon: before Apply the escrow is cleared, after it there is only forward. Whether somebody clicked it is
    asked for W once a pair was handed over; `--now` believes one refusal of the new pair."""
    if s.promoted:
        return me.decide(s, "abandon", Outcome.REFUSED, goal=Goal.ROTATE, ends_as=State.ABANDONED, reason="",
                         message="", fix="", next_at=None, state=State.RUNNING, error="Apply was clicked: too late")
    if not s.row.new_key:
        return leave(me, s)
    new, old = s.escrowed_pair, _old_logs_in(me, s)
    login = me.login(new) if new is not None else Login(accepted=False)
    if login.accepted and not old:
        return _accept(me, s, login)
    until = s.row.abandon_until or s.now + me.timing.propagation
    dead = s.row.both_refused + (old is False)
    if s.now < until and (login.accepted or not s.row.abandon_now):
        return me.park(s, "abandon", min(until, s.now + _pause(me, 2)), abandon_until=until, both_refused=dead)
    if dead:
        return _both_refused(me, s, {"goal": Goal.ROTATE, "ends_as": State.ABANDONED, "next_at": None,
                                     "abandon_until": None})  # fmt: skip
    return leave(me, s)
