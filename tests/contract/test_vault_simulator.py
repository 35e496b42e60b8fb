"""What only the simulator can play: Vault Enterprise's namespaces and statuses, Kubernetes logins, replies that get
lost before or after the effect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rotator.adapters.vault import (
    AppRoleAuth,
    Auth,
    JwtAuth,
    KubernetesAuth,
    TokenAuth,
    VaultClient,
    VaultKv,
    VaultOptions,
)
from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, Unavailable, Unintelligible
from rotator.domain.pair import Live
from rotator.domain.secret import Secret
from rotator.simulator import start
from tests.contract.vault_ports import NEW, OLD, TARGET, Door, SimulatedHand, credential

Connect = Callable[..., VaultKv]


@pytest.fixture
def door() -> Iterator[Door]:
    """A simulator of the test's own: its switches stay thrown."""
    with start(seed=11, seed_live=False) as simulator, contextlib.closing(Door(simulator)) as door:
        yield door


@pytest.fixture
def connect(door: Door) -> Iterator[Connect]:
    """Makes ports (as root unless told) and closes their clients in the end."""
    clients: list[VaultClient] = []

    def make(auth: Auth | None = None, **more: Any) -> VaultKv:
        as_root = TokenAuth(lambda: Secret(door.root))
        options = VaultOptions((door.address,), auth or as_root, insecure=True, deadline=2.0, **more)
        clients.append(VaultClient(options))
        return VaultKv(clients[-1])

    yield make
    for client in clients:
        client.close()


def fault(door: Door, kind: str, **spec: Any) -> None:
    door.admin("POST", "/faults", {"kind": kind, "match": {"site": "vault", "path": "/data/"}, "nth": 1, **spec})


def test_a_namespace_is_a_world_of_its_own(door: Door, connect: Connect) -> None:
    """The same path in two namespaces is two secrets, and a namespace that is not there is no absent secret."""
    door.admin("PATCH", "/vault", {"namespaces": ["team/crm"]})
    inside, outside = connect(namespace="team/crm"), connect()
    inside.write_live(TARGET, credential(NEW, "r-1"), 0)
    assert outside.live(TARGET) == Live(0)
    assert inside.live(TARGET) == Live(1, credential(NEW, "r-1"))
    with pytest.raises(Refused) as caught:
        connect(namespace="nowhere").live(TARGET)
    assert caught.value.code == "vault_mount"


@pytest.mark.parametrize("method", ["kubernetes", "jwt"])
def test_a_login_by_a_token_of_another_party(door: Door, connect: Connect, method: str) -> None:
    """The file's token is accepted, or the login is refused with what to check."""
    door.admin("PATCH", "/vault", {"roles": [{"method": method, "name": "rotator", "accepted": ["good-jwt"]}]})
    kind = {"kubernetes": KubernetesAuth, "jwt": JwtAuth}[method]
    assert connect(kind("rotator", lambda: Secret("good-jwt"))).live(TARGET) == Live(0)
    with pytest.raises(Refused) as caught:
        connect(kind("rotator", lambda: Secret("other-jwt"))).live(TARGET)
    assert caught.value.code == "vault_login"
    assert "other-jwt" not in str(caught.value)


def test_a_token_that_the_file_renewed_logs_in_again(door: Door, connect: Connect) -> None:
    """Kubernetes rewrites the service account's token: it is read anew for each login."""
    tokens = iter(["first", "second"])
    door.admin("PATCH", "/vault", {"roles": [{"method": "kubernetes", "name": "r", "accepted": ["first", "second"]}]})
    port = connect(KubernetesAuth("r", lambda: Secret(next(tokens))))
    port.live(TARGET)
    door.admin("PATCH", "/vault", {"end_all_tokens": True})
    assert port.live(TARGET) == Live(0)
    assert next(tokens, None) is None


@pytest.mark.parametrize("status", [429, 472, 473, 474, 501, 502, 503, 530])
def test_a_server_that_does_not_serve_took_nothing(door: Door, connect: Connect, status: int) -> None:
    """Unavailable for a read; a write is Unavailable, or unknown where a proxy could have said it."""
    port = connect()
    port.write_live(TARGET, credential(OLD), 0)
    door.admin("PATCH", "/vault", {"status": status})
    with pytest.raises(Unavailable):
        port.live(TARGET)
    with pytest.raises(OutcomeUnknown if status == 502 else Unavailable):
        port.write_live(TARGET, credential(NEW, "r-1"), 1)
    door.admin("PATCH", "/vault", {"status": 0})
    assert port.live(TARGET) == Live(1, credential(OLD))
    assert port.write_live(TARGET, credential(NEW, "r-1"), 1) == 2


def test_a_standby_that_lags_behind_our_write_is_asked_to_forward(door: Door, connect: Connect) -> None:
    """Once more in the same call; then the caller is told to try later. Before the first write nothing lags."""
    port = connect()
    door.admin("PATCH", "/vault", {"lag": 1})
    assert port.live(TARGET) == Live(0)
    port.write_live(TARGET, credential(NEW, "r-1"), 0)
    assert port.live(TARGET).number == 1
    door.admin("PATCH", "/vault", {"lag": 2})
    with pytest.raises(Unavailable) as caught:
        port.live(TARGET)
    assert (caught.value.code, caught.value.http_status) == ("vault_behind", 412)
    assert port.live(TARGET).number == 1


@pytest.mark.parametrize(("kind", "landed"), [("after", True), ("cut", True), ("garbage", True), ("before", False)])
def test_a_write_whose_reply_is_lost_is_unknown_and_a_look_tells(
    door: Door, connect: Connect, kind: str, landed: bool
) -> None:
    """Landed or not: never Refused, never repeated by the adapter."""
    port = connect()
    port.write_live(TARGET, credential(OLD), 0)
    fault(door, kind)
    with pytest.raises(OutcomeUnknown):
        port.write_live(TARGET, credential(NEW, "r-1"), 1)
    assert port.live(TARGET) == (Live(2, credential(NEW, "r-1")) if landed else Live(1, credential(OLD)))


@pytest.mark.parametrize("kind", ["before", "cut", "garbage", "hang", "huge", "bomb", "redirect", "drip"])
def test_a_read_that_goes_wrong_says_nothing_about_the_secret(door: Door, connect: Connect, kind: str) -> None:
    """Within the deadline, and the next read is fine."""
    port = connect()
    port.write_live(TARGET, credential(OLD), 0)
    fault(door, kind, args={"to": "https://evil.test/", "interval": 0.1} if kind in ("redirect", "drip") else {})
    with pytest.raises((Unavailable, Unintelligible)):
        port.live(TARGET)
    assert port.live(TARGET) == Live(1, credential(OLD))


def test_a_write_that_lands_late_meets_the_fence(door: Door, connect: Connect) -> None:
    """Check-and-set and a rewrite of the present content: the late write changes nothing."""
    port = connect()
    port.write_live(TARGET, credential(OLD), 0)
    fault(door, "late", args={"reply": "drop", "requests": 3})
    with pytest.raises(OutcomeUnknown):
        port.write_live(TARGET, credential(NEW, "late"), 1)
    seen = port.live(TARGET)
    assert port.write_live(TARGET, seen.credential, seen.number) == 2
    for _ in range(4):
        assert port.live(TARGET) == Live(2, credential(OLD))


def test_every_write_comes_from_one_call_of_the_port(door: Door, connect: Connect) -> None:
    """The calls of a rotation with AppRole, counted where they arrive: one each, and four before the first change.
    The first publish of a path in its life costs one more, which says in the metadata whose it is."""
    world = door.admin("GET", "/world")["vault"]
    auth = AppRoleAuth(world["role_id"], lambda: Secret(world["secret_id"]))
    SimulatedHand(door, "secret").put(TARGET.path, {"client_id": "k", "client_secret": "s"})
    door.admin("DELETE", "/history")
    port = connect(auth)
    port.preflight(TARGET)
    first = len(seen(door))
    port.write_live(TARGET, credential(NEW, "r-1"), port.live(TARGET).number)
    port.write_live(TARGET, credential(NEW, "r-2"), port.live(TARGET).number)
    assert (first, seen(door)[first:]) == (4, ["GET", "POST", "PATCH", "GET", "POST"])


def seen(door: Door) -> list[str]:
    history = door.admin("GET", "/history")
    calls = history["requests"] if isinstance(history, dict) else history
    return [call["method"] for call in calls]


def test_nothing_but_our_errors_leaves_the_port_whatever_the_answer(door: Door, connect: Connect) -> None:
    """Every kind of fault at every call of the port."""
    port = connect()
    acts: list[Callable[[], object]] = [
        lambda: port.live(TARGET),
        lambda: port.write_live(TARGET, credential(NEW, "r"), 0),
        lambda: port.live_version(TARGET, 1),
    ]
    met = 0
    for kind in ("before", "after", "garbage", "cut", "redirect", "control"):
        for act in acts:
            fault(door, kind, args={"to": "https://evil.test/"} if kind == "redirect" else {})
            try:
                act()
            except RotatorError:
                met += 1
            door.admin("DELETE", "/faults")
    assert met > len(acts)
