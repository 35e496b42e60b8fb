"""A suite that cannot run is named, and REQUIRE makes it a failure: no skip passes as success."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.project.files import ROOT
from tests.servers import suites
from tests.servers.leftout import Tally


def run_vault_tests(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the Vault helpers' own tests on a machine whose Vault is broken."""
    gone = {"ROTATOR_TEST_VAULT": "gone/vault", "REQUIRE": "", **env}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *arguments,
            "tests/servers/test_real_vault.py",
        ],
        cwd=ROOT,
        env={**os.environ, **gone},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_cannot_be_had_is_named_in_the_last_line(workers: tuple[str, ...]) -> None:
    """Without a Vault its tests are left out by name, alone and under xdist."""
    done = run_vault_tests(*workers)
    assert done.stdout.splitlines()[-1] == "left out: vault (6 tests: ROTATOR_TEST_VAULT=gone/vault is no file)"
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_require_makes_a_missing_suite_a_failure(workers: tuple[str, ...]) -> None:
    """With REQUIRE=vault the same run fails and says why, alone and under xdist."""
    done = run_vault_tests(*workers, REQUIRE="vault")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "REQUIRE=vault: ROTATOR_TEST_VAULT=gone/vault is no file" in done.stdout


def test_a_required_suite_without_a_single_test_is_a_failure() -> None:
    """A suite whose tests were all lost does not count as proven."""
    assert Tally(chosen=Counter(vault=3)).failures("vault") == []
    assert "no test of this run needs it" in Tally().failures("vault")[0]


def test_a_skip_fails_a_run_that_requires_anything() -> None:
    """Even a test that skips itself by hand cannot pass as success in `make check`."""
    tally = Tally(chosen=Counter(vault=3), skipped=1)
    assert tally.failures("") == []
    assert "1 tests were skipped" in tally.failures("vault")[0]


def test_an_unknown_suite_name_is_a_failure() -> None:
    """A misspelt REQUIRE does not quietly require nothing."""
    assert "no such suite" in Tally().failures("valt")[0]


def test_every_suite_is_looked_for_where_the_contract_says(tmp_path: Path) -> None:
    """Variables come first, then the PATH; an empty machine has neither Vault nor Node."""
    binary = tmp_path / "vault"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    bare = {"PATH": "", "HOME": str(tmp_path)}
    assert suites.find_vault({**bare, "ROTATOR_TEST_VAULT": str(binary)}) == suites.Found(str(binary))
    assert suites.find_vault({**bare, "PATH": str(tmp_path)}) == suites.Found(str(binary))
    assert isinstance(suites.find_vault(bare), suites.Missing)
    assert isinstance(suites.find_node(bare), suites.Missing)
    assert suites.find_postgres({"ROTATOR_TEST_PG": "postgresql://h/d"}) == suites.Found("postgresql://h/d")
