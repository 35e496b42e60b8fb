"""What a service tells systemd (sd_notify(3)): one datagram per message to the socket that it names."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping


class SdNotify:
    """Silent where no systemd listens. A message that cannot be sent is lost: it must never stop a rotation."""

    def __init__(self, env: Mapping[str, str]) -> None:
        name = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name  # @: an abstract socket
        usec = env.get("WATCHDOG_USEC", "")
        self.watchdog = int(usec) / 1_000_000 if usec.isdigit() else 0.0
        """Seconds within which a beat is wanted; 0: none is."""

    def tell(self, **values: object) -> None:
        """Sends `NAME=value` lines: READY=1, STATUS="...", STOPPING=1, RELOADING=1 with MONOTONIC_USEC, WATCHDOG=1."""
        if not self._address:
            return
        lines = "\n".join(f"{name}={value}" for name, value in values.items())
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(1.0)
            sender.sendto(lines.encode(), self._address)
