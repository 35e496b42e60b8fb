"""Which routine work may begin now: by the breakers, the org's count of its API requests, and our own logins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rotator.adapters.answer import Exchange
from rotator.daemon.breakers import Breaker, Breakers
from rotator.metrics.meters import Meters
from rotator.ports import Clock
from rotator.wiring.connections import Connections
from rotator.wiring.limits import too_much
from rotator.wiring.measuring import hears
from rotator.wiring.outside import OWN, Bar, Outside, Spent, in_words

VAULT = ""


class Gate:
    """Asked by the board before a job is given out. `connections`: those of the configuration at work."""

    def __init__(self, breakers: Breakers, connections: Callable[[], Connections]) -> None:
        self._breakers, self._connections = breakers, connections

    def lets(self, org: str, busy: int, busy_everywhere: int) -> bool:
        """Whether a routine job of this org may be taken in hand; so many are. Half open: one at a time."""
        if self.bar(org) is not None:
            return False
        half = Breaker.HALF_OPEN
        if self._breakers.state(VAULT) is half:
            return busy_everywhere == 0
        return busy == 0 if self._breakers.state(org) is half or self._stale(org) else True

    def bar(self, org: str) -> Bar | None:
        """Why routine work of this org waits; None where it does not. No step needs Vault less than another: each
        begins with a look at the live path (protocol section 4)."""
        return next(self._bars(org), None)

    def _bars(self, org: str) -> Iterator[Bar]:
        for side, name in ((VAULT, "Vault"), (org, f"the org {org}")):
            if self._breakers.state(side) is Breaker.OPEN:
                left = self._breakers.left(side)
                yield Bar("breaker_open", f"{name} does not answer; next try in {in_words(left)}", left)
        connections = self._connections()
        limits, outside = connections.config.limits, connections.outside
        found = too_much(connections, org)
        if found is not None and found.seconds > 0:
            yield found
        wait = outside.spent.wait(org, OWN, limits.own_logins_per_hour)
        if wait > 0:
            yield Bar("logins_spent", f"the rotator logged in to {org} {limits.own_logins_per_hour} times within an "
                      f"hour; goes on in {in_words(wait)}", wait)

    def _stale(self, org: str) -> bool:
        """The org's count was too high when it was last read, and that is long ago: one job will tell."""
        return too_much(self._connections(), org) is not None


def watch(clock: Clock, meters: Meters, breakers: Breakers, gate: Gate) -> Outside:
    """What a daemon hands to each of its Connections: all that they hear is counted, and moves the breakers."""
    count = hears(meters)

    def heard(side: str, call: Exchange) -> None:
        count(side, call)
        breakers.heard(side, call)

    def over_budget(org: str) -> None:
        meters.forced_over_budget.labels(org).inc()

    return Outside(Spent(clock.monotonic), heard, gate.bar, breakers.state, over_budget)
