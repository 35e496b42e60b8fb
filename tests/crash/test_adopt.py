"""An adoption that dies, or loses an answer, at any of its calls: run again, it comes to the same end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from rotator.adapters.sql import leases
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.rebuild import rebuild
from rotator.adapters.sql.sweeps import Sweeps
from rotator.domain.errors import CasMismatch, Refused, RotatorError
from rotator.domain.pair import Credential
from rotator.domain.words import Outcome
from tests.contract.ledger_ports import CONTEXT, fresh_url, open_database
from tests.crash.adopting import FAULTS, OTHER, OURS, THEIRS, WHO, World
from tests.model.calls import Crash

SHOWN = 3  # calls of the look that a person agrees to
CALLS = 15  # of an adoption that nothing disturbs, that look included
WRITE = 12  # the call that changes the live path


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A SQLite database; every world has an app and a consumer of its own in it."""
    opened = open_database(fresh_url("sqlite", request))
    yield opened
    opened.close()


def finished(world: World) -> None:
    """Starts processes until one comes to the end; then what was late lands."""
    for _ in range(4):
        with suppress(Crash, RotatorError):
            world.adopt()
            break
    else:
        pytest.fail("it never came to an end")
    world.ledger.yield_lease(world.lease())
    for effect in world.line.late:
        with suppress(CasMismatch):
            effect()


def known(world: World) -> tuple[object, ...]:
    """What the consumer's row knows beside its lease."""
    row = world.database.read(lambda c: leases.find(c, world.consumer.org_id, world.consumer.consumer_id))
    assert row is not None
    return row.open_intents, row.publish_cas, row.rotation_id


def test_an_undisturbed_adoption_makes_as_many_calls_as_are_disturbed(database: Database) -> None:
    """The plan covers every call: none is left out when the adoption grows."""
    world = World(database, 1)
    done = world.adopt()
    assert (world.line.calls, done.written, done.version) == (CALLS, True, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_wherever_it_fails_the_next_one_comes_to_the_end(database: Database, fault: str) -> None:
    """A crash before or after each call, no answer, a lost answer, and a write that lands after all is over: in the end
    the live path serves the primary pair with the fields of others kept, readers never got anything but the old and the
    new pair, every write had its intent, nothing is open, and the sweep knows the pair for ours."""
    for at in range(1, CALLS + 1):
        world = World(database, 100 * FAULTS.index(fault) + at, at, fault)
        finished(world)
        live = world.kv.now.credential
        assert live == Credential(THEIRS, "", OTHER), (fault, at)
        assert world.kv.seen == {OURS.key, THEIRS.key}
        assert known(world)[0] == "[]", (fault, at)
        last, past = Sweeps(database, CONTEXT).past(world.app)
        assert (last, past.ruling) == (None, THEIRS.key)


def test_the_trail_tells_what_the_consumers_row_knows(database: Database) -> None:
    """A rebuild from the trail changes nothing: neither after a good adoption nor after one whose answer was lost, and
    whose late write the next rotation must fence."""
    good, lost = World(database, 1), World(database, 2, WRITE, "late")
    good.adopt()
    with pytest.raises(RotatorError):
        lost.adopt()
    for world in (good, lost):
        world.ledger.yield_lease(world.lease())
    before = known(good), known(lost)
    assert before == (("[]", 1, ""), ('["adopt"]', 1, ""))
    rebuild(database, CONTEXT, WHO)
    assert (known(good), known(lost)) == before


def test_a_lost_write_that_could_land_is_overtaken(database: Database) -> None:
    """The first answer was lost, then somebody wrote the pair by hand and put the old version's number back in reach:
    where the latest intent names the present version, the pair is written once more although it stands there."""
    world = World(database, 1, WRITE, "late")
    with pytest.raises(RotatorError):
        world.adopt()
    world.kv.versions[-1] = Credential(THEIRS, "", OTHER)  # the same number, as a restored Vault would have it
    assert world.adopt().written
    (late,) = world.line.late
    with pytest.raises(CasMismatch):
        late()


def test_a_pair_that_is_not_what_was_shown_is_not_taken(database: Database) -> None:
    """Between the look and the yes somebody rotates, or writes the path: nothing is written, and it says so."""
    world, other = World(database, 1), World(database, 2)
    world.line.acts[SHOWN + 1] = world.org.rotated
    other.line.acts[SHOWN + 1] = lambda: other.kv.versions.append(Credential(OURS, "", OTHER))
    for one in (world, other):
        with pytest.raises(Refused) as caught:
            one.adopt()
        assert (caught.value.code, one.kv.seen, one.rows()) == ("changed", {OURS.key}, [])


def test_a_pair_that_does_not_log_in_is_not_taken(database: Database) -> None:
    """A blocked app refuses its own primary pair: nothing is written."""
    world = World(database, 1)
    world.org.accepts = False
    with pytest.raises(Refused) as caught:
        world.adopt()
    assert (caught.value.code, world.kv.seen) == ("primary_refused", {OURS.key})


def test_a_secret_that_salesforce_does_not_tell_may_lie_in_an_earlier_version(database: Database) -> None:
    """The live path served the primary pair before somebody wrote over it: its secret is taken from there; where it is
    nowhere, nothing is written."""
    world = World(database, 1, readable=False)
    with pytest.raises(Refused) as caught:
        world.adopt()
    assert caught.value.code == "primary_secret_unreadable"
    world.kv.versions = [Credential(THEIRS, "r0", OTHER), Credential(OURS, "r1", OTHER)]
    world.adopt()
    assert world.kv.now.credential == Credential(THEIRS, "", OTHER)


def test_a_rotation_at_the_same_moment_is_told(database: Database) -> None:
    """Somebody rotates while the pair is written: the outcome says that the live path holds the pair before, and the
    sweep does not take it for ours."""
    world = World(database, 1)
    world.line.acts[WRITE] = world.org.rotated
    with pytest.raises(Refused):
        world.adopt()
    assert [row["outcome"] for row in world.rows()] == [None, Outcome.FAILED.value]
    assert Sweeps(database, CONTEXT).past(world.app)[1].taken is None
