"""The app's OAuth switch over SOAP: which component, what is written back, what each refusal means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rotator.adapters.http import Answer, Http
from rotator.adapters.salesforce import ClientCredentials, SalesforceOrg, soap
from rotator.adapters.salesforce.wire import Unreadable
from rotator.adapters.tls import tls_context
from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, Unavailable, Unintelligible
from rotator.domain.pair import Consumer
from rotator.domain.secret import Secret
from rotator.domain.session import Lever
from tests.contract.salesforce_ports import Door, World, own_login, simulator

SOAP = "/services/Soap/m/"
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.fixture
def world() -> Iterator[World]:
    """A difficult org, whose own app may be told to log in by another identity."""
    with simulator(seed=21) as made:
        yield made


@pytest.fixture
def consumer(world: World) -> Consumer:
    return world.port.find(world.app, "")


def door(world: World) -> Door:
    assert world.door
    return world.door


def rights(world: World, *permissions: str) -> None:
    """The rotator's user has these and no more."""
    admin = door(world).get("/world")["orgs"]["acme"]["admin"]
    door(world).patch(f"/orgs/acme/users/{admin['username']}", permissions=list(permissions))


def messages(world: World) -> list[str]:
    """The purposes of the calls to the Metadata API so far."""
    return [one["purpose"] for one in door(world).get("/history") if one["path"].startswith(SOAP)]


def test_the_component_is_found_by_what_it_says_of_its_app(world: World) -> None:
    """An app whose name begins another's gets its own component, whatever the names of components look like."""
    door(world).post("/orgs/acme/apps", name="b", developer_name="Billing", label="Billing")
    short, long = world.port.find("Billing", ""), world.port.find("Billing_Sync", "")
    world.port.set_blocked(short, True)
    assert (world.port.blocked(short), world.port.blocked(long)) == (True, False)


def test_the_list_is_asked_for_once() -> None:
    """Later calls go by the name that is known; one that has gone is looked for again."""
    with simulator(seed=21, shapes={"metadata_name": "plcy"}) as world:
        consumer = world.port.find(world.app, "")
        world.port.blocked(consumer)
        world.port.set_blocked(consumer, True)
        assert messages(world) == ["list metadata", "read switch", "read switch", "turn switch"]
        door(world).post("/shapes", metadata_name="default_policy")
        assert world.port.blocked(consumer)
        assert messages(world)[4:] == ["read switch", "list metadata", "read switch"]


@pytest.mark.parametrize("shapes", [{"metadata_update": "replace"}, {"metadata_order": "strict"}], ids=str)
def test_what_is_not_ours_is_written_back_as_it_was(shapes: dict[str, str]) -> None:
    """Where an update replaces the component, or drops what stands out of order, nothing but the switch changes."""
    with simulator(seed=21, shapes=shapes) as world:
        consumer = world.port.find(world.app, "")
        before = door(world).patch("/orgs/acme/apps/billing", policy_label="Ours & <theirs>")
        world.port.set_blocked(consumer, True)
        after = door(world).patch("/orgs/acme/apps/billing")
        assert after == {**before, "oauth_plugin_enabled": False}


def test_an_app_that_is_off_as_a_whole_is_blocked_and_cannot_be_unblocked_by_the_switch(
    world: World, consumer: Consumer
) -> None:
    """`isEnabled` false: blocked. To unblock is refused with the fix: it is not ours to enable the app."""
    door(world).patch("/orgs/acme/apps/billing", enabled=False)
    assert world.port.blocked(consumer)
    with pytest.raises(Refused) as caught:
        world.port.set_blocked(consumer, False)
    assert caught.value.code == "app_disabled"
    assert "enable the app" in caught.value.fix


@pytest.mark.parametrize(
    ("lacking", "code"),
    [("ModifyMetadata", "metadata_permission"), ("ExternalClientAppAdmin", "metadata_permission"),
     ("ApiEnabled", "api_disabled")],
)  # fmt: skip
def test_a_missing_permission_is_named_with_its_fix(world: World, consumer: Consumer, lacking: str, code: str) -> None:
    """A clear no: refused, nothing changed."""
    needed = {"ApiEnabled", "ModifyMetadata", "ExternalClientAppAdmin"}
    rights(world, *(needed - {lacking}))
    with pytest.raises(Refused) as caught:
        world.port.set_blocked(consumer, True)
    assert (caught.value.code, bool(caught.value.fix)) == (code, True)
    rights(world, *needed)
    assert not world.port.blocked(consumer)


def test_a_dead_session_is_opened_anew_once(world: World, consumer: Consumer) -> None:
    """INVALID_SESSION_ID proves that nothing was done: the message is sent again with a fresh token."""
    world.port.blocked(consumer)
    door(world).post("/clock", advance=12 * 3600)
    world.port.set_blocked(consumer, True)
    assert world.port.blocked(consumer)


def test_a_token_that_soap_does_not_take_is_refused_with_the_fix() -> None:
    """Self-contained tokens are no sessions of the Metadata API where jsforce is right: never an endless login."""
    with simulator(seed=21, shapes={"token_format": "jwt", "soap_takes_jwt": "no"}) as world:
        consumer = world.port.find(world.app, "")
        with pytest.raises(Refused) as caught:
            world.port.blocked(consumer)
        assert caught.value.code == "soap_session"
        assert "JWT" in caught.value.fix


@pytest.mark.parametrize(
    ("kind", "args", "reading", "writing"),
    [
        ("before", {}, Unavailable, OutcomeUnknown),
        ("after", {}, Unavailable, OutcomeUnknown),
        ("garbage", {}, Unintelligible, OutcomeUnknown),
        ("garbage", {"body": BOMB}, Unintelligible, OutcomeUnknown),
        ("garbage", {"body": "<x/>"}, Unintelligible, OutcomeUnknown),
        ("garbage", {"body": "{}"}, Unintelligible, OutcomeUnknown),
        ("status", {"status": 503, "body": "<html>down</html>"}, Unavailable, OutcomeUnknown),
        ("status", {"status": 500, "body": "<x><faultcode>sf:UNKNOWN_EXCEPTION</faultcode><faultstring>x</faultstring>"
                                           "</x>"}, Unavailable, OutcomeUnknown),
        ("status", {"status": 500, "body": "<x><faultcode>sf:UNABLE_TO_LOCK_ROW</faultcode><faultstring>x"
                                           "</faultstring></x>"}, Unavailable, Unavailable),
        ("redirect", {"to": "https://evil.example.com/"}, Refused, OutcomeUnknown),
    ],
)  # fmt: skip
def test_a_fault_is_what_it_means(world: World, consumer: Consumer, kind: str, args: dict[str, Any],
                                  reading: type[RotatorError], writing: type[RotatorError]) -> None:
    """A read that fails says so; a write whose answer does not say no leaves the outcome unknown."""
    world.port.blocked(consumer)
    for purpose, error in (("read switch", reading), ("turn switch", writing)):
        match = {"site": "org", "purpose": purpose}
        door(world).post("/faults", kind=kind, match=match, nth=1, args=args)
        with pytest.raises(error) as caught:
            world.port.set_blocked(consumer, True)
        text = f"{caught.value!r} {caught.value.message} {caught.value.fix} {caught.value.__cause__!r}"
        assert [secret for secret in door(world).get("/secrets") if secret in text] == []
        door(world).delete("/faults")


def test_sessions_and_metadata_are_the_responders(world: World, consumer: Consumer) -> None:
    """With a second identity, `admin` needs no right to either, and `responder` none to credentials."""
    told = door(world).get("/world")["orgs"]["acme"]
    door(world).post("/orgs/acme/users", username="responder@acme.example",
                     permissions=["ApiEnabled", "ApiUserOnly", "ModifyMetadata", "ExternalClientAppAdmin",
                                  "CustomizeApplication", "ManageUsers"])
    made = door(world).post("/orgs/acme/apps", name="responder", developer_name="Rotator_Responder",
                            label="Rotator Responder", username="responder@acme.example")
    responder = ClientCredentials(made["client_id"], Secret(made["client_secret"]))
    rights(world, "ApiEnabled", "ApiUserOnly", "ExternalClientAppDeveloper", "ExternalClientAppViewer",
           "ViewClientSecret")
    with Http(door(world).sim.org_url, tls=tls_context(), deadline=5) as http:
        both = SalesforceOrg(http, credentials=lambda: own_login(told), responder=lambda: responder)
        pair = both.primary(consumer, with_secret=True)
        token = both.login(pair).token
        assert token
        for lever in Lever:
            listing = both.grants(consumer, world.user_id, lever)
            assert not listing.blind, listing.notes
            for grant in listing.grants:
                both.end(consumer, grant)
        both.set_blocked(consumer, True)
        assert both.blocked(consumer)
        alone = SalesforceOrg(http, credentials=lambda: own_login(told))
        with pytest.raises(Refused):
            alone.blocked(consumer)


def test_an_answer_with_a_document_type_is_not_parsed() -> None:
    """However well the rest of it reads: no DTD, so no entity, is ever looked at."""
    fine = (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><listMetadataResponse><result>'
            b"<fullName>Billing_Sync_plcy</fullName></result></listMetadataResponse></e:Body></e:Envelope>")
    assert soap.names(Answer(200, {}, fine)) == ("Billing_Sync_plcy",)
    with pytest.raises(Unreadable):
        soap.names(Answer(200, {}, b"<!DOCTYPE e:Envelope>" + fine))
