"""The text that Prometheus reads, over HTTP or from a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import Metric

from rotator.domain.errors import ConfigError
from rotator.metrics.fleet import Fleet, families
from rotator.metrics.meters import Meters


class _All:
    def __init__(self, meters: Meters, fleet: Fleet) -> None:
        self._meters, self._fleet = meters, fleet

    def collect(self) -> Iterator[Metric]:
        """Everything, in one order."""
        return chain(families(self._fleet), self._meters.registry.collect())


def render(fleet: Fleet, meters: Meters) -> tuple[bytes, str]:
    """The page and its content type."""
    return generate_latest(_All(meters, fleet)), CONTENT_TYPE_LATEST


def write(place: Path, page: bytes) -> None:
    """Writes the page for node_exporter's textfile collector: whole or not at all, readable by all.

    Raises ConfigError where the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(page)
            os.chmod(name, 0o644)
            os.replace(name, place)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise ConfigError(f"the metrics cannot be written to {place}: {error.strerror}",
                          fix="make the folder writable for the rotator, or empty `textfile` in [metrics]",
                          where="metrics.textfile") from None  # fmt: skip
