"""The course of a calibration: what is done with the app, in order, and what was seen at each stage.

Each stage is done once, when an experiment first asks for it; it calls for the stages before it. A stage that failed
fails for every experiment that needs it, with the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from rotator.checks.calibrate import acts
from rotator.checks.calibrate.guard import listed
from rotator.checks.calibrate.lab import Lab, Token
from rotator.checks.calibrate.series import Series
from rotator.checks.calibrate.stages import Fate, Minted, Shown, Swapped
from rotator.domain.errors import Refused, RotatorError, SlotTaken, Unintelligible
from rotator.domain.pair import fingerprint
from rotator.domain.session import Grant, Lever, Listing
from rotator.domain.words import Outcome, Phase

T = TypeVar("T")


class Course:
    """One run. The stages read top to bottom."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._done: dict[str, object] = {}
        self._blocked = False

    def _once(self, name: str, work: Callable[[], T]) -> T:
        if name not in self._done:
            try:
                self._done[name] = work()
            except RotatorError as error:
                if not isinstance(error, Refused | Unintelligible):
                    raise  # later, or elsewhere: the same stage may be tried again
                self._done[name] = error
        found = self._done[name]
        if isinstance(found, RotatorError):
            raise found
        return cast("T", found)

    # --- the first pair: staged, promoted, and the app's own from then on

    @property
    def first(self) -> Minted:
        return self._once("first", lambda: self._minted(watch=True))

    @property
    def first_promoted(self) -> Swapped:
        return self._once("first_promoted", lambda: self._promoted(self.first))

    @property
    def first_primary(self) -> Series:
        """The first pair as primary; where it was accepted in the slot already, one look."""
        return self._once("first_primary", self._first_primary)

    @property
    def primary_readable(self) -> bool:
        """Whether the secret of the promoted pair is given."""
        return self._once("primary_readable", self._primary_readable)

    # --- its tokens

    @property
    def shares(self) -> bool:
        """Whether a second login got the first one's session."""
        return self._once("shares", self._shares)

    @property
    def shown(self) -> Mapping[Lever, Shown]:
        return self._once("shown", lambda: {lever: self._shown(lever) for lever in Lever})

    # --- the app's switch

    @property
    def staged_while_blocked(self) -> bool:
        return self._once("staged_while_blocked", self._staged_while_blocked)

    # --- the second pair, which displaces the first

    @property
    def canary(self) -> Token:
        """A token of the first pair, of no other pair, alive."""
        return self._once("canary", self._canary)

    @property
    def second(self) -> Minted:
        return self._once("second", lambda: self._minted(watch=False))

    @property
    def second_promoted(self) -> Swapped:
        return self._once("second_promoted", self._second_promoted)

    @property
    def classic_staging(self) -> bool | None:
        """Whether the staged API serves a classic app; None where the org shows none."""
        return self.lab.patient(self.lab.org.classic_staging, "looks for a classic connected app")

    @property
    def fate(self) -> Fate:
        return self._once("fate", self._fate)

    @property
    def second_stage(self) -> str:
        """What the org says to a second POST while the slot is full, in words."""
        return self._once("second_stage", self._second_stage)

    # --- how

    def _minted(self, *, watch: bool) -> Minted:
        lab, began = self.lab, self.lab.clock.monotonic()
        answer = acts.stage(lab)
        again = next((one for one in acts.slot(lab) if one.pair.key == answer.pair.key), answer)
        made = Minted(answer, again, Series())
        if not made.pair.secret:
            raise Refused("the org gives the secret of a staged pair neither at once nor later", code="no_secret",
                          fix="the permission View Client Secret, and secrets over REST: `rotator check`")
        if not watch:
            return made
        lab.ahead -= 1
        series = lab.watch(made.pair, began, accepted=True, doing="a new pair, staged: is it accepted?")
        return Minted(answer, again, series)

    def _second_stage(self) -> str:
        """The slot is filled once more: whatever the org does to the pair in it, nothing depends on it."""
        lab = self.lab
        acts.stage(lab)
        lab.note(Phase.INTENT, act="second stage", slot_was="full")
        key = ""
        try:
            key = acts.post(lab).pair.key
            said = "another pair"
        except RotatorError as error:
            said = f"{error.code}, HTTP {error.http_status}" if error.http_status else error.code
        said += f"; {len(acts.slot(lab))} in the slot"
        lab.note(Phase.OUTCOME, Outcome.OK, act="second stage", seen=said, key_fp=fingerprint(key))
        acts.clear(lab, "the second stage left it")
        return said

    def _promoted(self, minted: Minted) -> Swapped:
        began = acts.promote(self.lab, minted.again)
        (displaced, *more) = acts.slot(self.lab) or (None,)
        if displaced is None or more:
            raise Unintelligible("after a promote the slot does not hold one pair, the displaced one")
        return Swapped(began, minted.again.id, displaced)

    def _first_primary(self) -> Series:
        first, swapped, lab = self.first, self.first_promoted, self.lab
        if self.first.staged.settled(True):
            series = first.staged
        else:
            series = lab.watch(first.pair, swapped.began, accepted=True, doing="a new pair, promoted: is it accepted?")
        acts.delete(lab, swapped.displaced, "the pair that the app had")
        if not series.settled(True):
            raise Refused("the new pair is not accepted steadily even as primary", code="never_accepted",
                          fix="see whether the app's client credentials flow works: `rotator check`")
        return series

    def _primary_readable(self) -> bool:
        _ = self.first_promoted
        return acts.primary(self.lab, with_secret=True).secret is not None

    def _shares(self) -> bool:
        """The same token twice; or another one, that dies with the first."""
        _, pair, lab = self.first_primary, self.first.pair, self.lab
        one, two = lab.token(pair).value, lab.token(pair).value
        if one == two:
            lab.end_token(one)
            return True
        lab.end_token(one)
        if lab.alive(one):
            raise Refused("a token lives on after it was revoked by its value", code="revoke_does_nothing")
        together = not lab.alive(two)
        lab.end_token(two)
        return together

    def _shown(self, lever: Lever) -> Shown:
        """Lists, logs in, lists again: what is new is ours. Then pulls the lever, and tries the token. Where logins
        share sessions, the looks at the new pair have ended whatever a login could get instead of a fresh token."""
        lab, pair = self.lab, self.first.pair
        before = listed(lab, lever)
        token = lab.token(pair)
        after = listed(lab, lever)
        fresh = _fresh(before, after)
        ended = None
        if fresh and not any(grant.own for grant in fresh):
            for grant in fresh:
                acts.end(lab, grant)
            ended = lab.dies(token)
        lab.end_token(token.value)
        return Shown(bool(fresh), after, ended)

    def _staged_while_blocked(self) -> bool:
        """Blocked for a few seconds: nobody else logs in through this app."""
        _, lab = self.first_primary, self.lab
        self._blocked = True
        acts.turn_switch(lab, blocked=True)
        try:
            acts.stage(lab)
        except SlotTaken:
            raise
        except Refused:
            return False
        finally:
            self.unblock()
            acts.clear(lab, "staged while the app was blocked")
        return True

    def unblock(self) -> None:
        """Turns the switch on again where this run turned it off; a stop is not heard meanwhile."""
        if self._blocked:
            closing, self.lab.closing = self.lab.closing, True
            try:
                acts.turn_switch(self.lab, blocked=False)
                self._blocked = False
            finally:
                self.lab.closing = closing

    def _canary(self) -> Token:
        _ = self.first_primary
        return self.lab.token(self.first.pair)

    def _second_promoted(self) -> Swapped:
        _, second = self.canary, self.second
        return self._promoted(second)

    def _fate(self) -> Fate:
        """The canary right behind the promote; then, where its pair lives on, a younger one around the delete."""
        lab, old, new = self.lab, self.first.pair, self.second.pair
        canary, swapped = self.canary, self.second_promoted
        early, prompt = not lab.alive(canary.value), lab.young(canary)
        lab.ahead -= 1
        displaced = lab.watch(old, swapped.began, accepted=False, control=new,
                              doing="the old pair in the slot: is it still accepted?")  # fmt: skip
        twin: Token | None = None
        if displaced.always_accepted and not early:
            canary, twin = lab.token(old), lab.token(new)
        began = acts.delete(lab, swapped.displaced, "the pair that was displaced")
        died = early or not lab.alive(canary.value)
        sure = prompt if early else died and lab.young(canary)
        lab.ahead -= 1
        deleted = displaced  # where it died when it was displaced, that is when the wait began
        if not displaced.settled(False):
            deleted = lab.watch(old, began, accepted=False, control=new,
                                doing="the deleted pair: is it refused everywhere?")  # fmt: skip
        survived = not died and lab.alive(canary.value)
        beside = twin is not None and twin.value != canary.value and lab.alive(twin.value)
        return Fate(displaced, deleted, survived, sure or beside)


def _fresh(before: Listing, after: Listing) -> list[Grant]:
    known = {grant.handle for grant in before.grants}
    return [grant for grant in after.grants if grant.handle not in known]
