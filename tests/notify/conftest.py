"""Receivers, and channels that reach them as the product does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.config import SecretPlaces
from rotator.wiring.channels import HttpPost
from tests.acceptance.scene import Door, simulator
from tests.notify.receivers import PostOffice, Receiver, post_office, receiver
from tests.servers.network import Tls


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """One authority for all."""
    return Tls.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def web(tls: Tls) -> Iterator[Receiver]:
    """An HTTP receiver."""
    with receiver(tls) as opened:
        yield opened


@pytest.fixture
def office(tls: Tls) -> Iterator[PostOffice]:
    """A mail server with STARTTLS."""
    with post_office(tls) as opened:
        yield opened


@pytest.fixture
def post(tls: Tls, tmp_path: Path) -> HttpPost:
    """The wire, as the product makes it."""
    return HttpPost(str(tls.ca_file), SecretPlaces(tmp_path), "")


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """The admin door of a simulator."""
    with simulator() as opened:
        yield opened
