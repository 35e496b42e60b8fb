"""Many due apps, several daemons on one PostgreSQL, and whatever may happen to them: each rotated once, none lost."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.scene import until
from tests.daemon.fleet import Running, daemon
from tests.scale.ground import Crowd, ground
from tests.servers.raft import VaultCluster

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.timeout(7200)]
QUIET = {"WATCHDOG_USEC": ""}  # nobody kills what is frozen
LEASE, PAST = "4s", 6.0  # and seconds past it
KEEP = 'sessions = "keep"'  # fewer calls: the sessions have their own proofs
PER_APP = 30.0  # seconds at most, on a machine with much else to do


def sizes(large: int, small: int) -> pytest.MarkDecorator:
    """The proof, and a sample of it for `make check`."""
    return pytest.mark.parametrize("apps", [
        pytest.param(large, marks=pytest.mark.exhaustive, id="all"), pytest.param(small, id="sample")])  # fmt: skip


class Daemons:
    """Some daemons at work, each of which may be killed, frozen, and followed by another."""

    def __init__(self, crowd: Crowd, count: int, stack: ExitStack) -> None:
        self._crowd, self._stack, self._born = crowd, stack, 0
        self.running = [self._start() for _ in range(count)]
        self._frozen: Running | None = None

    def _start(self) -> Running:
        self._born += 1
        return self._stack.enter_context(daemon(self._crowd, f"d{self._born}", QUIET))

    def kill(self, at: int) -> None:
        """SIGKILL; another takes its place."""
        self.running[at].signal(signal.SIGKILL)
        self.running[at].process.wait(30)
        self.running[at] = self._start()

    def freeze(self, at: int) -> None:
        """SIGSTOP past its leases, then it goes on."""
        self.running[at].signal(signal.SIGSTOP)
        time.sleep(PAST)
        self.running[at].signal(signal.SIGCONT)

    def stop(self) -> list[int]:
        """SIGTERM to all; the exit codes."""
        return [one.stop() for one in self.running]


@contextmanager
def daemons(crowd: Crowd, count: int) -> Iterator[Daemons]:
    """So many, on this crowd."""
    with ExitStack() as stack:
        yield Daemons(crowd, count, stack)


def through(crowd: Crowd, mishaps: Sequence[Callable[[], None]], every: float, seed: int = 7) -> int:
    """Plays one mishap after the other, drawn, until every app is rotated, and one at least; gives how many."""
    chance, played = random.Random(seed), 0
    end = time.monotonic() + 120 + PER_APP * len(crowd.names)
    while not (played and crowd.settled()):
        assert time.monotonic() < end, crowd.states()
        time.sleep(every * (0.5 + chance.random()))
        chance.choice(mishaps)()
        played += 1
    return played


def calm(crowd: Crowd) -> None:
    """Waits until every app is rotated."""
    until(crowd.settled, 120 + PER_APP * len(crowd.names))


@pytest.mark.parametrize(("apps", "count"), [
    pytest.param(2000, 2, marks=pytest.mark.exhaustive), pytest.param(2000, 3, marks=pytest.mark.exhaustive),
    pytest.param(14, 3, id="sample"),
])  # fmt: skip
def test_several_daemons_rotate_each_due_app_once(tmp_path: Path, apps: int, count: int) -> None:
    """All begin at once on one PostgreSQL: by the trail, by the org's own record and by the live paths each app was
    rotated exactly once; every daemon had a share; the trail is whole."""
    with ground(tmp_path, apps, lease=LEASE, every_app=KEEP) as (crowd, _), daemons(crowd, count) as running:
        calm(crowd)
        assert running.stop() == [0] * count
        crowd.each_once()
        assert all(one.lines("step") for one in running.running)
        crowd.whole()


@sizes(400, 12)
def test_daemons_killed_and_frozen_at_random_rotate_each_app_once(tmp_path: Path, apps: int) -> None:
    """SIGKILL, and SIGSTOP past the lease, to one of three daemons after the other, at random moments: still once each,
    and none lost."""
    with ground(tmp_path, apps, lease=LEASE, every_app=KEEP) as (crowd, _), daemons(crowd, 3) as running:
        acts = [lambda at=at, act=act: act(at) for at in range(3) for act in (running.kill, running.freeze)]
        through(crowd, acts, every=2.0)
        assert running.stop() == [0, 0, 0]
        crowd.each_once()
        crowd.whole()


@sizes(500, 8)
def test_a_postgresql_that_restarts_every_few_seconds_loses_nothing(tmp_path: Path, apps: int) -> None:
    """Stopped as an operator does, or ended without warning, while two daemons rotate: all converge, each app rotated
    once, and the trail is whole."""
    with ground(tmp_path, apps, lease=LEASE, every_app=KEEP) as (crowd, server), daemons(crowd, 2) as running:

        def bounce(down: Callable[[], None]) -> Callable[[], None]:
            def act() -> None:
                down()
                time.sleep(1.0)
                server.up()

            return act

        assert through(crowd, [bounce(server.down), bounce(server.crash)], every=4.0)
        assert running.stop() == [0, 0]
        crowd.each_once()
        crowd.whole()


@pytest.mark.exhaustive
@pytest.mark.needs("vault")
def test_a_vault_that_is_sealed_again_and_again_is_waited_for(tmp_path: Path) -> None:
    """HashiCorp's own, sealed for some seconds at random moments: all converge, each app rotated once."""
    with ground(tmp_path, 60, vault=1, lease=LEASE, every_app=KEEP) as (crowd, _), daemons(crowd, 2) as running:
        vault = crowd.real
        assert vault is not None

        def seal() -> None:
            vault.seal()
            time.sleep(2.0)
            vault.unseal()

        through(crowd, [seal], every=3.0)
        assert running.stop() == [0, 0]
        crowd.each_once()


@pytest.mark.exhaustive
@pytest.mark.needs("vault")
def test_a_vault_whose_leader_dies_is_followed_to_the_next(tmp_path: Path) -> None:
    """Three nodes on raft, all three in the configuration; the active one is killed, an election follows, the dead one
    comes back: all converge, each app rotated once, and none is held."""
    with ground(tmp_path, 30, vault=3, lease=LEASE, every_app=KEEP) as (crowd, _), daemons(crowd, 2) as running:
        vault = crowd.real
        assert isinstance(vault, VaultCluster)

        def behead() -> None:
            node = vault.active()
            node.kill()
            vault.active()
            node.again()
            vault.wait_whole()

        through(crowd, [behead], every=4.0)
        assert running.stop() == [0, 0]
        crowd.each_once()


@pytest.mark.exhaustive
def test_orgs_that_are_down_for_a_while_are_waited_for(tmp_path: Path) -> None:
    """Every connection to the orgs is dropped for some seconds, three times, once of them after the request took
    effect: when they are back all converge, each app rotated once. (A POST whose answer is lost three times is held, as
    the protocol has it: so often it is not lost here.)"""
    with ground(tmp_path, 60, lease=LEASE, every_app=KEEP) as (crowd, _), daemons(crowd, 2) as running:

        for kind in ("before", "after", "before"):
            time.sleep(4.0)
            crowd.door("POST", "/faults", {"kind": kind, "match": {"site": "org"}, "every": 1})
            time.sleep(3.0)
            crowd.door("DELETE", "/faults")
        calm(crowd)
        assert running.stop() == [0, 0]
        crowd.each_once()
