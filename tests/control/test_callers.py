"""Callers told apart, with lookups that are passed in."""

from __future__ import annotations

import hashlib
import os
import socket

import pytest

from rotator.control.callers import Caller, Doorkeeper, Peer, Role, peer_of
from rotator.control.tokens import Registry, names_of, parse
from rotator.domain.errors import ConfigError, UsageError
from rotator.domain.secret import Secret

GROUPS = {Role.VIEW: "rotator-view", Role.ROTATE: "rotator-rotate", Role.FORCE: "rotator-force"}
IDS = {"rotator-view": 901, "rotator-rotate": 902, "rotator-force": 903}
KEEPER = Doorkeeper(GROUPS, own=77, group_id=IDS.get, user_name=lambda uid: {0: "root", 5: "ada"}.get(uid, str(uid)))


@pytest.mark.parametrize(
    ("uid", "gids", "role"),
    [
        (5, {5}, Role.NONE), (5, {5, 901}, Role.VIEW), (5, {902}, Role.ROTATE), (5, {903}, Role.FORCE),
        (5, {901, 903, 4}, Role.FORCE), (0, {0}, Role.FORCE), (77, {77}, Role.FORCE), (78, {77}, Role.NONE),
    ],
)  # fmt: skip
def test_the_role_comes_from_the_groups(uid: int, gids: set[int], role: Role) -> None:
    """The highest of the groups; root and the daemon's own user have all; a group of that user's number has none."""
    assert KEEPER.caller(Peer(uid, frozenset(gids))).role is role


def test_a_group_that_the_system_lacks_gives_nothing() -> None:
    """No group of this name: nobody is in it, whatever number their process has."""
    bare = Doorkeeper(GROUPS, own=77, group_id=lambda _: None, user_name=str)
    assert bare.caller(Peer(5, frozenset({0, 901, 902, 903}))).role is Role.NONE


def test_only_root_may_name_whom_it_acts_for() -> None:
    """sudo's word is believed of root."""
    assert KEEPER.caller(Peer(0, frozenset({0})), "grace").name == "grace"
    assert KEEPER.caller(Peer(0, frozenset({0}))).name == "root"
    assert KEEPER.caller(Peer(5, frozenset({903})), "grace").name == "ada"


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    """User and groups of this very process, the supplementary ones too."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = peer_of(ours)
    assert peer.uid == os.geteuid()
    assert peer.gids == {os.getegid(), *os.getgroups()}


# --- tokens

TOKEN = "0f" * 32
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
FILE = f"# who comes from outside\nci rotate {HASH}\n\nboard view {'0' * 64}  # the screen in the hall\n"
REGISTRY = Registry(lambda: Secret(FILE), {"ci.example.com": "view"})


def test_a_token_names_its_caller_and_role() -> None:
    """By the hash alone; the file holds no token."""
    assert REGISTRY.caller(f"Bearer {TOKEN}", None) == Caller("ci", Role.ROTATE, "tcp")
    assert TOKEN not in FILE


@pytest.mark.parametrize("sent", [f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer", f"Bearer {HASH}", "x" * 9000])
def test_whatever_is_no_token_of_ours_is_nobody(sent: str) -> None:
    """A near miss, another scheme, none, the hash itself, far too much: the same answer, which repeats nothing."""
    with pytest.raises(UsageError) as caught:
        REGISTRY.caller(sent, None)
    assert caught.value.code == "unknown_caller"
    assert sent[:40] not in caught.value.message or sent == "Bearer"


def test_a_token_that_was_struck_out_is_refused_at_the_next_call() -> None:
    """The file is read at each call."""
    now = [FILE]
    registry = Registry(lambda: Secret(now[0]), {})
    assert registry.caller(f"Bearer {TOKEN}", None).name == "ci"
    now[0] = "# nobody\n"
    with pytest.raises(UsageError):
        registry.caller(f"Bearer {TOKEN}", None)


def test_a_certificate_names_its_caller() -> None:
    """A DNS name or the common name of a certificate that TLS has verified; an unknown one is nobody."""
    good = {"subject": ((("commonName", "x"),),), "subjectAltName": (("DNS", "ci.example.com"),)}
    assert names_of(good) == ["ci.example.com", "x"]
    assert REGISTRY.caller("", good) == Caller("ci.example.com", Role.VIEW, "tcp")
    for bad in (None, {}, {"subject": ((("commonName", "ci.example.org"),),)}):
        with pytest.raises(UsageError):
            REGISTRY.caller("", bad)


@pytest.mark.parametrize("line", ["ci", "ci rotate", f"ci root {HASH}", f"ci rotate {HASH} x", f"ci rotate {HASH[:-1]}",
                                  f"ci view {HASH}\nci rotate {HASH}", TOKEN])  # fmt: skip
def test_a_tokens_file_that_is_wrong_is_refused_without_its_content(line: str) -> None:
    """The line is named, never repeated: somebody may have put the token itself there."""
    with pytest.raises(ConfigError) as caught:
        list(parse(f"# first\n{line}\n"))
    assert "line" in caught.value.message
    assert TOKEN not in caught.value.message
    assert HASH not in caught.value.message
