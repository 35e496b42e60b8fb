"""As whom a command works, and who it says it was."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from rotator.cli.owner import owner_of
from rotator.wiring.asking import login_user, owner


def test_the_owner_is_that_of_the_file_or_of_its_folder(tmp_path: Path) -> None:
    """An existing database's owner; before it exists, the owner of the folder; nobody for another kind of database."""
    file = tmp_path / "rotator.db"
    assert owner_of(f"sqlite:///{file}") == tmp_path.stat().st_uid
    file.touch()
    assert owner_of(f"sqlite:///{file}") == file.stat().st_uid
    assert owner_of(f"sqlite:///{tmp_path}/absent/rotator.db") is None
    assert owner_of("postgresql+psycopg://rotator@db.example.com/rotator") is None


def test_sudo_is_believed_of_root_only() -> None:
    """Root: the name behind sudo, else root. Anybody else is who they are, whatever SUDO_USER says."""
    assert login_user({"SUDO_USER": "ada"}, uid=0) == "ada"
    assert login_user({}, uid=0) == "root"
    nobody = pwd.getpwnam("nobody")
    assert login_user({"SUDO_USER": "ada"}, uid=nobody.pw_uid) == "nobody"
    assert login_user({}, uid=4_000_000_000) == "4000000000"


def test_two_processes_never_own_a_lease_under_one_name() -> None:
    """The owner names machine and process, and is new each time."""
    assert owner() != owner()
    assert f":{os.getpid()}:" in owner()
