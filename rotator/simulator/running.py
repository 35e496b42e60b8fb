"""Starting a simulator in a thread of this process, and holding it."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any

from rotator.simulator.door.admin import application
from rotator.simulator.door.hub import Hub
from rotator.simulator.options import Options


class Running:
    """A simulator that serves. A context manager; `stop` may be called twice."""

    def __init__(self, options: Options) -> None:
        self._hub = Hub(options)
        self._hub.urls["admin"] = self._hub.servers.open(application(self._hub), None, options.ports.get("admin", 0))

    @property
    def org_url(self) -> str:
        """The address of the first org."""
        return self.org_urls[self._hub.options.orgs[0]]

    @property
    def org_urls(self) -> dict[str, str]:
        """The addresses of all orgs, by name."""
        return dict(self.announced()["org"])

    @property
    def vault_url(self) -> str:
        """The address of the Vault."""
        return self._hub.urls["vault"]

    @property
    def admin_url(self) -> str:
        """The address of the admin door."""
        return self._hub.urls["admin"]

    @property
    def trap_url(self) -> str:
        """The address of the login.-like host; empty without one."""
        return self._hub.urls.get("trap", "")

    @property
    def seed(self) -> int:
        """The seed in use."""
        return self._hub.options.seed

    def announced(self) -> dict[str, Any]:
        """What a process prints when it is ready."""
        return self._hub.announced()

    def stop(self) -> None:
        """Close every port and end the thread."""
        self._hub.servers.stop()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(options: Options | None = None, **changes: Any) -> Running:
    """Start a simulator in a thread of this process: `start(seed=7, facts={"staged_pair_accepted": "no"})`."""
    chosen = (options or Options()).changed(**changes)
    return Running(chosen if chosen.seed else chosen.changed(seed=random.SystemRandom().randrange(1, 1 << 31)))
