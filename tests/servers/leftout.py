"""No silent skip: what cannot run here is left out by name, and what REQUIRE names must run.

A test tells its needs by the fixtures it asks for or by `@pytest.mark.needs("node")`. Where a need cannot be had, the
test is deselected and the last line of the run says so. A suite named in REQUIRE fails the run when it cannot be had,
when no test of it ran, and any skipped test fails a run that has REQUIRE.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from tests.servers.suites import FIXTURES, SUITES, Found, Missing


@cache
def finding(suite: str) -> Found | Missing:
    """Looks once per process whether the suite's server or tool is at hand."""
    return SUITES[suite](os.environ)


@dataclass
class Tally:
    """What a run left out and what it ran, per suite; added up over the workers of xdist."""

    left_out: dict[str, str] = field(default_factory=dict)
    left_out_tests: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    skipped: int = 0

    def line(self) -> str:
        """The last line of a run."""
        if not self.left_out:
            return "left out: nothing"
        return "left out: " + ", ".join(
            f"{suite} ({self.left_out_tests[suite]} tests: {why})" for suite, why in sorted(self.left_out.items())
        )

    def failures(self, require: str) -> list[str]:
        """What REQUIRE turns into a failure, each with its reason."""
        wanted = [name.strip() for name in require.split(",") if name.strip()]
        known = ", ".join(SUITES)
        told = [f"REQUIRE={name}: no such suite; there are {known}" for name in wanted if name not in SUITES]
        for name in wanted:
            if name in self.left_out:
                told.append(f"REQUIRE={name}: {self.left_out[name]}")
            elif name in SUITES and not self.chosen[name]:
                told.append(f"REQUIRE={name}: no test of this run needs it, so nothing was proven with it")
        if wanted and self.skipped:
            told.append(f"REQUIRE: {self.skipped} tests were skipped, and a skip proves nothing")
        return told


def needs_of(item: pytest.Item) -> Iterator[str]:
    """Gives the suites that a test needs, by its marks and by its fixtures."""
    for mark in item.iter_markers("needs"):
        yield from mark.args
    for name in getattr(item, "fixturenames", ()):
        if name in FIXTURES:
            yield FIXTURES[name]


class LeaveOut:
    """The plugin: counts on each worker, adds up and speaks on the controller."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.require = env.get("REQUIRE", "")
        self.tally = Tally()
        self.told: list[str] = []

    # After all other plugins: what -k or -m threw out needs nothing.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        keep: list[pytest.Item] = []
        out: list[pytest.Item] = []
        for item in items:
            (keep if self.can_run(item) else out).append(item)
        if out:
            config.hook.pytest_deselected(items=out)
            items[:] = keep

    def can_run(self, item: pytest.Item) -> bool:
        """Counts the test as chosen or as left out, and tells which."""
        suites = sorted(set(needs_of(item)))
        unknown = [suite for suite in suites if suite not in SUITES]
        if unknown:
            raise pytest.UsageError(f"{item.nodeid} needs {unknown}; tests/servers/suites.py knows {', '.join(SUITES)}")
        missing = [(suite, found) for suite in suites if isinstance(found := finding(suite), Missing)]
        for suite, found in missing:
            self.tally.left_out[suite] = found.why
            self.tally.left_out_tests[suite] += 1
        if not missing:
            self.tally.chosen.update(suites)
        return not missing

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # An expected failure also reports as skipped, but it did run.
        if report.skipped and not hasattr(report, "wasxfail"):
            self.tally.skipped += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker of xdist ended: every worker collects all tests, so any one of them has the whole count."""
        sent = getattr(node, "workeroutput", {}).get("left_out")
        if sent:
            self.tally.left_out = dict(sent["left_out"])
            self.tally.left_out_tests = Counter(sent["left_out_tests"])
            self.tally.chosen = Counter(sent["chosen"])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["left_out"] = {
                "left_out": self.tally.left_out,
                "left_out_tests": dict(self.tally.left_out_tests),
                "chosen": dict(self.tally.chosen),
            }
            return
        if session.config.option.collectonly:
            return
        self.told = self.tally.failures(self.require)
        if self.told and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or hasattr(config, "workerinput"):
            return
        for line in (*self.told, self.tally.line()):
            reporter.write_line(line)
