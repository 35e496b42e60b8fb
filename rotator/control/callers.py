"""Who calls, and what they may do."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from rotator.domain.errors import UsageError

SO_PEERGROUPS = 59  # asm-generic/socket.h, Linux 4.13: the groups of the process that connected, as the kernel knows it
LARGEST = 1024  # bytes that Python's getsockopt takes: 256 groups
NOT_PERMITTED, UNKNOWN_CALLER = "not_permitted", "unknown_caller"


class Role(IntEnum):
    """What a caller may do; each role may do what a lower one may."""

    NONE = 0
    VIEW = 1
    ROTATE = 2
    FORCE = 3

    @classmethod
    def named(cls, name: str) -> Role:
        """The role of this name: view, rotate, force."""
        return cls[name.upper()]


@dataclass(frozen=True, slots=True)
class Caller:
    """One who calls: `name` is the actor in the trail, `origin` where from."""

    name: str
    role: Role
    origin: str = "socket"
    uid: int | None = None  # of a process on this machine


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket, as the kernel knows it."""

    uid: int
    gids: frozenset[int]


def peer_of(connected: socket.socket) -> Peer:
    """Who connected: user and groups, the supplementary ones too, at the moment of connect(2). Cannot be forged."""
    size = struct.calcsize("3i")
    _pid, uid, gid = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return Peer(uid, frozenset({gid, *_more_groups(connected, uid, gid)}))


def _more_groups(connected: socket.socket, uid: int, gid: int) -> tuple[int, ...]:
    try:
        found = connected.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, LARGEST)
    except OSError:  # more groups than that, or a kernel that does not know it: what the user database says
        try:
            return tuple(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
        except KeyError:
            return ()
    return struct.unpack(f"{len(found) // 4}I", found)


def group_id(name: str) -> int | None:
    """The id of a group of the system; None where there is none of this name."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def user_name(uid: int) -> str:
    """The login name of a user of the system, else the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Tells who a peer is. `groups` maps each role to the group of the system whose members have it; `own` is the
    daemon's own user. Both lookups ask the system."""

    groups: Mapping[Role, str]
    own: int
    group_id: Callable[[str], int | None] = group_id
    user_name: Callable[[int], str] = user_name

    def caller(self, peer: Peer, behind: str = "") -> Caller:
        """root and the daemon's own user may do everything. `behind`: whom root acts for, by sudo; believed of root."""
        if peer.uid == 0 and behind:
            return Caller(behind, max(Role))  # whose uid it is not told: root's says nothing of who it is
        name = self.user_name(peer.uid)
        if peer.uid in (0, self.own):
            return Caller(name, max(Role), uid=peer.uid)
        roles = [role for role, group in self.groups.items() if self.group_id(group) in peer.gids]
        return Caller(name, max(roles, default=Role.NONE), uid=peer.uid)

    def no(self, caller: Caller, needed: Role) -> UsageError:
        """What is told to a caller who may not."""
        group = self.groups[needed]
        if caller.origin == "socket":
            fix = f"`usermod -aG {group} {caller.name}`, then log in anew; or ask a member of {group}"
        else:
            fix = f"give {caller.name} the role `{needed.name.lower()}` in [control], or ask who has it"
        return UsageError(f"{caller.name} may not do this: it takes {group}", code=NOT_PERMITTED, fix=fix)
