"""What systemd is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rotator.daemon.sd_notify import SdNotify


@pytest.mark.parametrize("abstract", [True, False])
def test_values_go_as_one_datagram(tmp_path: Path, abstract: bool) -> None:
    """To a socket with a path, and to an abstract one, which the name marks with @."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + path if abstract else path)
        ear.settimeout(5)
        SdNotify({"NOTIFY_SOCKET": "@" + path if abstract else path}).tell(READY=1, STATUS="3 apps")
        assert ear.recv(100) == b"READY=1\nSTATUS=3 apps"


def test_without_a_listener_nothing_happens(tmp_path: Path) -> None:
    """Without systemd, or with a socket that is gone, nothing happens; no beat is wanted."""
    for env in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}, {"WATCHDOG_USEC": "soon"}):
        notify = SdNotify(env)
        notify.tell(READY=1)
        assert notify.watchdog == 0.0


def test_the_beat_is_read_in_seconds() -> None:
    """WATCHDOG_USEC counts microseconds."""
    assert SdNotify({"WATCHDOG_USEC": "30000000"}).watchdog == 30.0
