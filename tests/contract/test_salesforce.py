"""What every implementation of ports.Salesforce promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.adapters.salesforce.ids import long_id
from rotator.domain.errors import ConfigError, NotFound, Refused, SlotTaken, Unintelligible
from rotator.domain.pair import Author, Consumer, Pair, SlotState
from rotator.domain.secret import Secret
from rotator.domain.session import Lever, Probe
from tests.contract.memory_salesforce import memory
from tests.contract.salesforce_ports import EVERY_SHAPE, WORLDS, World, everything, simulator

EVERY_WORLD = {**WORLDS, "memory": memory}


@pytest.fixture(params=EVERY_WORLD)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each implementation in turn, fresh."""
    with EVERY_WORLD[request.param]() as made:
        yield made


@pytest.fixture
def consumer(world: World) -> Consumer:
    return world.port.find(world.app, "")


def test_an_app_is_found_by_name_and_by_id_with_ids_of_18_characters(world: World, consumer: Consumer) -> None:
    """One record has one name, whatever length the org writes: leases and rows depend on it."""
    assert (consumer.org_id, consumer.app_id, consumer.consumer_id) == (world.org_id, world.app_id, world.consumer_id)
    assert (consumer.app_name, consumer.label, consumer.siblings) == ("Billing_Sync", "Billing Sync", 0)
    assert world.port.find(world.app_id, world.consumer_id) == consumer
    assert world.port.find(world.app_id[:15], world.consumer_id[:15]) == consumer


def test_what_is_not_there_is_a_configuration_error(world: World) -> None:
    """An unknown app and an unknown consumer name what to correct."""
    for app, consumer in (("No_Such_App", ""), (world.app, "888000000000000AAA")):
        with pytest.raises(ConfigError) as caught:
            world.port.find(app, consumer)
        assert caught.value.fix


def test_the_primary_pair_comes_without_its_secret_unless_asked(world: World, consumer: Consumer) -> None:
    """A read that does not ask gets none."""
    bare, whole = world.port.primary(consumer), world.port.primary(consumer, with_secret=True)
    assert (bare.key, bare.secret) == (whole.key, None)
    assert whole.secret


def test_a_staged_pair_is_ours_and_stands_in_the_slot(world: World, consumer: Consumer) -> None:
    """POST gives key and secret; the slot then shows the same key, Active, by us."""
    assert world.port.slot(consumer) == ()
    staged = world.port.stage(consumer)
    (entry,) = world.port.slot(consumer)
    assert (staged.state, staged.author, bool(staged.pair.secret)) == (SlotState.ACTIVE, Author.US, True)
    assert (entry.pair.key, entry.state, entry.author) == (staged.pair.key, SlotState.ACTIVE, Author.US)
    assert staged.pair.key != world.port.primary(consumer).key


def test_a_full_slot_refuses_a_second_pair_and_stays_as_it_was(world: World, consumer: Consumer) -> None:
    """The refusal is SlotTaken, and nothing changed."""
    staged = world.port.stage(consumer)
    with pytest.raises(SlotTaken):
        world.port.stage(consumer)
    assert [entry.pair.key for entry in world.port.slot(consumer)] == [staged.pair.key]


def test_what_a_stranger_staged_is_not_ours(world: World, consumer: Consumer) -> None:
    """The author is known where the org says so."""
    world.stranger("stage")
    (entry,) = world.port.slot(consumer)
    assert entry.author is Author.THEM


def test_an_expired_entry_says_so(world: World, consumer: Consumer) -> None:
    """State Expired is read as such."""
    world.port.stage(consumer)
    world.stranger("expire")
    assert [entry.state for entry in world.port.slot(consumer)] == [SlotState.EXPIRED]


def test_a_promote_swaps_primary_and_slot(world: World, consumer: Consumer) -> None:
    """The staged pair is primary, the old one stands in the slot as Rotated, and both log in."""
    old, staged = world.port.primary(consumer, with_secret=True), world.port.stage(consumer)
    world.port.promote(consumer, staged.id)
    (entry,) = world.port.slot(consumer)
    assert world.port.primary(consumer).key == staged.pair.key
    assert (entry.pair.key, entry.state) == (old.key, SlotState.ROTATED)
    assert world.port.login(old).accepted
    assert world.port.login(staged.pair).accepted


def test_a_promote_of_what_is_not_there_is_not_found(world: World, consumer: Consumer) -> None:
    """A clear 404: the saga reads the primary then."""
    with pytest.raises(NotFound):
        world.port.promote(consumer, "nothing-of-that-id")


def test_a_promote_of_an_expired_pair_is_refused(world: World, consumer: Consumer) -> None:
    """A clear no, and nothing changed."""
    before, staged = world.port.primary(consumer).key, world.port.stage(consumer)
    world.stranger("expire")
    (entry,) = world.port.slot(consumer)
    with pytest.raises(Refused):
        world.port.promote(consumer, entry.id or staged.id)
    assert world.port.primary(consumer).key == before


def test_a_deleted_pair_is_gone_and_a_second_delete_is_no_error(world: World, consumer: Consumer) -> None:
    """DELETE empties the slot and kills the pair; again changes nothing."""
    staged = world.port.stage(consumer)
    world.port.delete(consumer, staged.id)
    world.port.delete(consumer, staged.id)
    assert world.port.slot(consumer) == ()
    assert not world.port.login(staged.pair).accepted


def test_a_login_says_who_and_where(world: World, consumer: Consumer) -> None:
    """Org, run-as user and the org's time come with the token."""
    login = world.port.login(world.port.primary(consumer, with_secret=True))
    assert (login.accepted, login.org_id, login.user_id) == (True, world.org_id, world.user_id)
    assert login.at is not None
    assert world.port.time() is not None


def test_a_wrong_secret_and_an_unknown_key_are_not_accepted(world: World, consumer: Consumer) -> None:
    """Both are the answer `not accepted`, no error."""
    key = world.port.primary(consumer).key
    assert not world.port.login(Pair(key, Secret("wrong"))).accepted
    assert not world.port.login(Pair("3MVG9nobody", Secret("wrong"))).accepted


def test_a_living_token_probes_alive_and_a_made_up_one_dead(world: World, consumer: Consumer) -> None:
    """One real call tells."""
    login = world.port.login(world.port.primary(consumer, with_secret=True))
    assert login.token
    assert world.port.probe(login.token, "limits") is Probe.ALIVE
    assert world.port.probe(Secret("00Dxx!made.up"), "limits") is Probe.DEAD
    assert world.port.probe(Secret("00Dxx!made.up"), "userinfo") is Probe.DEAD


def test_what_a_login_left_behind_is_listed_and_ends_by_each_lever(world: World, consumer: Consumer) -> None:
    """Three levers show a login; each of them ends the token; ending it again is no error."""
    pair = world.port.primary(consumer, with_secret=True)
    for lever in Lever:
        login = world.port.login(pair)
        listing = everything(world.port, consumer, login.user_id)
        ours = [grant for grant in listing.grants if grant.lever is lever]
        assert (len(ours), listing.complete, listing.blind) == (1, True, frozenset()), lever
        world.port.end(consumer, ours[0])
        world.port.end(consumer, ours[0])
        assert login.token
        assert world.port.probe(login.token, "limits") is Probe.DEAD, lever


def test_a_listing_shows_nothing_secret(world: World, consumer: Consumer) -> None:
    """The public name of a grant is no secret, and its handle does not print."""
    world.port.login(world.port.primary(consumer, with_secret=True))
    listing = everything(world.port, consumer, world.user_id)
    secrets = world.door.get("/secrets") if world.door else []
    hidden = [secret for secret in secrets if secret in repr(listing)]
    assert listing.grants
    assert hidden == []


LISTINGS = {Lever.USAGE: "usage", Lever.OAUTHTOKEN: "oauthtoken", Lever.AUTHSESSION: "authsession"}
LEVERS = {Lever.USAGE: "usage", Lever.OAUTHTOKEN: "deletetoken", Lever.AUTHSESSION: "authsession"}


@pytest.mark.parametrize("lever", list(Lever))
def test_a_listing_that_shows_no_tokens_is_empty_and_the_others_stand(lever: Lever) -> None:
    """The facts tokens_listed_*, played as no: one listing is silent, which is not an error."""
    with simulator(seed=14, facts={f"tokens_listed_{LISTINGS[lever]}": "no"}) as world:
        consumer = world.port.find(world.app, "")
        world.port.login(world.port.primary(consumer, with_secret=True))
        listing = everything(world.port, consumer, world.user_id)
        assert {grant.lever for grant in listing.grants} == set(Lever) - {lever}
        assert listing.blind == frozenset()


@pytest.mark.parametrize("lever", list(Lever))
def test_a_lever_that_moves_nothing_leaves_the_token_alive_and_says_nothing(lever: Lever) -> None:
    """The facts lever_*_ends, played as no: success of the call proves nothing, the probe does."""
    with simulator(seed=15, facts={f"lever_{LEVERS[lever]}_ends": "no"}) as world:
        consumer = world.port.find(world.app, "")
        login = world.port.login(world.port.primary(consumer, with_secret=True))
        for grant in everything(world.port, consumer, world.user_id).grants:
            if grant.lever is lever:
                world.port.end(consumer, grant)
        assert login.token
        assert world.port.probe(login.token, "limits") is Probe.ALIVE


@pytest.mark.parametrize("readable", ["yes", "no"])
@pytest.mark.parametrize("given", ["yes", "no"])
def test_secrets_and_authors_are_told_where_the_org_tells_them(readable: str, given: str) -> None:
    """The facts secret_readable_again and created_by_given, each both ways."""
    facts = {"secret_readable_again": readable, "created_by_given": given}
    with simulator(seed=16, facts=facts) as world:
        consumer = world.port.find(world.app, "")
        assert bool(world.port.primary(consumer, with_secret=True).secret) is (readable == "yes")
        assert world.port.stage(consumer).pair.secret
        (entry,) = world.port.slot(consumer)
        assert bool(entry.pair.secret) is (readable == "yes")
        assert entry.author is (Author.US if given == "yes" else Author.UNKNOWN)


@pytest.mark.parametrize(("name", "value"), EVERY_SHAPE, ids=lambda part: str(part))
def test_a_whole_life_of_a_pair_in_every_shape_of_answer(name: str, value: str) -> None:
    """Whatever the org writes differently (reference 11, 12), every step reads the same."""
    with simulator(difficulty="plain", shapes={name: value}) as world:
        consumer = world.port.find(world.app, "")
        old = world.port.primary(consumer, with_secret=True)
        assert world.port.slot(consumer) == ()
        staged = world.port.stage(consumer)
        assert bool(staged.pair.secret) is ((name, value) != ("post_returns_secret", "no"))
        (entry,) = world.port.slot(consumer)
        assert (entry.pair.key, entry.state, entry.author) == (staged.pair.key, SlotState.ACTIVE, Author.US)
        login = world.port.login(entry.pair)
        assert (login.org_id, login.user_id) == (long_id(world.org_id), world.user_id)
        world.port.promote(consumer, entry.id)
        (rotated,) = world.port.slot(consumer)
        assert (rotated.pair.key, rotated.state) == (old.key, SlotState.ROTATED)
        world.port.delete(consumer, rotated.id)
        assert (world.port.slot(consumer), world.port.login(old).accepted) == ((), False)
        listing = everything(world.port, consumer, login.user_id)
        for grant in listing.grants:
            world.port.end(consumer, grant)
        assert {grant.lever for grant in listing.grants} == set(Lever)
        assert login.token
        assert dead(world, login.token) is ((name, value) not in SILENT)
        assert login.self_contained is ((name, value) == ("token_format", "jwt"))


# A 401 without a word is not taken for the death of a token: claims stay unproven in such an org.
SILENT = {("error_shape", "empty")}


def dead(world: World, token: Secret) -> bool:
    try:
        return world.port.probe(token, "limits") is Probe.DEAD
    except Unintelligible:
        return False


def test_a_blocked_app_refuses_its_pair_and_an_unblocked_one_takes_it_again(world: World, consumer: Consumer) -> None:
    """The switch is read, turned, turned again without effect, and turned back."""
    pair = world.port.primary(consumer, with_secret=True)
    assert (world.port.blocked(consumer), world.port.login(pair).accepted) == (False, True)
    for _ in range(2):
        world.port.set_blocked(consumer, True)
        assert (world.port.blocked(consumer), world.port.login(pair).accepted) == (True, False)
    world.port.set_blocked(consumer, False)
    assert (world.port.blocked(consumer), world.port.login(pair).accepted) == (False, True)
