"""`[control]`: the daemon's door, and who may come in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictStr, field_validator, model_validator

from rotator.config.base import FileName, Needed, Table, Text, option

DEFAULT_SOCKET = "/run/rotator/control.sock"
Role = Literal["view", "rotate", "force"]
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")


class GroupsConfig(Table):
    """`[control.groups]`: the groups of the system whose members may come in by the socket."""

    view: Needed = option("rotator-view", about="may look; the socket belongs to it")
    rotate: Needed = option("rotator-rotate", about="may also rotate, abandon, release, pause and resume")
    force: Needed = option("rotator-force", about="may also force")


class ControlConfig(Table):
    """`[control]`."""

    socket: Text = option(DEFAULT_SOCKET, about="Unix socket of the daemon; empty: none")
    groups: GroupsConfig = option(GroupsConfig(), about="who may come in by the socket")
    listen: Text = option("", about="host:port for TLS as well; empty: none", example="127.0.0.1:8443")
    cert_file: FileName = option("", about="PEM certificate of the listener", example="control.pem")
    key_file: FileName = option("", about="its PEM private key", example="control.key")
    tokens_file: FileName = option("", about="who may come in by a token (docs/control.md)", example="control-tokens")
    ca_file: FileName = option("", about="PEM certificates that issue client certificates", example="clients-ca.pem")
    certificates: Mapping[Annotated[StrictStr, Field(min_length=1, max_length=253)], Role] = option(
        {}, about="common name or DNS name of a client certificate, and what it may: view, rotate or force",
        example={"ci.example.com": "rotate"},
    )  # fmt: skip

    @field_validator("socket")
    @classmethod
    def _socket(cls, socket: str) -> str:
        if socket and not socket.startswith("/"):
            raise ValueError("must be an absolute path, or empty")
        if len(socket.encode()) > 107:  # sun_path, unix(7)
            raise ValueError("is longer than the 107 bytes a Unix socket's name may have")
        return socket

    @field_validator("listen")
    @classmethod
    def _listen(cls, listen: str) -> str:
        found = _LISTEN.fullmatch(listen)
        if listen and (found is None or int(found[2]) > 65535):
            raise ValueError("must be host:port, such as 127.0.0.1:8443 or [::1]:8443")
        return listen

    @model_validator(mode="after")
    def _never_plain(self) -> ControlConfig:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together: give both")
        if not self.listen:
            return self
        if not (self.cert_file and self.key_file):
            raise ValueError("listens on TCP with TLS only: listen needs cert_file and key_file")
        if not self.tokens_file and not (self.ca_file and self.certificates):
            raise ValueError("listens for nobody: listen needs tokens_file, or ca_file and certificates")
        return self
