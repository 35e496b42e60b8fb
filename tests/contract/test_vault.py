"""What every implementation of ports.Vault does: the same tests for HashiCorp's Vault, the simulator, and memory."""

from __future__ import annotations

import dataclasses
import re

import pytest

from rotator import ports
from rotator.domain.errors import CasMismatch, ConfigError
from rotator.domain.pair import Credential, Escrow, EscrowContent, Live, Pair
from rotator.domain.secret import Secret
from tests.contract.vault_ports import NEEDS, NEW, OLD, PORTS, TARGET, WORLDS, World, credential

ESCROW = "rotator-escrow/billing"


@pytest.fixture(params=[pytest.param(name, marks=NEEDS.get(name, [])) for name in WORLDS])
def world(request: pytest.FixtureRequest) -> World:
    """One implementation after the other."""
    return WORLDS[request.param](request)


@pytest.fixture(params=[pytest.param(name, marks=NEEDS.get(name, [])) for name in PORTS])
def port(request: pytest.FixtureRequest) -> ports.Vault:
    """One implementation after the other, also those without a foreign hand."""
    return PORTS[request.param](request)


# --- the live path ---------------------------------------------------------------------------------------------


def test_an_absent_live_path_reads_as_number_zero_without_a_credential(port: ports.Vault) -> None:
    """Absent is a clear answer and no error."""
    assert port.live(TARGET) == Live(0, None)


def test_a_first_write_lands_as_version_one_and_reads_back_equal(port: ports.Vault) -> None:
    """Key, secret and rotation id come back as written."""
    written = credential(NEW, "r-1")
    assert port.write_live(TARGET, written, 0) == 1
    assert port.live(TARGET) == Live(1, written)


def test_a_version_holds_the_two_fields_the_host_the_rotation_and_its_time(world: World) -> None:
    """contract.md, Vault: the fields by name, the time in UTC."""
    world.port.write_live(TARGET, credential(NEW, "r-1"), 0)
    fields = dict(world.hand.fields(TARGET.path))
    assert fields.pop("rotated_at").endswith("Z")
    assert fields == {
        "client_id": "3MVG9.new",
        "client_secret": "NewSecret-0815",
        "login_url": "https://acme.my.salesforce.com",
        "rotation_id": "r-1",
    }


def test_fields_that_are_not_ours_are_kept_with_their_types(world: World) -> None:
    """Whatever stands beside the pair survives a publish."""
    mine = {"client_id": OLD.key, "client_secret": "OldSecret-4711"}
    number = world.hand.put(TARGET.path, {**mine, "scope": "api", "retries": 3, "nested": {"a": [1, None]}})
    seen = world.port.live(TARGET)
    assert seen.credential is not None
    world.port.write_live(TARGET, Credential(NEW, "r-1", seen.credential.other), number)
    fields = world.hand.fields(TARGET.path)
    assert (fields["scope"], fields["retries"], fields["nested"]) == ("api", 3, {"a": [1, None]})
    assert fields["client_id"] == NEW.key


def test_a_write_on_a_version_that_moved_is_refused_and_changes_nothing(world: World) -> None:
    """Check-and-set: the stranger's version stays."""
    number = world.hand.put(TARGET.path, {"client_id": "k", "client_secret": "s"})
    world.hand.put(TARGET.path, {"client_id": "k", "client_secret": "s", "note": "stranger"})
    with pytest.raises(CasMismatch):
        world.port.write_live(TARGET, credential(NEW, "r-1"), number)
    assert world.hand.fields(TARGET.path)["note"] == "stranger"


def test_a_path_that_is_there_is_not_written_as_if_it_were_absent(port: ports.Vault) -> None:
    """cas=0 means: only where nothing is."""
    port.write_live(TARGET, credential(OLD), 0)
    with pytest.raises(CasMismatch):
        port.write_live(TARGET, credential(NEW, "r-1"), 0)


def test_a_deleted_live_path_reads_as_absent_with_its_newest_number(world: World) -> None:
    """The next write's check-and-set is that number, and it lands."""
    number = world.hand.put(TARGET.path, {"client_id": "k", "client_secret": "s"})
    world.hand.delete(TARGET.path, number)
    assert world.port.live(TARGET) == Live(number, None)
    assert world.port.write_live(TARGET, credential(NEW, "r-1"), number) == number + 1


def test_a_live_path_without_the_two_fields_is_a_mistake_of_the_configuration(world: World) -> None:
    """Never overwritten blindly; the error names the field and quotes no value."""
    world.hand.put(TARGET.path, {"client_id": "k", "password": "hunter2-of-somebody"})
    with pytest.raises(ConfigError, match="client_secret") as caught:
        world.port.live(TARGET)
    assert "hunter2" not in str(caught.value)
    assert caught.value.fix


def test_the_fence_of_an_absent_path_moves_the_version_and_still_reads_as_absent(world: World) -> None:
    """A late write with cas=0 fails after it, and readers still find no secret."""
    assert world.port.write_live(TARGET, None, 0) == 1
    assert world.port.live(TARGET) == Live(1, None)
    with pytest.raises(CasMismatch):
        world.port.write_live(TARGET, credential(NEW, "late"), 0)
    with pytest.raises(LookupError):
        world.hand.fields(TARGET.path)


def test_an_empty_version_that_could_not_be_hidden_counts_as_absent(world: World) -> None:
    """The fence's second half is best effort."""
    number = world.hand.put(TARGET.path, {})
    assert world.port.live(TARGET) == Live(number, None)


def test_the_same_credential_written_again_keeps_its_time_of_rotation(world: World) -> None:
    """The fence of a present path rewrites the content: nobody rotated anything by that."""
    fields = {"client_id": "k", "client_secret": "s", "rotation_id": "r-0", "rotated_at": "2026-01-01T00:00:00Z"}
    number = world.hand.put(TARGET.path, fields)
    world.port.write_live(TARGET, world.port.live(TARGET).credential, number)
    assert world.hand.fields(TARGET.path)["rotated_at"] == "2026-01-01T00:00:00Z"


def test_a_pair_that_was_never_rotated_gets_no_time_of_rotation_from_a_fence(world: World) -> None:
    """What an operator put there by hand stays without rotation_id and rotated_at."""
    number = world.hand.put(TARGET.path, {"client_id": "k", "client_secret": "s"})
    world.port.write_live(TARGET, world.port.live(TARGET).credential, number)
    assert "rotated_at" not in world.hand.fields(TARGET.path)
    assert "rotation_id" not in world.hand.fields(TARGET.path)


def test_an_earlier_version_gives_its_pair(port: ports.Vault) -> None:
    """What restore needs."""
    port.write_live(TARGET, credential(OLD), 0)
    port.write_live(TARGET, credential(NEW, "r-1"), 1)
    assert port.live_version(TARGET, 1) == credential(OLD)
    assert port.live_version(TARGET, 2) == credential(NEW, "r-1")


def test_versions_that_are_deleted_destroyed_empty_or_not_there_give_no_pair(world: World) -> None:
    """None, and never the newest version instead (Vault takes 0 for that)."""
    for place in range(2):
        world.port.write_live(TARGET, credential(OLD), place)
    world.hand.put(TARGET.path, {})
    world.port.write_live(TARGET, credential(NEW, "r-1"), 3)
    world.hand.delete(TARGET.path, 1)
    world.port.destroy_live(TARGET, [2])
    assert world.port.live_version(TARGET, 4) == credential(NEW, "r-1")
    assert [world.port.live_version(TARGET, number) for number in (0, 1, 2, 3, 9)] == [None] * 5


def test_the_readable_older_versions_that_hold_a_key_are_found(world: World) -> None:
    """Below the given number, by key, whatever else stands in between."""
    world.port.write_live(TARGET, credential(OLD), 0)
    world.hand.put(TARGET.path, {"note": "no credential"})
    world.port.write_live(TARGET, credential(NEW, "r-1"), 2)
    world.port.write_live(TARGET, credential(OLD, "back"), 3)
    world.port.write_live(TARGET, credential(OLD, "again"), 4)
    world.port.destroy_live(TARGET, [4])
    assert world.port.versions_holding(TARGET, [OLD.key, "other"], 5) == (1,)
    assert world.port.versions_holding(TARGET, [OLD.key, NEW.key], 6) == (1, 3, 5)
    assert world.port.versions_holding(TARGET, ["other"], 6) == ()


def test_destroyed_live_versions_are_gone_and_the_others_stay(world: World) -> None:
    """By number; a second time changes nothing."""
    world.port.write_live(TARGET, credential(OLD), 0)
    world.port.write_live(TARGET, credential(NEW, "r-1"), 1)
    for _ in range(2):
        world.port.destroy_live(TARGET, [1])
    assert world.hand.destroyed(TARGET.path) == {1}
    assert world.port.live(TARGET) == Live(2, credential(NEW, "r-1"))


# --- the escrow path -------------------------------------------------------------------------------------------

FULL = EscrowContent("r-1", NEW, (OLD, Pair("3MVG9.older", Secret("s2")), Pair("oldest")), Secret("00D!canary"))


def test_an_absent_escrow_reads_as_number_zero_without_content(port: ports.Vault) -> None:
    """Absent is a clear answer."""
    assert port.escrow(TARGET) == Escrow(0, None)


@pytest.mark.parametrize(
    "content",
    [FULL, EscrowContent("r-1", NEW, (OLD,)), EscrowContent("r-1", None, (OLD,), Secret("t")), EscrowContent("", None)],
    ids=["full", "routine", "before_stage", "empty"],
)
def test_an_escrow_reads_back_as_it_was_written(port: ports.Vault, content: EscrowContent) -> None:
    """Pairs without a secret, several old pairs, the canary, and nothing at all."""
    assert port.write_escrow(TARGET, content, 0) == 1
    assert port.escrow(TARGET) == Escrow(1, content)


def test_the_escrow_lies_at_the_promised_path_under_the_promised_names(world: World) -> None:
    """contract.md, Vault: what an operator would look for after a disaster."""
    world.port.write_escrow(TARGET, FULL, 0)
    assert world.hand.fields(ESCROW) == {
        "client_id": "3MVG9.new",
        "client_secret": "NewSecret-0815",
        "old_client_id": "3MVG9.old",
        "old_client_secret": "OldSecret-4711",
        "old2_client_id": "3MVG9.older",
        "old2_client_secret": "s2",
        "old3_client_id": "oldest",
        "rotation_id": "r-1",
        "canary": "00D!canary",
    }


def test_an_empty_escrow_version_has_no_field_at_all(world: World) -> None:
    """The fence of the escrow path: in the end every version is destroyed or empty."""
    world.port.write_escrow(TARGET, EscrowContent("", None), 0)
    assert world.hand.fields(ESCROW) == {}


def test_a_late_escrow_write_is_refused(port: ports.Vault) -> None:
    """Check-and-set holds there too."""
    port.write_escrow(TARGET, FULL, 0)
    with pytest.raises(CasMismatch):
        port.write_escrow(TARGET, FULL, 0)


def test_destroying_the_escrow_takes_every_version_and_keeps_the_metadata(world: World) -> None:
    """So a late write or destroy hits nothing, and the next rotation's check-and-set goes on from there."""
    for place in range(3):
        world.port.write_escrow(TARGET, FULL, place)
    world.port.destroy_escrow(TARGET, 3)
    assert world.hand.destroyed(ESCROW) == {1, 2, 3}
    assert world.port.escrow(TARGET) == Escrow(3, None)
    assert world.port.write_escrow(TARGET, FULL, 3) == 4


def test_destroying_the_escrow_spares_later_versions(port: ports.Vault) -> None:
    """A stale worker's destroy does not reach the next rotation's pair."""
    port.write_escrow(TARGET, FULL, 0)
    port.write_escrow(TARGET, FULL, 1)
    port.destroy_escrow(TARGET, 1)
    assert port.escrow(TARGET) == Escrow(2, FULL)


def test_destroying_an_absent_escrow_is_no_failure(port: ports.Vault) -> None:
    """Every step can run again; nothing is there, so nothing is to do."""
    port.destroy_escrow(TARGET, 0)
    port.destroy_escrow(TARGET, 2)
    assert port.escrow(TARGET) == Escrow(0, None)


def test_live_and_escrow_do_not_touch_each_other(port: ports.Vault) -> None:
    """Two paths."""
    port.write_live(TARGET, credential(OLD), 0)
    port.write_escrow(TARGET, FULL, 0)
    port.destroy_escrow(TARGET, 1)
    assert port.live(TARGET) == Live(1, credential(OLD))


def test_a_sound_mount_passes_the_preflight(port: ports.Vault) -> None:
    """With and without the live path there."""
    port.preflight(TARGET)
    number = port.write_live(TARGET, credential(OLD), 0)
    port.preflight(TARGET)
    assert (port.live(TARGET).number, port.live(TARGET).key) == (number, OLD.key)


@pytest.mark.parametrize("place", ["", TARGET.path, ESCROW], ids=["mount", "live", "escrow"])
@pytest.mark.parametrize(
    ("settings", "command"),
    [({"delete_version_after": "720h"}, "delete.version.after=0s"), ({"max_versions": 2}, "max.versions=10")],
    ids=["delete_version_after", "max_versions"],
)
def test_settings_that_could_lose_a_version_are_refused_with_the_command_that_mends_them(
    world: World, place: str, settings: dict[str, object], command: str
) -> None:
    """On the mount, on the live path and on the escrow path."""
    world.hand.settings(place, **settings)
    with pytest.raises(ConfigError) as caught:
        world.port.preflight(TARGET)
    assert re.search(command, caught.value.fix)
    assert (place or "/config") in caught.value.fix


def test_a_path_that_keeps_enough_versions_on_a_mount_that_keeps_few_passes(world: World) -> None:
    """The path's own number counts."""
    world.hand.settings("", max_versions=1)
    for path in (TARGET.path, ESCROW):
        world.hand.settings(path, max_versions=5)
    world.port.preflight(TARGET)
    assert world.port.live(TARGET).credential is None


def test_field_names_that_collide_are_refused_before_the_first_change(world: World) -> None:
    """One value would overwrite another, or be taken for one of ours."""
    for key in (TARGET.secret_field, "rotation_id"):
        with pytest.raises(ConfigError, match="collide"):
            world.port.preflight(dataclasses.replace(TARGET, key_field=key))
