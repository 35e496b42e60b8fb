"""The surface of a running daemon: opened before it says that it is ready, closed when it has stopped."""

from __future__ import annotations

import os
import ssl
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from socket import socket

from rotator import log
from rotator.config import Loaded, find_file, read_secret_file
from rotator.config.control import ControlConfig
from rotator.control.application import Surface
from rotator.control.callers import Doorkeeper, Role
from rotator.control.desk import Desk
from rotator.control.listening import server_tls, tcp_socket, unix_socket
from rotator.control.orders import Orders
from rotator.control.serving import Serving
from rotator.control.tokens import Registry, parse
from rotator.domain.errors import ConfigError

LOG = log.get("control")


class Door:
    """Listens where `[control]` says. What `[control]` says is read once: a change takes a restart; the tokens file is
    read at each call."""

    def __init__(self, loaded: Loaded, version: str) -> None:
        self._loaded, self._version, self._closing = loaded, version, False
        self._open = ExitStack()

    def open(self, desk: Desk) -> None:
        """Raises ConfigError where it cannot listen. The default socket alone may be missing, with a warning: who did
        not ask for one must not be kept from rotating by the lack of its folder."""
        sockets: list[tuple[socket, ssl.SSLContext | None]] = []
        told = self._loaded.config.control
        with ExitStack() as opening:
            if told.socket:
                sockets += self._unix(told, opening)
            if told.listen:
                sockets += self._tcp(told, opening)
            if sockets:
                serving = Serving(self._surface(desk).application())
                serving.start(sockets)
                opening.callback(serving.stop)
            self._open = opening.pop_all()

    def close(self) -> None:
        """Ends every answer and gives the names free."""
        self._closing = True
        self._open.close()

    def _unix(self, told: ControlConfig, opening: ExitStack) -> list[tuple[socket, None]]:
        try:
            made = unix_socket(Path(told.socket), told.groups.view)
        except ConfigError as error:
            if "socket" in told.model_fields_set:
                raise
            LOG.warning(log.Word.NO_SOCKET, error=error)
            return []
        opening.callback(made.close)
        LOG.info(log.Word.LISTENING, file=told.socket)
        return [(made.socket, None)]

    def _tcp(self, told: ControlConfig, opening: ExitStack) -> list[tuple[socket, ssl.SSLContext]]:
        places = self._loaded.places
        if told.tokens_file:
            list(parse(read_secret_file(told.tokens_file, places).reveal()))
        cert, key, ca = (str(find_file(name, places)) if name else "" for name in
                         (told.cert_file, told.key_file, told.ca_file))  # fmt: skip
        tls = server_tls(cert, key, ca)
        made = tcp_socket(told.listen)
        opening.callback(made.close)
        LOG.info(log.Word.LISTENING, where=told.listen)
        return [(made, tls)]

    def _surface(self, desk: Desk) -> Surface:
        told = self._loaded.config.control
        groups = {Role.VIEW: told.groups.view, Role.ROTATE: told.groups.rotate, Role.FORCE: told.groups.force}
        read = partial(read_secret_file, told.tokens_file, self._loaded.places) if told.tokens_file else None
        return Surface(
            desk, Doorkeeper(groups, os.geteuid()), Registry(read, told.certificates),
            Orders(desk, lambda: self._closing), self._version,
        )  # fmt: skip
