"""Every fact of protocol section 6 plays both ways."""

from __future__ import annotations

import pytest

from rotator.simulator.switches import FACTS
from tests.simulator.sim import DATA, Sim

BOTH = pytest.mark.parametrize("value", ["yes", "no"])
DELETE_TOKEN = "SELECT DeleteToken FROM OauthToken WHERE UserId = '{user}'"
SESSION = "SELECT Id FROM AuthSession WHERE UsersId = '{user}'"
LISTINGS = {
    "tokens_listed_oauthtoken": "SELECT COUNT() FROM OauthToken WHERE UserId = '{user}'",
    "tokens_listed_authsession": "SELECT COUNT() FROM AuthSession WHERE UsersId = '{user}'",
}


@BOTH
def test_a_staged_pair_logs_in_as_the_fact_says(sim: Sim, value: str) -> None:
    """staged_pair_accepted decides whether the Active pair in the slot gets a token."""
    sim.facts(staged_pair_accepted=value)
    assert sim.logs_in(sim.stage()) == (value == "yes")
    assert sim.logs_in(sim.old)


@BOTH
def test_a_rotated_pair_logs_in_as_the_fact_says(sim: Sim, value: str) -> None:
    """rotated_pair_accepted decides whether the displaced pair still gets a token."""
    sim.facts(rotated_pair_accepted=value)
    new = sim.stage()
    sim.rotate()
    assert sim.logs_in(sim.old) == (value == "yes")
    assert sim.logs_in(new)


@BOTH
def test_secrets_are_readable_again_as_the_fact_says(sim: Sim, value: str) -> None:
    """secret_readable_again decides for the primary's secret and the slot's alike; POST gives it in both."""
    sim.facts(secret_readable_again=value)
    assert sim.stage()[1]
    primary = sim.org.get(sim.credentials, params={"part": "keyandsecret"}).json()
    entry = sim.org.get(f"{sim.credentials}/staged").json()["stagedCredentials"][0]
    assert [("secret" in primary), ("secret" in entry)] == [value == "yes"] * 2


@BOTH
def test_an_entry_names_its_author_as_the_fact_says(sim: Sim, value: str) -> None:
    """created_by_given decides whether createdBy is there at all."""
    sim.facts(created_by_given=value)
    sim.stage()
    entry = sim.org.get(f"{sim.credentials}/staged").json()["stagedCredentials"][0]
    assert entry.get("createdBy") == (sim.acme["admin"]["user_id"] if value == "yes" else None)


@BOTH
def test_tokens_die_with_their_pair_as_the_fact_says(sim: Sim, value: str) -> None:
    """tokens_die_with_pair decides what deleting the old pair does to its tokens; the new pair's live on."""
    sim.facts(tokens_die_with_pair=value)
    of_old = sim.token(sim.old)
    of_new = sim.token(sim.stage())
    sim.rotate()
    assert sim.alive(of_old)
    sim.delete()
    assert sim.alive(of_old) == (value == "no")
    assert sim.alive(of_new)


@BOTH
@pytest.mark.parametrize("fact", sorted(LISTINGS))
def test_queries_list_tokens_as_the_fact_says(sim: Sim, fact: str, value: str) -> None:
    """Each listing shows a client-credentials login, or stays blind to it."""
    sim.facts(**{fact: value})
    sim.token(sim.old)
    found = sim.query(LISTINGS[fact].format(user=sim.billing["user_id"])).json()["totalSize"]
    assert found == (1 if value == "yes" else 0)


@BOTH
def test_the_usage_resource_lists_tokens_as_the_fact_says(sim: Sim, value: str) -> None:
    """tokens_listed_usage decides for the users list and the tokens list."""
    sim.facts(tokens_listed_usage=value)
    sim.token(sim.old)
    usage = f"{DATA}/apps/oauth/usage/{sim.billing['app_id']}"
    expected = 1 if value == "yes" else 0
    assert len(sim.org.get(f"{usage}/users").json()["users"]) == expected
    assert len(sim.org.get(f"{usage}/{sim.billing['user_id']}/tokens").json()["tokens"]) == expected


@BOTH
def test_two_logins_share_a_session_as_the_fact_says(sim: Sim, value: str) -> None:
    """session_shared_between_logins decides whether the second login returns the first token."""
    sim.facts(session_shared_between_logins=value)
    assert (sim.token(sim.old) == sim.token(sim.old)) == (value == "yes")


@BOTH
def test_the_slot_id_survives_a_rotate_as_the_fact_says(sim: Sim, value: str) -> None:
    """slot_id_survives_rotate decides whether the displaced pair sits under the remembered id."""
    sim.facts(slot_id_survives_rotate=value)
    sim.stage()
    before = sim.slot()[0]["id"]
    sim.rotate()
    assert (sim.slot()[0]["id"] == before) == (value == "yes")
    assert sim.slot()[0]["key"] == sim.old[0]


@pytest.mark.parametrize("wait", [0, 120])
def test_a_deleted_pair_lingers_as_long_as_the_fact_says(sim: Sim, wait: int) -> None:
    """delete_propagation: the deleted pair logs in until then, though the record has let it go."""
    sim.facts(delete_propagation=f"{wait}s")
    sim.stage()
    sim.rotate()
    sim.delete()
    assert sim.logs_in(sim.old) == (wait > 0)
    assert not sim.truth()["consumers"][0]["gone"][0]["accepted"]
    sim.advance(wait)
    assert not sim.logs_in(sim.old)


@pytest.mark.parametrize("wait", [0, 120])
def test_a_new_pair_is_slow_to_arrive_as_the_fact_says(sim: Sim, wait: int) -> None:
    """new_pair_propagation: the staged pair is unknown until then."""
    sim.facts(new_pair_propagation=f"{wait}s")
    new = sim.stage()
    assert sim.logs_in(new) == (wait == 0)
    sim.advance(wait)
    assert sim.logs_in(new)


@BOTH
def test_staging_works_while_blocked_as_the_fact_says(sim: Sim, value: str) -> None:
    """stage_while_blocked decides about POST staged with the OAuth plug-in off; every pair is refused meanwhile."""
    sim.facts(stage_while_blocked=value)
    sim.act("block")
    assert sim.org.post(f"{sim.credentials}/staged", json={}).status_code == (201 if value == "yes" else 400)
    assert sim.login(*sim.old).json()["error"] == "invalid_client_id"
    sim.act("unblock")
    assert sim.logs_in(sim.old)


@BOTH
def test_a_classic_app_has_the_resources_as_the_fact_says(sim: Sim, value: str) -> None:
    """classic_has_staged_api decides whether the credentials resources know a connected app."""
    sim.facts(classic_has_staged_api=value)
    app = sim.admin("POST", "/orgs/acme/apps", {"name": "legacy", "kind": "connected_app"})
    path = f"{DATA}/apps/oauth/credentials/{app['app_id']}/{app['consumer_id']}/staged"
    assert sim.org.post(path, json={}).status_code == (201 if value == "yes" else 404)


@BOTH
def test_the_usage_lever_ends_tokens_as_the_fact_says(sim: Sim, value: str) -> None:
    """lever_usage_ends: the rows go either way, the tokens only where the lever works."""
    sim.facts(lever_usage_ends=value)
    token = sim.token(sim.old)
    usage = f"{DATA}/apps/oauth/usage/{sim.billing['app_id']}"
    assert sim.org.delete(f"{usage}/tokens").status_code == 204
    assert sim.org.get(f"{usage}/users").json()["users"] == []
    assert sim.alive(token) == (value == "no")


@BOTH
def test_the_deletetoken_lever_ends_tokens_as_the_fact_says(sim: Sim, value: str) -> None:
    """lever_deletetoken_ends: revoking an OauthToken row's DeleteToken."""
    sim.facts(lever_deletetoken_ends=value)
    token = sim.token(sim.old)
    row = sim.records(DELETE_TOKEN.format(user=sim.billing["user_id"]))[0]
    assert sim.org.post("/services/oauth2/revoke", data={"token": row["DeleteToken"]}).status_code == 200
    assert sim.alive(token) == (value == "no")


@BOTH
def test_the_authsession_lever_ends_tokens_as_the_fact_says(sim: Sim, value: str) -> None:
    """lever_authsession_ends: deleting the AuthSession row."""
    sim.facts(lever_authsession_ends=value)
    token = sim.token(sim.old)
    row = sim.records(SESSION.format(user=sim.billing["user_id"]))[0]
    assert sim.org.delete(f"{DATA}/sobjects/AuthSession/{row['Id']}").status_code == 204
    assert sim.alive(token) == (value == "no")


def test_every_fact_is_played_here() -> None:
    """A fact without a test of its own would be a switch that nobody tried."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert [name for name in FACTS if f"{name}" not in text] == []
