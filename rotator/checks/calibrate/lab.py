"""What an experiment works with: the app, the ports, patience, and the trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeVar

from rotator.checks.calibrate.series import BURST, LEAST, STEADY, Look, Series, moments
from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, Unavailable, Unintelligible
from rotator.domain.event import Event
from rotator.domain.pair import Consumer, Pair
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Lever, Login, Probe
from rotator.domain.timing import Timing
from rotator.domain.words import Outcome, Phase
from rotator.ports import Clock, Logins, Salesforce

T = TypeVar("T")
Progress = Callable[[str, float], None]  # told what is being done, and how many seconds it may still take

TRIES = 8  # of a call to an org that is busy or away
LONGEST_WAIT = 60.0  # seconds between two tries
SHORTEST_LIFE = 55.0  # seconds: the shortest policy for self-contained tokens is a minute (reference 1)
AGONY = (0.0, 5.0, 10.0, 15.0)  # seconds between the tries of a token that should die
BREATH = 2.0  # seconds of one sleep: the lease is kept, and the rest of the time is told


@dataclass(frozen=True, slots=True)
class Token:
    """A token of ours, and when it was minted by our clock."""

    value: Secret
    minted: float


class Org(Salesforce, Protocol):
    """The port, and two things that only a look at a whole org needs."""

    @property
    def user_id(self) -> str: ...

    def classic_staging(self) -> bool | None: ...


@dataclass
class Lab:
    """One calibration at work on one consumer.

    record: writes a row of the trail. keep: keeps the lease, at once or when it is due; raises Stale where it is gone.
    stopped: whether somebody
    asked us to stop. publish: writes a pair to the app's live path, where the configuration has one; before a promote.
    """

    org: Org
    consumer: Consumer
    clock: Clock
    logins: Logins
    timing: Timing
    probe: str
    record: Callable[[Event], None]
    keep: Callable[[bool], None]
    stopped: Callable[[], bool]
    progress: Progress
    publish: Callable[[Pair], None] | None = None
    user_id: str = ""  # the run-as user, from the first login
    ahead: int = 0  # waits of up to `propagation` that are still to come
    ours: set[str] = field(default_factory=set)  # fingerprints of pairs that passed through our hands
    minting: bool = False  # a POST has no clear answer: one pair in the slot may be ours
    closing: bool = False  # cleaning up: a request to stop is no longer heard
    _kept: set[Secret] = field(default_factory=set)

    @property
    def most(self) -> float:
        """How long a change is watched at most, in seconds: `propagation`."""
        return self.timing.propagation.total_seconds()

    # --- the trail

    def note(self, phase: Phase, outcome: Outcome | None = None, error: RotatorError | None = None, /,
             **evidence: object) -> None:
        """A row about this consumer; an intent only where the lease is ours at that moment."""
        if phase is Phase.INTENT:
            self.keep(True)
        told = {"consumer_id": self.consumer.consumer_id, **evidence}
        self.record(Event("calibrate", phase, outcome, error=error.message if error else "", evidence=told,
                          http_status=error.http_status if error else None, request_id=self.org.request_id))

    # --- patience

    def wait(self, seconds: float, doing: str) -> None:
        """Waits in short breaths. Raises Unavailable (`stopped`) where somebody asks us to stop."""
        end = self.clock.monotonic() + seconds
        while True:
            self._check()
            left = end - self.clock.monotonic()
            if left <= 0 or self.stopped():  # a stop ends every sleep at once: there is no waiting any more
                return
            self.progress(doing, left + self.ahead * self.most)
            self.clock.sleep(min(BREATH, left))

    def patient(self, call: Callable[[], T], doing: str,
                again_after: tuple[type[RotatorError], ...] = (Unavailable, OutcomeUnknown)) -> T:
        """A call that may be repeated, tried again while the org is busy or away. Raises what it raises in the end.
        again_after: of a change that must not be repeated blindly, Unavailable alone."""
        for again in range(TRIES - 1):
            self._check()
            try:
                return call()
            except again_after as error:
                pause = error.retry_after or 2.0**again * (0.5 + self.clock.jitter())
                self.wait(min(LONGEST_WAIT, pause), f"{doing}: {error.message}")
        return call()

    def settle(self) -> None:
        """After an unknown outcome: a late call may still land."""
        self.wait(self.timing.settle.total_seconds(), "a call got no clear answer: waits for it to land")

    def _check(self) -> None:
        self.keep(False)
        if self.stopped() and not self.closing:
            raise Unavailable("stopped half-way", code="stopped", fix="run it again: it cleans up and begins anew")

    # --- logins

    def login(self, pair: Pair) -> Login:
        """A token request. Its token is ended at once, unless it is one that is kept."""
        told = self.held_login(pair, keep=False)
        if told.token is not None and told.token not in self._kept:
            self.end_token(told.token)
        return told

    def held_login(self, pair: Pair, *, keep: bool = True) -> Login:
        """The same; the token lives until it is ended."""

        def ask() -> Login:
            self.logins.ask(self.consumer, forced=False)
            return self.org.login(pair)

        told = self.patient(ask, "asks for a token")
        self.user_id = told.user_id or self.user_id
        if keep and told.token is not None:
            self._kept.add(told.token)
        return told

    def token(self, pair: Pair) -> Token:
        """A token that is alive, and is kept; asked for until the pair is accepted. Raises Refused where it is not
        within `propagation`."""
        began = self.clock.monotonic()
        for moment in moments(self.most):
            self.wait(began + moment - self.clock.monotonic(), "waits for a token")
            told = self.held_login(pair)
            if told.token is not None and self.alive(told.token):
                return Token(told.token, self.clock.monotonic())
        raise Refused("a pair that should be accepted gives no token that works", code="no_token")

    def dies(self, token: Token) -> bool:
        """Whether it dies within a while. Raises Unintelligible where it may have expired by itself."""
        for pause in AGONY:
            self.wait(min(pause, self.most), "is the token dead?")
            if not self.alive(token.value):
                if not self.young(token):
                    raise Unintelligible("a token died, but it was old enough to have expired", code="expired")
                return True
        return False

    def young(self, token: Token) -> bool:
        """Too young to have expired by itself: no policy of an org lets a token live for less than a minute."""
        return self.clock.monotonic() - token.minted < SHORTEST_LIFE

    def alive(self, token: Secret) -> bool:
        """One real call with a token."""
        return self.patient(lambda: self.org.probe(token, self.probe), "tries a token") is Probe.ALIVE

    def end_token(self, token: Secret) -> None:
        """POST revoke, which takes an access token as well as a DeleteToken (reference section 2)."""
        self._kept.discard(token)
        grant = Grant(Lever.OAUTHTOKEN, "a token of ours", token, self.user_id, None)
        self.patient(lambda: self.org.end(self.consumer, grant), "ends a token")

    def end_kept(self) -> None:
        """Ends every token that is kept."""
        for token in tuple(self._kept):
            self.end_token(token)

    # --- looks over time

    def watch(self, pair: Pair, since: float, *, accepted: bool, doing: str, control: Pair | None = None) -> Series:
        """Looks at whether a pair is accepted, from the change at `since` on, until it is steadily as expected, or
        `propagation` is over. accepted: what is expected. control: a pair that must be accepted beside a refusal."""
        series = Series()
        for moment in moments(self.most):
            self.wait(since + moment - self.clock.monotonic(), doing)
            series = Series((*series.looks, self._look(pair, since, accepted, control)))
            long_enough = series.looks[-1].after >= min(self.most, LEAST)
            if long_enough and len(series.run(accepted)) >= STEADY and series.settled(accepted):
                break
        self.note(Phase.OBSERVE, Outcome.OK, act="watch", of=doing, seen=series.words)
        return series

    def _look(self, pair: Pair, since: float, expected: bool, control: Pair | None) -> Look:
        """One burst, which ends at the first answer that is not as expected: refusals are dear (reference 7)."""
        answers = [self.login(pair).accepted]
        while answers[-1] is expected and len(answers) < BURST:
            answers.append(self.login(pair).accepted)
        after = self.clock.monotonic() - since
        beside = self.login(control).accepted if control is not None and not all(answers) else None
        return Look(after, sum(answers), len(answers) - sum(answers), beside)


def rounded(seconds: float) -> timedelta:
    """Up to the whole second."""
    return timedelta(seconds=-int(-seconds // 1))
