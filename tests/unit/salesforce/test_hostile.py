"""The whole adapter before an org that lies: over real sockets, with the simulator's hostile answers."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, Unavailable, Unintelligible
from rotator.domain.pair import Consumer
from rotator.domain.session import Probe
from tests.contract.salesforce_ports import World, simulator
from tests.unit.http.wire import answer, says, serving

READ = "/apps/oauth/credentials/[^/]+/[^/]+$"
MEBIBYTE = 1 << 20


@pytest.fixture
def world() -> Iterator[World]:
    """A difficult org."""
    with simulator(seed=21) as made:
        made.port.find(made.app, "")
        yield made


@pytest.fixture
def consumer(world: World) -> Consumer:
    return world.port.find(world.app, "")


def play(world: World, kind: str, method: str, path: str, **args: object) -> None:
    assert world.door
    world.door.fault(kind, method, path, args)


def hidden_from(world: World, told: RotatorError) -> None:
    """No secret of the org stands anywhere in the error."""
    assert world.door
    text = f"{told!r} {told.message} {told.fix} {told.__cause__!r}"
    assert [secret for secret in world.door.get("/secrets") if secret in text] == []
    assert told.fix
    assert told.message.isprintable()


@pytest.mark.parametrize(
    ("kind", "error"),
    [("redirect", Refused), ("huge", Unintelligible), ("bomb", Unintelligible), ("garbage", Unintelligible),
     ("cut", Unavailable), ("before", Unavailable), ("after", Unavailable)],
)  # fmt: skip
def test_a_hostile_answer_to_a_read_is_one_clear_error(
    world: World, consumer: Consumer, kind: str, error: type[RotatorError]
) -> None:
    """In little memory and time, without a secret; the next read is fine again."""
    with serving(says(answer())) as trap:
        play(world, kind, "GET", READ, **({"to": trap.origin + "/x"} if kind == "redirect" else {}))
        tracemalloc.start()
        began = time.monotonic()
        with pytest.raises(RotatorError) as caught:
            world.port.primary(consumer)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert trap.connections == 0
    assert type(caught.value) is error
    assert (time.monotonic() - began < 6, peak < 40 * MEBIBYTE) == (True, True)
    hidden_from(world, caught.value)
    assert world.port.primary(consumer).key


WRITES: dict[str, tuple[str, str, Callable[[World, Consumer], object]]] = {
    "stage": ("POST", "/staged$", lambda w, c: w.port.stage(c)),
    "promote": ("PATCH", "/staged/", lambda w, c: w.port.promote(c, w.port.slot(c)[0].id)),
    "delete": ("DELETE", "/staged/", lambda w, c: w.port.delete(c, w.port.slot(c)[0].id)),
}


KINDS: dict[str, dict[str, object]] = {
    "before": {}, "after": {}, "cut": {}, "huge": {}, "bomb": {}, "late": {},
    "redirect": {"to": "https://evil.example/"}, "status": {"status": 503, "applied": True},
}  # fmt: skip
# Half of an empty body is the whole body: what DELETE answers cannot be cut.
EACH_WRITE = [(write, kind) for write in WRITES for kind in KINDS if (write, kind) != ("delete", "cut")]


@pytest.mark.parametrize(("write", "kind"), EACH_WRITE)
def test_a_hostile_answer_to_a_write_leaves_the_outcome_unknown_and_is_sent_once(
    world: World, consumer: Consumer, write: str, kind: str
) -> None:
    """Done or not, told or not: the adapter says that it does not know, and does not repeat."""
    if write != "stage":
        world.port.stage(consumer)
    method, path, act = WRITES[write]
    play(world, kind, method, path, **KINDS[kind])
    before = calls(world, method)
    with pytest.raises(OutcomeUnknown) as caught:
        act(world, consumer)
    assert calls(world, method) - before == 1
    hidden_from(world, caught.value)


def calls(world: World, method: str) -> int:
    """How often this method was called on the staged resource."""
    assert world.door
    return sum(r["method"] == method and "/staged" in r["path"] for r in world.door.get("/history"))


@pytest.mark.parametrize("kind", ["wrong_host", "control"])
def test_a_whole_rotation_with_lies_in_every_answer_goes_to_the_right_host(world: World, kind: str) -> None:
    """Wrong hosts in every URL, or control characters in every name: nothing is sent elsewhere, ids stay right."""
    assert world.door
    with serving(says(answer())) as trap:
        spec = {"match": {"site": "org"}, "every": 1, "args": {"host": trap.origin}}
        world.door.post("/faults", kind=kind, **spec)
        consumer = world.port.find(world.app_id, "")
        old = world.port.primary(consumer, with_secret=True)
        world.port.stage(consumer)
        (entry,) = world.port.slot(consumer)
        world.port.promote(consumer, entry.id)
        (rotated,) = world.port.slot(consumer)
        world.port.delete(consumer, rotated.id)
        assert world.port.slot(consumer) == ()
        assert (rotated.pair.key, world.port.login(old).accepted) == (old.key, False)
        assert consumer.label.isprintable()
        assert trap.connections == 0


@pytest.mark.parametrize("kind", ["redirect", "huge", "garbage", "before", "cut"])
def test_a_hostile_answer_to_a_login_is_no_refusal_of_the_pair(world: World, consumer: Consumer, kind: str) -> None:
    """Only invalid client is: a proof of refusal must not come from a broken edge."""
    pair = world.port.primary(consumer, with_secret=True)
    play(world, kind, "POST", "/oauth2/token", **({"to": "https://evil.example/"} if kind == "redirect" else {}))
    with pytest.raises(RotatorError) as caught:
        world.port.login(pair)
    hidden_from(world, caught.value)
    assert world.port.login(pair).accepted


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_an_edge_that_answers_in_the_orgs_place_is_no_death_of_a_token(
    world: World, consumer: Consumer, status: int
) -> None:
    """Only a 401 that says INVALID_SESSION_ID is."""
    login = world.port.login(world.port.primary(consumer, with_secret=True))
    assert login.token
    play(world, "status", "GET", "/limits", status=status, body="<html>no</html>")
    with pytest.raises(RotatorError):
        world.port.probe(login.token, "limits")
    assert world.port.probe(login.token, "limits") is Probe.ALIVE


def test_logins_over_the_rate_are_a_matter_of_waiting(world: World, consumer: Consumer) -> None:
    """In either form the org may give it."""
    assert world.door
    pair = world.port.primary(consumer, with_secret=True)
    world.door.patch("/orgs/acme", logins_per_hour=0)
    for shape in ("400", "429"):
        world.door.post("/shapes", login_rate_error=shape)
        with pytest.raises(Unavailable):
            world.port.login(pair)


def test_a_switched_off_setting_is_named(world: World, consumer: Consumer) -> None:
    """The exact toggle of Setup."""
    assert world.door
    world.door.patch("/orgs/acme", rest_secret_access=False)
    with pytest.raises(Refused, match="stage consumer secrets") as caught:
        world.port.slot(consumer)
    assert "Allow access to External Client App consumer secrets via REST API" in caught.value.fix


def test_many_threads_share_one_org_and_one_login(world: World, consumer: Consumer) -> None:
    """Workers of one org share its port: no answer gets mixed up, and the rotator logs in once."""
    assert world.door
    keys: set[str] = set()
    faults: list[RotatorError] = []

    def read() -> None:
        try:
            keys.update(world.port.primary(consumer).key for _ in range(10))
        except RotatorError as told:
            faults.append(told)

    workers = [threading.Thread(target=read) for _ in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (keys, faults) == ({world.port.primary(consumer).key}, [])
    assert sum(record["path"].endswith("/token") for record in world.door.get("/history")) == 1
