"""`python -m tools.soak [SECONDS]`: twenty apps, a rotation every few seconds, two daemons, chaos on.

Prints what the one that is never killed holds, over time, and says whether that is flat; exit 1 where it is not, or
where something was lost.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.acceptance.scene import until
from tests.daemon.fleet import Running, daemon
from tests.scale.ground import Crowd, ground
from tests.servers.postgres import OwnPostgres
from tools.soak.chaos import Chaos, Victim
from tools.soak.measured import Sample, courses, sample

USUAL = 600.0  # seconds
LOOK, MISHAP, LINE = 5.0, 20.0, 60.0  # seconds between two samples, two mishaps, two lines
CALM = 240.0  # seconds in which all must be well again in the end
APPS = 'schedule = { every = "80s", jitter = "0s", min_interval = "10s" }'


def main() -> int:
    """Soaks, prints, judges."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] else USUAL
    with (
        tempfile.TemporaryDirectory(prefix="rotator-soak-") as place,
        ground(Path(place), 20, vault=1, lease="4s", every_app=APPS) as (crowd, server),
    ):
        return soak(crowd, server, seconds)


def soak(crowd: Crowd, server: OwnPostgres, seconds: float) -> int:
    """Gives the exit code."""
    with daemon(crowd, "watched", {"WATCHDOG_USEC": ""}) as watched:
        watched.ready()
        victim = Victim(crowd)
        chaos = Chaos(crowd, server, victim, seed=7)
        chaos.trouble()
        samples = run(crowd, watched, chaos, seconds)
        chaos.calm()
        left = settle(crowd)
        codes = (watched.stop(), victim.end())
    return judge(crowd, samples, codes, left)


def run(crowd: Crowd, watched: Running, chaos: Chaos, seconds: float) -> list[Sample]:
    """One mishap after the other until the time is over. Gives what the watched daemon held."""
    begun = time.monotonic()
    samples: list[Sample] = []
    line, mishap = LINE, MISHAP
    while (at := time.monotonic() - begun) < seconds:
        samples.append(sample(watched.process.pid, at))
        if at >= line:
            say(f"{told(samples[-1])}; {rotations(crowd)}; {dict(chaos.played)}")
            crowd.door("DELETE", "/history")
            line += LINE
        if at >= mishap:
            chaos.next()
            mishap += MISHAP
        time.sleep(max(0.0, LOOK - (time.monotonic() - begun - at)))
    say(f"{told(samples[-1])}; {rotations(crowd)}; {dict(chaos.played)}")
    return samples


def settle(crowd: Crowd) -> str:
    """Waits until nothing is open but what works on; gives the states that stay, in words."""
    with suppress(AssertionError):  # told below
        until(lambda: not set(crowd.states()) - {"done", "running", "unproven", "abandoned", "failed"}, CALM)
    return ", ".join(f"{count} {state}" for state, count in sorted(crowd.states().items()))


def rotations(crowd: Crowd) -> str:
    """How many rotations stand how; a database that is just down is no news."""
    try:
        return ", ".join(f"{count} {state}" for state, count in sorted(crowd.states().items()))
    except psycopg.OperationalError:
        return "the database is down"


def told(one: Sample) -> str:
    """One sample, in words."""
    return f"{one.at:6.0f} s: {one.memory_mb:.1f} MB, {one.descriptors} descriptors, {one.threads} threads"


def judge(crowd: Crowd, samples: list[Sample], codes: tuple[int, int], left: str) -> int:
    """Says what was found. The exit code: 0 where all is flat and nothing was lost."""
    found = courses(samples)
    rows = crowd.whole()["rows"]
    held = crowd.ask("SELECT app, reason, message FROM rotations WHERE state = 'held'")
    say(f"in the end: {left}; held {held}; exit codes {codes}; the trail is whole, {rows} rows")
    for course in found:
        say(str(course))
    good = all(course.flat for course in found) and codes == (0, 0) and not held
    say("ok" if good else "NOT ok")
    return 0 if good else 1


def say(text: str) -> None:
    """One line, at once."""
    print(f"soak: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
