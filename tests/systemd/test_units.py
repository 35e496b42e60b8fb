"""The units, as systemd-analyze sees them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.config import schema

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("rotator.service", "rotator-once.service")


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs systemd-analyze."""
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


def settings(name: str) -> list[str]:
    """The lines of a unit, without comments."""
    lines = (UNITS / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.needs("systemd")
@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_of_each_service_is_low(name: str) -> None:
    """1.1 of 10 at most, and the next test shows that the threshold refuses."""
    told = analyze("security", "--offline=true", "--threshold=11", str(UNITS / name))
    assert told.returncode == 0, told.stdout


@pytest.mark.needs("systemd")
def test_the_threshold_refuses_a_service_that_is_more_open(tmp_path: Path) -> None:
    """One protection taken away is above it."""
    open_one = tmp_path / "rotator.service"
    open_one.write_text((UNITS / "rotator.service").read_text().replace("PrivateMounts=yes\n", ""))
    assert analyze("security", "--offline=true", "--threshold=11", str(open_one)).returncode != 0


@pytest.mark.needs("systemd")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """`verify` says nothing, with a program in the place of the one to be installed; of a misspelt one it speaks."""
    for name in (*SERVICES, "rotator-once.timer"):
        text = (UNITS / name).read_text().replace("/opt/rotator/bin/rotator", sys.executable)
        (tmp_path / name).write_text(text)
    places = [str(tmp_path / name) for name in (*SERVICES, "rotator-once.timer")]
    told = analyze("verify", *places)
    assert (told.returncode, told.stderr) == (0, "")
    spoilt = tmp_path / "spoilt.service"
    spoilt.write_text(text_of(tmp_path / "rotator.service").replace("WatchdogSec", "WatchdogSecs"))
    assert "WatchdogSecs" in analyze("verify", str(spoilt)).stderr


@pytest.mark.needs("systemd")
def test_systemd_understands_every_drop_in(tmp_path: Path) -> None:
    """Each beside the unit, all that verify says is nothing; a misspelt line in one is spoken of."""
    names = sorted(place.name for place in (UNITS / "rotator.service.d").glob("*.conf"))
    assert len(names) >= 6
    for name in names:
        folder = tmp_path / name
        shutil.copytree(UNITS, folder)
        for drop_in in (folder / "rotator.service.d").iterdir():
            if drop_in.name != name:
                drop_in.unlink()
        for file in (folder / "rotator.service", folder / "rotator.service.d" / name):
            file.write_text(text_of(file).replace("/opt/rotator/bin/rotator", sys.executable))
        told = analyze("verify", str(folder / "rotator.service"))
        heard = [line for line in told.stderr.splitlines() if "Failed to add dependency on postgresql" not in line]
        assert heard == [], name
        spoilt = folder / "rotator.service.d" / name
        spoilt.write_text(text_of(spoilt).replace("[Service]", "[Service]\nUMaskk=0"))
        assert "UMaskk" in analyze("verify", str(folder / "rotator.service")).stderr


def secret_files(schema: object) -> Iterator[str]:
    """The example of each option that names a file with a secret."""
    for name, told in schema.items() if isinstance(schema, dict) else ():
        if name.endswith("_file") and name != "ca_file" and isinstance(told, dict):
            yield from (example for example in told["examples"] if "/" not in example)
    for member in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from secret_files(member)


def test_a_credential_is_prepared_for_every_secret_of_the_configuration() -> None:
    """What the schema shows as an example of a secret's file is a line of the unit or of a drop-in."""
    wanted = set(secret_files(schema()))
    assert "vault-token" in wanted
    lines = "".join(text_of(place) for place in (UNITS / "rotator.service", *UNITS.glob("rotator.service.d/*.conf")))
    prepared = set(re.findall(r"^#?LoadCredential=([^:]+):/etc/rotator/credentials/\1$", lines, re.M))
    assert wanted - prepared == set()


def text_of(place: Path) -> str:
    """A file's text."""
    return place.read_text()


def test_the_daemon_and_the_timer_are_hardened_alike() -> None:
    """Every line from `User=` on is the same in both services."""
    one, other = (settings(name) for name in SERVICES)
    hardened = one[one.index("User=rotator") : one.index("[Install]")]
    assert other[other.index("User=rotator") :] == hardened
    assert len(hardened) > 30


def test_the_service_says_what_the_daemon_does() -> None:
    """It waits for READY and for beats, upgrades the tables first, reloads by SIGHUP, gives a stop
    more time than the daemon takes, and does not restart what a restart cannot mend."""
    lines = settings("rotator.service")
    wanted = {"Type=notify", "WatchdogSec=60", 'ExecReload=/bin/sh -c "kill -HUP $MAINPID"', "TimeoutStopSec=90",
              "ExecStartPre=-/opt/rotator/bin/rotator db upgrade --json", "RestartPreventExitStatus=2 3"}  # fmt: skip
    assert wanted <= set(lines)
