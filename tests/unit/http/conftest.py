"""A client for each test, closed after it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from rotator.adapters.http import Http
from rotator.adapters.tls import tls_context
from tests.unit.http.wire import Server

PLAIN = tls_context()
Client = Callable[..., Http]


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes clients of a server, or of an origin, and closes them after the test."""
    with ExitStack() as stack:

        def make(
            server: Server | str, tls: ssl.SSLContext = PLAIN, deadline: float = 5.0, proxy: str | None = None
        ) -> Http:
            origin = server if isinstance(server, str) else server.origin
            return stack.enter_context(Http(origin, tls=tls, deadline=deadline, proxy=proxy))

        yield make
