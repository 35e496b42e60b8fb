"""The daemon's life: ready, at work, reloaded, stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain

from rotator import log
from rotator.daemon.board import Board
from rotator.daemon.breakers import Breakers
from rotator.daemon.desk import Desk, Door
from rotator.daemon.gate import Gate, watch
from rotator.daemon.mailroom import Mailroom
from rotator.daemon.office import Office
from rotator.daemon.pool import Pool
from rotator.daemon.sd_notify import SdNotify
from rotator.daemon.setbacks import Setbacks
from rotator.daemon.telling import line
from rotator.daemon.ticks import Ticks
from rotator.daemon.trouble import Trouble
from rotator.domain.errors import ConfigError, LedgerUnavailable, OtherHost, RotatorError
from rotator.domain.rotation import Rotation
from rotator.metrics.meters import Meters
from rotator.ports import Clock
from rotator.process import GRACE, Hangup, Stop
from rotator.wiring.measuring import Page
from rotator.wiring.outside import Outside
from rotator.wiring.refusing import note_reload

LOG = log.get("daemon")
WORKERS = 8
PER_ORG = 4  # Salesforce counts calls and logins per org; a quarter of its usual 25 long requests is left to others
LATE = 20.0  # seconds: the patience with a database, and more


class Service:
    """`hire` reads the configuration and opens what it leads to; it raises what is wrong with it. `meters` counts what
    is done; they and the breakers outlive a reload. `door` makes the way in for people, for the first configuration."""

    def __init__(self, hire: Callable[[Outside], Office], stop: Stop, clock: Clock, env: Mapping[str, str],
                 meters: Meters, door: Callable[[Office], Door]) -> None:
        self._stop, self._clock, self._meters = stop, clock, meters
        self._page = Page(meters)
        breakers = Breakers(clock.monotonic, clock.jitter)
        self._gate = Gate(breakers, lambda: self._office.connections)
        self._hire = partial(hire, watch(clock, meters, breakers, self._gate))
        self._systemd = SdNotify(env)
        self._setbacks = Setbacks(clock.monotonic, clock.jitter)
        self._board = Board(PER_ORG, clock.monotonic, self._gate.lets)
        trouble = Trouble(lambda notices: self._office.connections.outbox.tell(notices), clock.monotonic)
        self._pool = Pool(self._board, self._setbacks, WORKERS, self._break, meters, trouble)
        self._mailroom = Mailroom(clock.monotonic)
        self._ticks = Ticks(self.tick)
        self._ticking = threading.Lock()  # a reload and a tick exclude each other
        self._left: list[Office] = []  # offices of older configurations, closed when their last turn is over
        self._office = self._hire()
        self._down, self._code = False, 0
        self._ticked = clock.monotonic()
        self._open: Sequence[Rotation] = ()  # as the last look saw it
        self._desk = Desk(self._board, lambda: self._office, clock, self._idle, self._late, self.metrics)
        self._door = door(self._office)

    def run(self, hangup: Hangup) -> int:
        """Works until a stop is asked for; gives the exit code: 0, 3 where a promise of the protocol is broken, 2 where
        another machine uses our database.

        Raises what the first look at the database raises, or the sockets: a daemon that cannot begin says so at once.
        """
        self._look(first=True)
        self._door.open(self._desk)
        self._pool.start()
        self._mailroom.open(self._office.connections)
        self._ticks.start(self._pace())
        LOG.info(log.Word.READY, count=len(self._office.connections.apps))
        self._systemd.tell(READY=1, STATUS=self._status())
        self.tick()
        while not self._stop.wait(0.5):
            if hangup.taken():
                self.reload()
            if self._idle() > self._late():
                self._ticks.pace(self._pace())  # the wall clock, by which the scheduler goes, was set back
                self._ticked = self._clock.monotonic()
        return self._end()

    def tick(self) -> None:
        """Looks for what is due and offers it. Never raises; whoever ticks is told by the watchdog's beat that it came
        to its end, whatever the end was: a database that is down is not mended by killing the daemon."""
        try:
            with self._ticking:
                self._look()
                self._office.hourly.beat()
            self._database(None)
            self._meters.tick("ok")
        except LedgerUnavailable as error:
            self._database(error)
            self._meters.tick("database_down")
        except OtherHost as error:
            _crashed(error)
            self._break(error)
            self._meters.tick("crashed")
        except Exception as error:  # a defect: the next tick may be better, and the apps in hand go on
            _crashed(error)
            self._meters.tick("crashed")
        self._ticked = self._clock.monotonic()
        self._systemd.tell(WATCHDOG=1, STATUS=self._status())

    def metrics(self) -> tuple[bytes, str]:
        """The page of `/metrics`, and its content type."""
        return self._page.render(self._office.connections)

    def reload(self) -> None:
        """Reads the configuration again. A wrong one is refused, and the old one stays."""
        self._systemd.tell(RELOADING=1, MONOTONIC_USEC=round(self._clock.monotonic() * 1_000_000))
        try:
            office = self._hire()
            office.look()
        except RotatorError as error:
            _refuse(error, self._office)
        else:
            with self._ticking:
                self._left.append(self._office)
                self._office = office
                self._board.clear()
                self._setbacks.forget()
            self._mailroom.open(office.connections)
            self._ticks.pace(self._pace())
            self.tick()
        self._systemd.tell(READY=1, STATUS=self._status())

    def _look(self, *, first: bool = False) -> None:
        if self._left and not self._board.busy_with_old() and not any(office.lent for office in self._left):
            while self._left:
                self._left.pop().connections.close()
        office = self._office
        seen, known = office.look(), self._board.keys()
        self._open = seen.open
        for job in office.open_jobs(seen, known):
            if not self._setbacks.bars(job.key):
                self._board.offer(job, first=first)
        if first:
            return  # what is due is reckoned once we are ready: with thousands of apps that takes a while
        for job in chain(office.approved_jobs(known), office.due_jobs(seen, known), office.sweep_jobs(seen, known)):
            if not self._setbacks.bars(job.key):
                self._board.offer(job)

    def _idle(self) -> float:
        """Seconds since the last tick."""
        return self._clock.monotonic() - self._ticked

    def _late(self) -> float:
        """Seconds after which a tick is missed."""
        return LATE + 3 * self._pace()

    def _pace(self) -> float:
        """Seconds between two ticks: as configured, and often enough for the watchdog."""
        tick = self._office.connections.config.timing.tick.total_seconds()
        return min(tick, self._systemd.watchdog / 3) if self._systemd.watchdog else tick

    def _database(self, error: LedgerUnavailable | None) -> None:
        if error is not None and not self._down:
            LOG.error(log.Word.DATABASE_DOWN, error=error)
        elif error is None and self._down:
            LOG.info(log.Word.DATABASE_BACK)
        self._down = error is not None

    def _break(self, error: RotatorError) -> None:
        self._code = self._code or error.exit_code
        self._stop.request()

    def _end(self) -> int:
        """Parks what is in hand at its next safe point."""
        LOG.info(log.Word.STOPPING, signal=self._stop.signal, count=self._board.busy())
        self._systemd.tell(STOPPING=1, STATUS="parking what is in hand")
        self._board.close()
        self._ticks.stop()
        done = self._pool.join(GRACE)
        self._mailroom.close()
        self._door.close()  # whoever waits is told how far it came
        LOG.info(log.Word.STOPPED, count=0 if done else self._board.busy())
        return self._code

    def _status(self) -> str:
        if self._down:
            return "the database does not answer; trying again"
        office, hands = self._office, len(self._board.keys())
        return line(len(office.connections.apps), hands, self._board.busy(), office.standings(), self._open)


def _crashed(error: Exception) -> None:
    LOG.error(log.Word.SET_BACK if isinstance(error, RotatorError) else log.Word.CRASHED, error=error)


def _refuse(error: RotatorError, office: Office) -> None:
    """Says each mistake, and leaves a row in the trail; the old configuration, which is this office's, stays."""
    LOG.error(log.Word.CONFIG_REFUSED, error=error)
    for mistake in error.mistakes if isinstance(error, ConfigError) else ():
        LOG.error(log.Word.CONFIG_REFUSED, file=mistake.file, line=mistake.line, key=mistake.key,
                  message=mistake.message)  # fmt: skip
    try:
        note_reload(office.connections, office.who, error)
    except RotatorError as unwritten:  # nothing was changed, so nothing has to wait for the row
        _crashed(unwritten)
