"""The door of the Metadata API: what it lists, reads, updates and refuses (reference 5.3, 5.4)."""

from __future__ import annotations

import pytest

from tests.simulator.sim import Sim
from tests.simulator.soap_seen import POLICIES, WHOLE, component, enabled, listed, read, soap, update


def test_the_switch_turns_a_pair_off_and_on(sim: Sim) -> None:
    """An update with isOauthPluginEnabled false blocks every pair of the app, with true it lets them in again."""
    name = component(sim)
    for value, works in (("false", False), ("true", True)):
        assert "<success>true</success>" in update(sim, fullName=name, **WHOLE, isOauthPluginEnabled=value).text
        assert (sim.logs_in(sim.old), enabled(sim)) == (works, works)
        assert f"<isOauthPluginEnabled>{value}</isOauthPluginEnabled>" in read(sim, name).text


def test_only_the_token_in_the_envelope_counts(sim: Sim) -> None:
    """A dead token in it is a fault with HTTP 500, whatever the Bearer header says."""
    reply = soap(sim, "<readMetadata/>", token="dead")
    assert reply.status_code == 500
    assert "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in reply.text


@pytest.mark.parametrize("lacking", ["ModifyMetadata", "ApiEnabled"])
def test_without_the_permission_nothing_is_shown(sim: Sim, lacking: str) -> None:
    """The whole door stays shut: a fault."""
    rights = {"ApiEnabled", "ModifyMetadata", "ExternalClientAppAdmin"}
    user = sim.acme["admin"]["username"]
    sim.admin("PATCH", f"/orgs/acme/users/{user}", {"permissions": sorted(rights - {lacking})})
    assert listed(sim).status_code == 500


def test_whoever_may_not_edit_policies_gets_a_result_that_says_so(sim: Sim) -> None:
    """An update without the right to edit External Client Apps fails inside an answer 200, and changes nothing."""
    name = component(sim)
    user = sim.acme["admin"]["username"]
    sim.admin("PATCH", f"/orgs/acme/users/{user}", {"permissions": ["ApiEnabled", "ModifyMetadata"]})
    reply = update(sim, fullName=name, **WHOLE, isOauthPluginEnabled="false")
    assert reply.status_code == 200
    assert "INSUFFICIENT_ACCESS_OR_READONLY" in reply.text
    assert enabled(sim)


def test_what_is_not_there_is_told_in_three_ways(sim: Sim) -> None:
    """An unknown component reads as an empty record, fails to be updated; an unknown type is a fault."""
    assert '<records xsi:nil="true"/>' in read(sim, "Nothing").text
    assert "INVALID_CROSS_REFERENCE_KEY" in update(sim, fullName="Nothing", **WHOLE).text
    assert listed(sim, "NoSuchType").status_code == 500


def test_a_required_field_must_be_given(sim: Sim) -> None:
    """An update without isEnabled is refused, in a result."""
    reply = update(sim, fullName=component(sim), externalClientApplication="Billing_Sync")
    assert "REQUIRED_FIELD_MISSING" in reply.text


def test_entities_and_nonsense_are_refused(sim: Sim) -> None:
    """The door parses no DTD, and says so as a fault."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    for body in (bomb + "<x>&a;</x>", "no xml", "<x/>"):
        reply = sim.org.post("/services/Soap/m/65.0", content=body)
        assert (reply.status_code, "faultcode" in reply.text) == (500, True)


def test_the_history_says_what_a_message_was_for(sim: Sim) -> None:
    """A fault can be scheduled at the read and at the turn of the switch; the turn is told as an effect."""
    name = component(sim)
    update(sim, fullName=name, **WHOLE, isOauthPluginEnabled="false")
    read(sim, name)
    told = sim.admin("GET", "/history")[-3:]
    assert [one["purpose"] for one in told] == ["list metadata", "turn switch", "read switch"]
    assert [one["effect"] for one in told] == ["", "block", ""]
    assert POLICIES not in str(told)
