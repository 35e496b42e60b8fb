"""Where the Debian that is booted comes from, and what is said where none can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.systemd.debian import CannotMake, Source, source, why_not

STANZAS = """\
# a comment
Types: deb
URIs: http://mirror.example.com/other
Suites: bookworm
Enabled: no

Types: deb deb-src
# another
URIs: http://mirror.example.com/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/example.gpg
"""
LINES = """\
# deb http://mirror.example.com/off bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/example.gpg] https://mirror.example.com/debian bookworm main
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """An empty folder of apt, and a machine of the suite bookworm beside it."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian"\n')
    return tmp_path


def test_mirror_and_keyring_are_those_of_apts_stanzas(apt: Path) -> None:
    """The first stanza that is switched on and has the suite of this machine."""
    (apt / "sources.list.d/debian.sources").write_text(STANZAS)
    wanted = Source("http://mirror.example.com/debian", "bookworm", "/usr/share/keyrings/example.gpg")
    assert source(apt, apt / "os-release") == wanted


def test_mirror_and_keyring_are_those_of_apts_lines(apt: Path) -> None:
    """The older form; a line that is commented out does not count."""
    (apt / "sources.list").write_text(LINES)
    wanted = Source("https://mirror.example.com/debian", "bookworm", "/etc/apt/keyrings/example.gpg")
    assert source(apt, apt / "os-release") == wanted


def test_a_machine_without_a_mirror_is_told_so(apt: Path) -> None:
    """Another suite's mirror is none."""
    (apt / "sources.list").write_text(LINES.replace(" bookworm ", " trixie "))
    with pytest.raises(CannotMake, match="no mirror of bookworm"):
        source(apt, apt / "os-release")


@pytest.mark.parametrize(("user", "lack"), [(1000, "needs root"), (0, "install debootstrap, systemd-container")])
def test_what_is_missing_is_said_plainly(user: int, lack: str) -> None:
    """Root first, then the packages by their names."""
    assert lack in why_not({"PATH": ""}, user)
