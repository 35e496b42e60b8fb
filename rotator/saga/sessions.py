"""Ending what logins left behind: looked up by every lever, written down, then ended (protocol section 3, revoke).

All levers are looked through before the first grant is ended, and what will be ended stands in the trail before that.
Only what was created before the refusal is ended: consumers log in again and again, and it comes to an end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rotator.domain.errors import Refused, Unavailable
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Lever, Listing
from rotator.domain.words import Claim, Outcome
from rotator.saga.seen import Seen
from rotator.saga.worker import Worker

PART = 100  # names of grants in one row of the trail
ROUNDS = 20  # looks at listings that show only a part: a thief who logs in again and again does not keep us here
FIRST = next(iter(Lever))
FEW = 5  # up to so many are ended by each lever; of more it is looked up first what an earlier lever left


@dataclass(frozen=True, slots=True)
class Found:
    """What one look through all levers gave."""

    listings: tuple[tuple[Lever, Listing], ...]
    doomed: tuple[Grant, ...]
    spared: tuple[str, ...]  # the rotator's own session, and a row that would name the canary by its value

    @property
    def shows(self) -> bool:
        """Some listing shows a grant. Where none ever did it did not show the canary: that alone carries the claim."""
        return any(listing.grants for _, listing in self.listings)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Why rows are missing that a lever could have shown; a lever that refused the look is blind, not partial."""
        partial = (listing for lever, listing in self.listings if not listing.complete and lever not in listing.blind)
        return tuple(note for listing in partial for note in listing.notes or ("a listing showed only a part",))

    @property
    def notes(self) -> list[str]:
        return [note for _, listing in self.listings for note in listing.notes]


def revoke_due(s: Seen) -> bool:
    """After the first refusal (block-first did it once before); in a force once more when the series of refusals is
    complete, W after retire: a server that had not heard of the deletion may have given out tokens meanwhile."""
    if not (s.finished and s.row.policy.sessions):
        return False
    before = int(s.row.policy.block_first)
    again = s.row.force and s.row.revoked == 1 + before and s.row.claims.get("refused") is Claim.PROVEN
    return s.row.revoked <= before or again


def revoke(me: Worker, s: Seen) -> Seen:
    """Ends what the run-as user's logins of this app left behind before the refusal. The rotator's own session is
    spared. Skipped, and said so, where sessions of another consumer would end; a force ends those too."""
    if s.row.consumer.siblings and not s.row.force:
        return _skipped(me, s, Outcome.REFUSED, "another consumer of this app shares the sessions")
    if not s.row.run_as:
        return _skipped(me, s, Outcome.UNKNOWN, "the run-as user is unknown: the old pair never logged in")
    found, refused = look_through(me, s), dict[str, str]()
    shown = s.row.listing_shown or found.shows  # in an earlier look, and is ended by now
    for _ in range(ROUNDS):
        if found.doomed:
            s, ended, refused = _end_all(me, s, found)
        if not (found.doomed and found.hidden and ended):
            break
        found = look_through(me, s)  # what a listing had no room for shows itself now
    notes = [*found.notes, *(f"{lever}: {words}" for lever, words in refused.items())]
    evidence = {"round": s.row.revoked + 1, "shown": _shown(found), "spared": list(found.spared[:PART]),
                "notes": notes[:PART], "siblings": s.row.consumer.siblings}  # fmt: skip
    return me.observe(s, "revoke", revoked=s.row.revoked + 1, listing_shown=shown, listing_blind=not shown,
                      evidence=evidence)


def _skipped(me: Worker, s: Seen, outcome: Outcome, why: str) -> Seen:
    return me.observe(s, "revoke", outcome, revoked=s.row.revoked + 1, listing_blind=True, evidence={"skipped": why})


def look_through(me: Worker, s: Seen) -> Found:
    """Every lever, of the run-as user, and of whoever else holds tokens where the force includes users. Reads."""
    users = [s.row.run_as]
    if s.row.policy.including_users:
        me.alive()
        users += [user for user in me.salesforce.holders(me.consumer).users if user[:15] != s.row.run_as[:15]]
    listings = tuple((lever, _listed(me, user, lever)) for lever in Lever for user in users)
    token = s.pic.escrow.content.canary if s.pic.escrow.content else None
    grants = [grant for _, listing in listings for grant in listing.grants]
    return Found(listings, tuple(g for g in grants if _is_left(g, s, token)),
                 tuple(g.ref for g in grants if g.own or _names(g, token)))


def _listed(me: Worker, user: str, lever: Lever) -> Listing:
    me.alive()
    return me.salesforce.grants(me.consumer, user, lever)


def _is_left(grant: Grant, s: Seen, canary: Secret | None) -> bool:
    """Not our own session, not the canary by its value, and created before the refusal (undated counts as before)."""
    until = s.row.ended_before or s.row.refused_at
    before = grant.created is None or until is None or grant.created <= until
    return before and not grant.own and not _names(grant, canary)


def _names(grant: Grant, canary: Secret | None) -> bool:
    """A lever that is given the canary's value proves nothing: such a row is left alone (protocol section 5)."""
    return canary is not None and grant.lever is Lever.OAUTHTOKEN and grant.handle == canary


def _end_all(me: Worker, s: Seen, found: Found) -> tuple[Seen, int, dict[str, str]]:
    """Writes down what will be ended, then ends it, lever by lever. Gives how many, and the levers that were refused.

    A lever that says no is not asked again in this round; the others go on, and the proof says what is left.
    """
    until = s.row.ended_before or s.row.refused_at
    names = [f"{grant.lever}:{grant.ref}" for grant in found.doomed]
    parts = [names[at : at + PART] for at in range(0, len(names), PART)]
    for number, part in enumerate(parts[:-1], 1):
        s = me.decide(s, "revoke", Outcome.OK, evidence={"to_end": part, "part": number, "of": len(parts)})
    evidence = {"to_end": parts[-1], "part": len(parts), "of": len(parts), "all": len(names),
                "spared": list(found.spared[:PART]), "until": until.isoformat() if until else None}  # fmt: skip
    s = me.intent(s, "revoke", evidence=evidence, listing_shown=True)
    ended, refused = Counter[str](), dict[str, str]()
    for lever in Lever:
        for grant in _still_there(me, found, lever):
            words = _end(me, s, grant)
            if words:
                refused[lever.value] = words
                break
            ended[lever.value] += 1
    outcome = Outcome.REFUSED if refused and not ended else Outcome.OK
    s = me.outcome(s, "revoke", outcome, evidence={"ended": ended, "refused": refused})
    return s, ended.total(), refused


def _still_there(me: Worker, found: Found, lever: Lever) -> Iterator[Grant]:
    """Those of this lever; of many, only what the levers before it have left: most grants stand in all listings."""
    mine = [grant for grant in found.doomed if grant.lever is lever]
    if len(mine) <= FEW or lever is FIRST:
        yield from mine
        return
    left = [_listed(me, user, lever) for user in dict.fromkeys(grant.user_id for grant in mine)]
    there = {grant.handle.reveal() for listing in left for grant in listing.grants}
    whole = all(listing.complete for listing in left)
    yield from (grant for grant in mine if not whole or grant.handle.reveal() in there)


def _end(me: Worker, s: Seen, grant: Grant) -> str:
    """One call. "" where the grant is ended (or was gone); else the words of a clear no. What may have happened is
    left open for `settle`; what certainly has not is written down, and tried again."""
    me.alive()
    try:
        me.salesforce.end(me.consumer, grant)
    except Refused as error:
        return error.message
    except Unavailable as error:
        me.outcome(s, "revoke", Outcome.REFUSED, error=error)
        raise
    return ""


def _shown(found: Found) -> dict[str, int]:
    shown: Counter[str] = Counter()
    for lever, listing in found.listings:
        shown[lever.value] += len(listing.grants)
    return dict(shown)

