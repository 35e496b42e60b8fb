"""The steps after the old pair is gone: seen refused, its versions destroyed, all of it proven. Sessions: sessions.py.

What counts as proof is protocol.md section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.domain.changes import Changes
from rotator.domain.errors import Refused, Unavailable, must
from rotator.domain.pair import Pair, fingerprint
from rotator.domain.session import Probe
from rotator.domain.words import CLAIMS, Claim, Outcome, State
from rotator.saga import block
from rotator.saga.mint import canary_call
from rotator.saga.seen import Seen
from rotator.saga.sessions import look_through
from rotator.saga.undo import ANEW, drop_escrow
from rotator.saga.worker import Worker, goes_on

IN_A_ROW = 3
TICK = timedelta(seconds=1)  # Salesforce tells times to the second: what is made later must show a later one
BESIDE = 5.0  # seconds between an acceptance of new and a refusal of old that counts
REPROVE = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))  # then hourly for a day
LAST_TRY = len(REPROVE) + 24


def ask_old_pairs(me: Worker, s: Seen, step: str) -> tuple[Seen, bool]:
    """One round: new is accepted, and beside it every old pair whose secret we hold gets invalid-client.

    A login with an old pair can make a token: its intent is committed before, the caller commits the outcome. A token
    that nobody wrote down is thus never forgotten (`settle`).
    """
    new = must(s.held_pair(s.row.new_key), "the new pair in Vault")
    every_one = True
    for old in _known_olds(s):
        beside = me.ports.clock.monotonic()
        if not me.login(new).accepted:
            raise Unavailable("the new pair is refused: a refusal of the old one proves nothing now",
                              code="no_control", fix="see whether the app is blocked in the org")
        if not s.unknown:
            s = replace(me.intent(s, step), unknown=(step,))
        try:
            accepted = me.login(old).accepted
        except Refused as error:
            raise _no_proof(me, s, step, f"no proof: {error.message}", error.code, error.fix, every_one) from None
        if not accepted and me.ports.clock.monotonic() - beside > BESIDE:
            raise _no_proof(me, s, step, "the old pair was refused, but too long after the new one was accepted to"
                            " count", "no_control", "wait: it is asked again; the org answers slowly", every_one)
        every_one = every_one and not accepted
    return s, every_one


def _no_proof(me: Worker, s: Seen, step: str, message: str, code: str, fix: str, every_one: bool) -> Unavailable:
    """Only invalid-client, beside an acceptance of new, is a refusal; another no is no proof, and is asked again."""
    error = Unavailable(message, code=code, fix=fix)
    changes: Changes = {} if every_one else ANEW
    me.outcome(s, step, Outcome.UNKNOWN, error=error, **changes)
    return error


def _known_olds(s: Seen) -> Sequence[Pair]:
    return [pair for pair in map(s.held_pair, s.row.old_keys) if pair is not None]


def refused(me: Worker, s: Seen) -> Seen:
    """The first refusal of the old pair. Until W has passed an acceptance may be propagation; then it is a finding."""
    retired = s.row.retired_at or s.now
    s, gone = ask_old_pairs(me, s, "refused")
    if gone:  # W counts from a look that saw the old pair gone, the next round from this answer
        at = me.salesforce.time() or me.now()
        return _answered(me, s, "refused", Outcome.OK, {
            "refused_at": at, "ended_before": at, "retired_at": s.now, "refusals": 1, "last_refusal": me.now()})
    if s.row.policy.block_first:
        return _block_again(me, s, "refused", retired)
    tries = s.row.tries + 1
    s = _answered(me, s, "refused", Outcome.FAILED, {**ANEW, "retired_at": retired})
    if s.now < retired + 2 * me.timing.propagation:
        return me.park(s, "refused", s.now + me.pace(tries), tries=tries)
    return unproven(me, s, "old_pair_accepted", "the old pair is deleted, but still logs in",
                    "open the app in Setup and look for a second consumer: docs/runbook.md, old_pair_accepted",
                    {"refused": Claim.FAILED})


def _block_again(me: Worker, s: Seen, step: str, retired: datetime) -> Seen:
    """Within W the acceptance may be propagation: blocked until it is over. Later: until a human says `release`."""
    over = retired + me.timing.propagation
    return block.again(me, s, step, "old_pair_accepted", over if s.now < over else None)


def destroy(me: Worker, s: Seen) -> Seen:
    """Earlier versions of the live path that hold an old pair, by number: a late call can hit nothing else."""
    s = me.intent(s, "destroy", evidence={"versions": list(s.old_versions)})
    with me.changing(s, "destroy"):
        me.vault.destroy_live(me.target, s.old_versions)
    return me.outcome(s, "destroy").doubt()


def prove(me: Worker, s: Seen) -> Seen:
    """The claims `refused` and `tokens`, a row of the trail for each; they need what escrow holds. Waits are in the
    row."""
    due = refusal_due(s, me.timing.proof_spacing, me.timing.propagation)
    if due is not None and s.now < due:
        return me.park(s, "prove", due, s.row.state if s.row.state is State.UNPROVEN else State.RUNNING)
    if due is not None:
        return _one_more(me, s)
    if s.row.claims.get("refused") is not Claim.PROVEN:
        return me.observe(s, "prove", claims={**s.row.claims, "refused": Claim.PROVEN},
                          evidence={"claim": "refused", "in_a_row": s.row.refusals, **_asked(s)})
    missing = _tokens(me, s)
    if missing is not None:
        return unproven(me, s, *missing, {**s.row.claims, "tokens": Claim.UNKNOWN})
    claims = {**s.row.claims, "tokens": Claim.PROVEN if s.row.policy.sessions else Claim.NOT_ASKED}
    if s.old_versions:
        return _kept(me, s, claims)
    return me.observe(s, "prove", proven=True, claims=claims,
                      evidence={"claim": "tokens", "canary": s.row.canary, "listing_blind": s.row.listing_blind})


def _kept(me: Worker, s: Seen, claims: dict[str, Claim]) -> Seen:
    """All is proven but that Vault holds nothing of the old pair."""
    many = ", ".join(map(str, s.old_versions))
    return unproven(me, s, "old_versions_kept", f"Vault does not destroy the versions of {s.row.target.path} that hold"
                    f" an old pair: {many}", "give the rotator's role config/vault-policy-destroy.hcl, or destroy them:"
                    f" `vault kv destroy -versions={many.replace(' ', '')} ...`; the rotator tries again by itself",
                    {**claims, "vault": Claim.FAILED})


def _one_more(me: Worker, s: Seen) -> Seen:
    """One round of the series. Any acceptance starts the count, and the ending of sessions, from the beginning: tokens
    were given out after the refusal that was seen first."""
    s, gone = ask_old_pairs(me, s, "prove")
    if not gone and s.row.policy.block_first:
        return _block_again(me, s, "prove", s.row.retired_at or s.now)
    if not gone:
        return _answered(me, s, "prove", Outcome.FAILED, {**ANEW, "last_refusal": s.now})
    until = (me.salesforce.time() or me.now()) if s.row.force else s.row.ended_before
    return _answered(me, s, "prove", Outcome.REFUSED, {
        "last_refusal": s.now, "refusals": s.row.refusals + 1, "ended_before": until})


def _answered(me: Worker, s: Seen, step: str, outcome: Outcome, changes: Changes) -> Seen:
    """The outcome of a round. Whatever the answer, there is one: the row runs."""
    said: Changes = {**goes_on(s), **changes}
    return me.outcome(s, step, outcome, evidence=_asked(s), **said)


def _asked(s: Seen) -> dict[str, object]:
    """Which pairs the answer is about. A pair whose secret nobody here knows cannot be asked: it stands in neither
    place, which the look before this step saw."""
    asked = [fingerprint(pair.key) for pair in _known_olds(s)]
    others = [print_ for print_ in map(fingerprint, s.row.old_keys) if print_ not in asked]
    return {"host": s.row.target.login_url, "asked": asked, "in_neither_place": others}


def refusal_due(s: Seen, spacing: timedelta, w: timedelta) -> datetime | None:
    """When the next refusal may count; None where the series is complete: three in a row, `spacing` apart, the last
    at least W after retire. The second comes just before the third, so that one wait serves both."""
    row = s.row
    last, retired = row.last_refusal or s.now, row.retired_at or s.now
    if row.refusals >= IN_A_ROW and last >= retired + w:
        return None
    still = max(IN_A_ROW - 1 - row.refusals, 0)
    spacing = max(spacing, TICK) if row.refusals == 1 else spacing  # our logins must not look older than the refusal
    return max(last + spacing, retired + w - still * spacing)


def _tokens(me: Worker, s: Seen) -> tuple[str, str, str] | None:
    """What is missing to say that the tokens of the old pair are dead: a code, words, and the fix."""
    if not s.row.policy.sessions:
        return None
    token = s.pic.escrow.content.canary if s.pic.escrow.content else None
    if s.row.canary == "none" or token is None:
        return ("no_canary", "no token of the old pair could be had as a witness",
                "look through the sessions of the run-as user in Setup, Session Management")
    me.alive()
    if me.salesforce.probe(token, canary_call(s)) is not Probe.DEAD:
        return ("canary_alive", "a token of the old pair still works", _fix_alive(s))
    if s.row.listing_blind:
        return None  # the listing never showed the canary: the canary alone carries the claim
    found = look_through(me, s)
    end_them = "end them in Setup, Session Management and External Client Apps OAuth Usage"
    if found.doomed:
        return ("sessions_listed", f"{len(found.doomed)} sessions or tokens from before the refusal are still listed",
                end_them)
    if found.hidden:
        return ("listing_partial", f"a listing does not show everything: {'; '.join(found.hidden[:3])}",
                f"{end_them}; the rotator keeps looking")
    return None


def _fix_alive(s: Seen) -> str:
    if s.row.consumer.siblings:
        return "give each consumer an app of its own, or set sessions = \"keep\""
    return ("end the sessions of the run-as user in Setup, Session Management; the rotator keeps looking"
            if s.row.canary != "jwt" else "wait until self-contained tokens expire; shorten their life in the policies")


def unproven(me: Worker, s: Seen, reason: str, message: str, fix: str, claims: dict[str, Claim]) -> Seen:
    """Says what is missing, and keeps proving after 5, 15, 60 minutes, then hourly for a day; ends again what is
    left each time."""
    tries = s.row.proof_tries
    wait = REPROVE[tries] if tries < len(REPROVE) else REPROVE[-1]
    next_at = s.now + wait if tries < LAST_TRY else None
    return me.decide(s, "prove", Outcome.UNKNOWN, error=message, state=State.UNPROVEN, reason=reason, message=message,
                     fix=fix, claims=claims, proof_tries=tries + 1, next_at=next_at,
                     refused_calls=0, revoked=int(s.row.force and s.row.revoked > 0), evidence={"missing": reason})


def close(me: Worker, s: Seen) -> Seen:
    """The escrow first; the row last, and only from a look that saw escrow gone, slot empty, live = primary = new."""
    if s.escrow_left:
        return drop_escrow(me, s)
    vault = {"claim": "vault", "live_version": s.live_number, "destroyed_old": s.row.policy.destroy_old}
    s = me.observe(s, "close", claims={**s.row.claims, "vault": Claim.PROVEN}, evidence=vault)
    if not s.row.consumer.assisted:  # whose slot nobody can see
        s = me.observe(s, "close", claims={**s.row.claims, "slot": Claim.PROVEN}, evidence={"claim": "slot"})
    claims = {name: s.row.claims.get(name, Claim.NOT_ASKED) for name in CLAIMS}
    return me.observe(s, "close", state=State.DONE, ended_at=s.now, claims=claims)
