"""The commands a person or a CI types: Makefile, setup, .ci/run."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.project.files import ROOT
from tests.servers.suites import SUITES

MAKEFILE = (ROOT / "Makefile").read_text()
CI = (ROOT / ".ci" / "run").read_text()


def test_make_help_lists_every_target() -> None:
    """Whoever types `make help` sees all there is, each with what it does; bare `make` does the same."""
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\S+) +\S.*$", done.stdout, re.M)
    assert sorted(listed) == sorted(phony.split())
    assert subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout == done.stdout


def test_the_contracts_targets_are_there() -> None:
    """The names that others rely on."""
    for target in ("demo", "test", "check", "vault", "bench", "help"):
        assert re.search(rf"^{target}:", MAKEFILE, re.M), target


def test_check_and_ci_leave_no_suite_out() -> None:
    """Every suite that can be left out is required by `make check` and by .ci/run; by .ci/run alone what needs root: a
    small disk, and a booted Debian, for which it runs `make test-systemd`."""
    (by_check,) = re.findall(r"^CHECK_REQUIRE := (\S+)$", MAKEFILE, re.M)
    (by_ci,) = re.findall(r"^REQUIRE=(\S+) exec make check$", CI, re.M)
    assert set(by_ci.split(",")) == set(SUITES) - {"nspawn"}
    assert set(by_check.split(",")) == set(SUITES) - {"nspawn", "disk"}
    assert re.search(r"^REQUIRE=nspawn make test-systemd$", CI, re.M)


@pytest.mark.parametrize("script", ["setup", ".ci/run"])
def test_the_scripts_are_executable_plain_shell(script: str) -> None:
    """Both run under sh, as they stand, and stop at the first failure."""
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert path.read_text().startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in path.read_text()
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
