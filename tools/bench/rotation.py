"""One rotation in a process of its own, timed without its waits: `python -m tools.bench.rotation CONFIG`."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from rotator.config import load
from rotator.process import Stop, SystemClock, harden
from rotator.wiring.asking import owner, who
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Patience, Setting
from rotator.wiring.rotate import Wish, rotate
from rotator.wiring.settings import timing_of
from tools.bench.scene import APP

LIMIT_S = 120.0


class CountingClock:
    """The system's clock, which adds up how long it slept."""

    def __init__(self, inner: SystemClock) -> None:
        self._inner = inner
        self.slept = 0.0

    def monotonic(self) -> float:
        return self._inner.monotonic()

    def jitter(self) -> float:
        return self._inner.jitter()

    def sleep(self, seconds: float) -> None:
        begun = time.perf_counter()
        self._inner.sleep(seconds)
        self.slept += time.perf_counter() - begun


def main(config: Path) -> None:
    """Rotates as the command line does, from reading the configuration to closing the last connection."""
    harden()
    clock = CountingClock(SystemClock(Stop()))
    begun = time.perf_counter()
    connections = Connections(load(config, os.environ), clock, host=socket.gethostname(), version="bench")
    timing = connections.config.timing
    patience = Patience(clock, end=clock.monotonic() + LIMIT_S)
    setting = Setting(timing_of(timing), timing.poll, owner(), patience)
    (errand,) = rotate(connections, setting, [APP], Wish(who(os.environ)))
    connections.close()
    total = time.perf_counter() - begun
    state = errand.row.state if errand.row else str(errand.error)
    print(json.dumps({"state": state, "rotation_s": total - clock.slept, "waited_s": clock.slept}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
