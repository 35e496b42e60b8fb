"""The wheel, installed alone, is a whole rotator."""

from __future__ import annotations

import zipfile
from importlib import metadata

import pytest

from tests.project.files import tracked
from tests.project.installed import Installed


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own."""
    return Installed(tmp_path_factory.mktemp("installed"))


def test_the_wheel_holds_what_stands_at_the_top_of_the_checkout(installed: Installed) -> None:
    """Migrations, configuration and systemd files travel inside the package; no test and no tool does."""
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    carried = {f"rotator/_data/{path}" for path in tracked() if path.parts[0] in ("migrations", "config", "systemd")}
    assert carried
    assert carried - names == set()
    assert {name.split("/")[0] for name in names} == {"rotator", f"rotator-{metadata.version('rotator')}.dist-info"}


def test_the_installed_package_is_not_the_checkout(installed: Installed) -> None:
    """What runs below is the wheel: the test's own checkout is out of reach."""
    done = installed.run("python", "-c", "import rotator; print(rotator.__file__)")
    assert done.stdout.strip().startswith(str(installed.bin.parent)), done.stderr


def test_only_declared_packages_are_there(installed: Installed) -> None:
    """Tools and test packages are out of reach, so an undeclared import would be seen."""
    for absent in ("pytest", "trustme", "psycopg", "hatchling", "tests"):
        assert installed.run("python", "-c", f"import {absent}").returncode == 1
    assert installed.run("python", "-c", "import httpx, hvac, sqlalchemy, jwt.algorithms").returncode == 0
