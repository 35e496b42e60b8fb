"""One function per fact, one registry: what the course of a calibration says of it (protocol section 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from rotator.checks.calibrate.course import Course
from rotator.checks.calibrate.lab import rounded
from rotator.checks.calibrate.series import Series
from rotator.checks.calibrate.stages import Shown
from rotator.domain.errors import Refused, Unintelligible
from rotator.domain.pair import Author
from rotator.domain.session import Lever

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """The value of a fact and how it was seen. `dark`: this org cannot show it, and nothing went wrong."""

    value: str
    how: str
    dark: bool = False

    @property
    def known(self) -> bool:
        return self.value != UNKNOWN


def _is(yes: bool, how: str) -> Found:
    return Found("yes" if yes else "no", how)


def _after(seconds: float | None, series: Series) -> Found:
    if seconds is None:
        return Found(UNKNOWN, f"not settled within the time watched: {series.words}")
    return Found(written(rounded(seconds)), series.words)


def written(span: timedelta) -> str:
    """As the configuration writes durations: whole minutes, else whole seconds."""
    seconds = round(span.total_seconds())
    return f"{seconds}s" if seconds % 60 or not seconds else f"{seconds // 60}m"


def staged_pair_accepted(course: Course) -> Found:
    """A pair is staged and asked for tokens; a `no` counts once the same pair is accepted as primary."""
    staged = course.first.staged
    if staged.settled(True):
        return _is(True, staged.words)
    _ = course.first_primary
    return Found(UNKNOWN, f"accepted at times: {staged.words}") if staged.ever_accepted else _is(False, staged.words)


def new_pair_propagation(course: Course) -> Found:
    """How long the staged pair was refused at first; or the promoted one, where a staged pair is never accepted."""
    series = course.first_primary
    return _after(series.delay(True), series)


def secret_readable_again(course: Course) -> Found:
    """The slot is read after the POST, and the primary pair after the promote, each with its secret."""
    slot, primary = course.first.again.pair.secret is not None, course.primary_readable
    if slot is not primary:
        readable, not_readable = ("slot", "primary") if slot else ("primary", "slot")
        return Found(UNKNOWN, f"the secret is given in the {readable}, not in the {not_readable}")
    return _is(slot, "read in the slot and as primary")


def created_by_given(course: Course) -> Found:
    """The slot is read after the POST: does it say that we staged the pair?"""
    author = course.first.again.author
    if author is Author.THEM:
        return Found(UNKNOWN, "the slot names an author, but not as us")
    return _is(author is Author.US, f"the author of our own staged pair is told as: {author.value}")


def slot_id_survives_rotate(course: Course) -> Found:
    """The slot is read before and after a promote."""
    same = [swap.before == swap.displaced.id for swap in (course.first_promoted, course.second_promoted)]
    if any(same) and not all(same):
        return Found(UNKNOWN, "the same id after one promote, another after the other")
    return _is(all(same), "the same id after two promotes" if all(same) else "another id after two promotes")


def session_shared_between_logins(course: Course) -> Found:
    """Two logins with one pair: one token, or two of which the second dies with the first."""
    return _is(course.shares, "two logins, the first token revoked by its value")


def _listed(shown: Shown, lever: Lever) -> Found:
    if shown.fresh:
        return _is(True, "a fresh token was listed")
    if lever in shown.after.blind or not shown.after.complete:
        return Found(UNKNOWN, "; ".join(shown.after.notes) or "the listing is not complete")
    return _is(False, "a fresh token was not listed")


def tokens_listed_oauthtoken(course: Course) -> Found:
    """OauthToken is listed before and after a login."""
    return _listed(course.shown[Lever.OAUTHTOKEN], Lever.OAUTHTOKEN)


def tokens_listed_usage(course: Course) -> Found:
    """The usage resource is listed before and after a login."""
    return _listed(course.shown[Lever.USAGE], Lever.USAGE)


def tokens_listed_authsession(course: Course) -> Found:
    """AuthSession is listed before and after a login."""
    return _listed(course.shown[Lever.AUTHSESSION], Lever.AUTHSESSION)


def _ends(shown: Shown) -> Found:
    if shown.ended is None:
        return Found(UNKNOWN, "a fresh token is not listed: there is nothing to pull the lever on", dark=True)
    return _is(shown.ended, "the lever was pulled on a fresh token, then the token was tried")


def lever_usage_ends(course: Course) -> Found:
    """A fresh token's usage row is deleted, then the token is tried."""
    return _ends(course.shown[Lever.USAGE])


def lever_deletetoken_ends(course: Course) -> Found:
    """A fresh token's DeleteToken is revoked, then the token is tried."""
    return _ends(course.shown[Lever.OAUTHTOKEN])


def lever_authsession_ends(course: Course) -> Found:
    """A fresh token's AuthSession is deleted, then the token is tried."""
    return _ends(course.shown[Lever.AUTHSESSION])


def stage_while_blocked(course: Course) -> Found:
    """The app's OAuth switch is turned off for a moment, and a pair is staged."""
    return _is(course.staged_while_blocked, "a POST while the app's OAuth switch was off")


def classic_has_staged_api(course: Course) -> Found:
    """The credentials of a classic connected app of the org are asked for, without secrets: a read."""
    served = course.classic_staging
    if served is None:
        return Found(UNKNOWN, "the org has no classic connected app, or shows none", dark=True)
    return _is(served, "the credentials of a classic app were asked for")


def rotated_pair_accepted(course: Course) -> Found:
    """A pair is displaced by the next one and asked for tokens, for as long as `propagation`."""
    displaced = course.fate.displaced
    if not (displaced.always_accepted or displaced.settled(False)):
        return Found(UNKNOWN, f"not settled within the time watched: {displaced.words}")
    return _is(displaced.always_accepted, displaced.words)


def delete_propagation(course: Course) -> Found:
    """The displaced pair is deleted and asked for tokens until it is refused everywhere; where it died when it was
    displaced, until then."""
    deleted = course.fate.deleted
    return _after(deleted.delay(False), deleted)


def tokens_die_with_pair(course: Course) -> Found:
    """A token of the pair is tried after the pair was deleted, beside one of the pair that lives on."""
    fate = course.fate
    if fate.token_survived:
        return _is(False, "a token of the deleted pair still works")
    if not fate.sure:
        return Found(UNKNOWN, "the token of the deleted pair is dead, but may have expired by itself")
    return _is(True, "a token of the deleted pair is dead")


# Fact -> experiment, in the order of the course: the first that needs a stage brings it about.
EXPERIMENTS: Mapping[str, Callable[[Course], Found]] = MappingProxyType({
    one.__name__: one
    for one in (
        created_by_given, staged_pair_accepted, new_pair_propagation, secret_readable_again,
        session_shared_between_logins, tokens_listed_usage, lever_usage_ends, tokens_listed_oauthtoken,
        lever_deletetoken_ends, tokens_listed_authsession, lever_authsession_ends, slot_id_survives_rotate,
        rotated_pair_accepted, delete_propagation, tokens_die_with_pair, stage_while_blocked, classic_has_staged_api,
    )
})  # fmt: skip


def found(course: Course) -> dict[str, Found]:
    """Runs every experiment. What the org refuses, or answers in words that we do not know, leaves a fact unknown; all
    other errors go up: the calibration stops."""
    told: dict[str, Found] = {}
    for name, experiment in EXPERIMENTS.items():
        try:
            told[name] = experiment(course)
        except (Refused, Unintelligible) as error:
            told[name] = Found(UNKNOWN, error.message)
    return told
