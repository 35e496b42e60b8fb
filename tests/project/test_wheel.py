"""The wheel, installed alone, is a whole rotator."""

from __future__ import annotations

import json
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


CONFIG = """
state_dir = "{work}"
[database]
url = "sqlite:///{work}/rotator.db"
[vault]
address = "https://vault.example.com:8200"
auth = {{ method = "token", token_file = "vault-token" }}
[orgs.acme]
host = "https://acme.my.salesforce.com"
admin = {{ grant = "client_credentials", vault_path = "salesforce/acme/rotator" }}
[apps.billing]
org = "acme"
app = "Billing_Sync"
vault_path = "salesforce/acme/billing"
"""


@pytest.fixture(scope="module")
def config_file(installed: Installed) -> str:
    """A small configuration in the folder in which the installed program runs, with the file it names."""
    token = installed.work / "vault-token"
    token.write_text("not a real token")
    token.chmod(0o600)
    file = installed.work / "rotator.toml"
    file.write_text(CONFIG.format(work=installed.work))
    return str(file)


def test_the_installed_rotator_tells_its_version(installed: Installed) -> None:
    """The command is on the PATH of the environment and tells the version of the wheel."""
    done = installed.run("rotator", "--version")
    assert done.returncode == 0, done.stderr
    assert metadata.version("rotator") in done.stdout


def test_the_installed_rotator_checks_a_configuration(installed: Installed, config_file: str) -> None:
    """`config check` passes a good file, and refuses one with a mistake as usage errors are: exit 2."""
    good = installed.run("rotator", "--config", config_file, "config", "check")
    assert good.returncode == 0, good.stderr
    bad_file = installed.work / "bad.toml"
    bad_file.write_text(CONFIG.format(work=installed.work).replace("state_dir", "state_dri"))
    bad = installed.run("rotator", "--config", str(bad_file), "config", "check")
    assert bad.returncode == 2
    assert "state_dri" in bad.stdout + bad.stderr


def test_the_installed_rotator_makes_its_database(installed: Installed, config_file: str) -> None:
    """`db upgrade` finds its migrations inside the wheel, and `db check` finds the schema as it should be."""
    upgraded = installed.run("rotator", "--config", config_file, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert (installed.work / "rotator.db").is_file()
    checked = installed.run("rotator", "--config", config_file, "db", "check")
    assert checked.returncode == 0, checked.stderr


def test_the_installed_rotator_runs_the_demo(installed: Installed) -> None:
    """`rotator demo` runs the main job end to end from the wheel alone; last line `demo: ok`."""
    done = installed.run("rotator", "demo", DEMO_JSON=str(installed.work / "demo.json"))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.rstrip().splitlines()[-1] == "demo: ok"
    results = json.loads((installed.work / "demo.json").read_text())
    assert results
