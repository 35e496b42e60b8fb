"""What a report is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rotator.config import AppConfig
from rotator.wiring.connections import Connections


@dataclass(frozen=True, slots=True)
class Ask:
    """`since`: from when on things that happened are told; states are those of now. `org` "": all."""

    connections: Connections
    at: datetime
    org: str = ""
    since: datetime | None = None

    def apps(self) -> Iterator[tuple[str, AppConfig]]:
        """The configured apps of the org, or all."""
        chosen = self.connections.apps.items()
        return ((name, app) for name, app in chosen if self.org in ("", app.org))
