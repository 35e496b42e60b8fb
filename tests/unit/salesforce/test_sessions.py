"""Listings and levers: whose rows they are, what is missing, and what is never ended."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from rotator.domain.errors import ConfigError, OutcomeUnknown, Refused, Unavailable
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Lever, Listing
from tests.contract.salesforce_ports import everything
from tests.unit.salesforce.org import CONSUMER, USER, Handler, Org, Reply, error, oauth_error, port, says

RUN_AS = "005EX0000000009YAA"
WHEN = "2026-11-24T07:00:00.000+0000"


def rows(*found: dict[str, object], total: int | None = None, more: str = "") -> httpx.Response:
    body: dict[str, object] = {"totalSize": len(found) if total is None else total, "done": not more, "records": found}
    return says(body | ({"nextRecordsUrl": more} if more else {}))


def tokens(*found: dict[str, object], more: str | None = None) -> httpx.Response:
    return says({"tokens": found, "nextPageUrl": more})


def usage(number: int) -> dict[str, object]:
    return {"revocationUrl": f"/services/data/v65.0/apps/oauth/usage/tokens/0CS{number}", "initialConnectionAt": WHEN}


def oauth(number: int, **changes: object) -> dict[str, object]:
    return {
        "AppName": "Billing Sync",
        "UserId": RUN_AS,
        "DeleteToken": f"delete-{number}",
        "CreatedDate": WHEN,
        **changes,
    }


def session(number: int, application: str | None = "Billing Sync", **changes: object) -> dict[str, object]:
    joined = (
        {"LoginHistory": {"Application": application, "LoginSubType": "OauthClientCredentials"}} if application else {}
    )
    return {"Id": f"0Ak{number:012}", "LoginHistoryId": f"0Ya{number:012}", "CreatedDate": WHEN, **joined, **changes}


def listed(
    usage_says: list[Reply | Handler] | None = None,
    oauth_says: list[Reply | Handler] | None = None,
    session_says: list[Reply | Handler] | None = None,
    user: str = RUN_AS,
) -> tuple[Listing, Org]:
    """The listing of an org that answers the three listings so; empty where not told."""
    script = [*(usage_says or [tokens()]), *(oauth_says or [rows()]), *(session_says or [rows()])]
    org = Org(*script)
    found = everything(port(org), CONSUMER, user)
    assert org.script == []
    return found, org


def refs(listing: Listing) -> list[str]:
    return [grant.ref for grant in listing.grants]


def test_an_empty_org_has_an_empty_complete_listing() -> None:
    """Three reads, nothing found, nothing missing."""
    found, org = listed()
    assert (found.grants, found.complete, found.blind, found.notes) == ((), True, frozenset(), ())
    assert len(org.calls) == 3


def test_usage_tokens_are_read_over_all_pages() -> None:
    """A last page that names a next one is followed to the empty page; a null ends it."""
    found, _ = listed([tokens(usage(1), usage(2), more="/x?page=1"), tokens(usage(3), more="/x?page=2"), tokens()])
    assert (refs(found), found.complete) == (["0CS1", "0CS2", "0CS3"], True)
    found, _ = listed([tokens(usage(1), more=None)])
    assert refs(found) == ["0CS1"]


def test_pages_that_repeat_or_overlap_are_incomplete_and_end() -> None:
    """A listing that moves while it is read may hide a token."""
    found, _ = listed([tokens(usage(1), more="/x"), tokens(usage(1), more="/x")])
    assert (refs(found), found.complete) == (["0CS1"], False)
    found, _ = listed([tokens(usage(1), usage(2), more="/x"), tokens(usage(2), usage(3))])
    assert (refs(found), found.complete) == (["0CS1", "0CS2", "0CS3"], False)


def test_a_usage_token_without_an_id_is_counted_as_missing() -> None:
    """It cannot be ended one by one: said, not hidden."""
    found, _ = listed([tokens({"useCount": 1}, usage(2))])
    assert (refs(found), found.complete, len(found.notes)) == (["0CS2"], False, 1)


def test_no_usage_of_an_app_is_a_404_and_means_none() -> None:
    """Nothing found is not blind."""
    found, _ = listed([error("NOT_FOUND", "", 404)])
    assert (found.complete, found.blind) == (True, frozenset())


def test_oauth_tokens_are_ours_by_the_apps_id_first_then_by_its_label() -> None:
    """An id that names another app wins over an equal label; 15 and 18 characters are one id."""
    ours, theirs = CONSUMER.app_id[:15], "0xIEX00000000999AA"
    found, _ = listed(None, [rows(
        oauth(1, AppMenuItem={"ApplicationId": ours}, AppName="renamed"),
        oauth(2, AppMenuItem={"ApplicationId": theirs}),
        oauth(3, AppMenuItem=None),
        oauth(4, AppName="Other App"),
        oauth(5, DeleteToken=None),
    )])  # fmt: skip
    assert [grant.handle.reveal() for grant in found.grants] == ["delete-1", "delete-3"]


def test_the_public_name_of_an_oauth_token_is_no_secret() -> None:
    """Its row has no id, and its DeleteToken must not stand in the trail."""
    found, _ = listed(None, [rows(oauth(1), oauth(2, CreatedDate=None))])
    assert refs(found) == ["2026-11-24T07:00:00+00:00#1", "undated#2"]
    assert "delete-" not in repr(found)
    assert found.grants[1].created is None


def test_a_refused_column_is_left_out_and_the_query_repeated() -> None:
    """INVALID_FIELD: fewer columns, down to those that are documented."""
    found, org = listed(None, [error("INVALID_FIELD"), error("INVALID_FIELD"), rows(oauth(1))])
    queries = [str(r.url.params["q"]) for r in org.requests if "OauthToken" in str(r.url.params)]
    assert ["ApplicationId" in q for q in queries] == [True, False, False]
    assert ["CreatedDate" in q for q in queries] == [True, True, False]
    assert refs(found) != []


def test_the_cap_on_oauth_tokens_is_noticed_by_counting() -> None:
    """2,500 rows may be all there are, or not: COUNT() tells."""
    full = [oauth(n) for n in range(500)]
    pages: list[Reply | Handler] = [
        rows(*full, total=2500, more=f"/services/data/v65.0/query/01g-{n}") for n in range(4)
    ]
    for count, complete in ((2501, False), (2500, True)):
        found, _ = listed(None, [*pages, rows(*full, total=2500), rows(total=count)])
        assert (len(found.grants), found.complete) == (2500, complete)


def test_a_page_that_leads_back_to_itself_ends_incomplete() -> None:
    """A locator seen before is not followed again."""
    again = rows(oauth(1), more="/services/data/v65.0/query/01g-1")
    found, _ = listed(None, [again, again])
    assert not found.complete


def test_sessions_are_ours_by_the_login_behind_them() -> None:
    """The app and the flow of the login decide."""
    other_flow = session(3)
    other_flow["LoginHistory"] = {"Application": "Billing Sync", "LoginSubType": "Web"}
    found, _ = listed(None, None, [rows(session(1), session(2, "Other App"), other_flow)])
    assert refs(found) == ["0Ak000000000001CAA"]


def test_where_the_join_is_refused_the_login_history_is_read_beside() -> None:
    """Filtered by user and time only, joined here by id of either length."""
    logins = rows(
        {"Id": "0Ya000000000001CAA", "Application": "Billing Sync", "LoginSubType": "OauthClientCredentials"},
        {"Id": "0Ya000000000002CAA", "Application": "Other App", "LoginSubType": "OauthClientCredentials"},
    )
    sessions = rows(session(1, None), session(2, None))
    found, org = listed(None, None, [error("INVALID_FIELD"), sessions, logins])
    assert found.complete
    assert refs(found) == ["0Ak000000000001CAA"]
    asked = str(org.requests[-1].url.params["q"])
    assert asked.endswith(f"WHERE UserId = '{RUN_AS}' AND LoginTime >= 2026-11-24T06:59:00Z")


def test_a_session_whose_login_is_not_shown_makes_the_listing_incomplete() -> None:
    """It could be ours: said, and never ended on suspicion."""
    nobody = session(1, None) | {"LoginHistory": None}
    found, _ = listed(None, None, [rows(nobody, session(2))])
    assert (refs(found), found.complete, len(found.notes)) == (["0Ak000000000002CAA"], False, 1)


def test_our_own_session_is_marked_and_never_ended() -> None:
    """By IsCurrent, and by our user; ending it is refused before anything is sent."""
    found, _ = listed(None, None, [rows(session(1, IsCurrent=True), session(2))])
    assert [grant.own for grant in found.grants] == [True, False]
    ours, org = listed([tokens(usage(1))], [rows(oauth(1))], [rows(session(1))], user=USER)
    assert [grant.own for grant in ours.grants] == [True, True, True]
    with pytest.raises(Refused, match="own session"):
        port(org).end(CONSUMER, ours.grants[0])
    assert len(org.calls) == 3


@pytest.mark.parametrize("refusal", [error("INSUFFICIENT_ACCESS", "", 403), says("<html>", 200), says({"odd": 1}, 200)])
def test_a_listing_that_is_refused_or_unreadable_is_blind_and_says_why(refusal: httpx.Response) -> None:
    """Blindness of one listing does not hide the others, and is never "nothing there"."""
    found, _ = listed([refusal], [rows(oauth(1))], [rows(session(1))])
    assert (found.blind, found.complete, len(found.grants)) == (frozenset({Lever.USAGE}), False, 2)
    assert found.notes[0].startswith("usage: ")
    found, _ = listed(None, [refusal], None)
    assert found.blind == {Lever.OAUTHTOKEN}
    found, _ = listed(None, None, [refusal])
    assert found.blind == {Lever.AUTHSESSION}


def test_a_listing_of_an_org_that_is_down_is_tried_again_later() -> None:
    """Unavailable goes up: it is not blindness."""
    with pytest.raises(Unavailable):
        everything(port(Org(tokens(), says("", 503))), CONSUMER, RUN_AS)


def test_a_user_id_that_is_none_is_refused_before_any_query() -> None:
    """Nothing foreign gets into SOQL."""
    org = Org()
    with pytest.raises(ConfigError):
        everything(port(org), CONSUMER, "005' OR Name != '")
    with pytest.raises(ConfigError):
        port(org).find("x' OR Name != '", "")
    assert org.calls == []


def grant(lever: Lever, handle: str = "0CS1") -> Grant:
    return Grant(lever, "ref", Secret(handle), RUN_AS, None)


@pytest.mark.parametrize(
    ("lever", "call"),
    [
        (Lever.USAGE, "DELETE /services/data/v65.0/apps/oauth/usage/tokens/0CS1"),
        (Lever.AUTHSESSION, "DELETE /services/data/v65.0/sobjects/AuthSession/0CS1"),
        (Lever.OAUTHTOKEN, "POST /services/oauth2/revoke"),
    ],
)
def test_each_lever_has_its_call_and_gone_is_success(lever: Lever, call: str) -> None:
    """DELETE for two, POST revoke with the token in the body for the third."""
    gone = oauth_error("invalid_token") if lever is Lever.OAUTHTOKEN else error("NOT_FOUND", "", 404)
    for reply in (says("", 200), gone):
        org = Org(reply)
        port(org).end(CONSUMER, grant(lever))
        assert org.calls == [call]
        assert org.requests[-1].url.query == b""
    if lever is Lever.OAUTHTOKEN:
        assert parse_qs(org.requests[-1].content.decode()) == {"token": ["0CS1"]}
        assert "authorization" not in org.requests[-1].headers


@pytest.mark.parametrize("lever", list(Lever))
def test_a_lever_that_fails_is_a_write_that_failed(lever: Lever) -> None:
    """A clear no is Refused, a 503 leaves the outcome unknown, an unsafe handle is never sent."""
    with pytest.raises(Refused):
        port(Org(error("INSUFFICIENT_ACCESS", "", 403))).end(CONSUMER, grant(lever))
    with pytest.raises(OutcomeUnknown):
        port(Org(says("", 503))).end(CONSUMER, grant(lever))
    if lever is not Lever.OAUTHTOKEN:
        with pytest.raises(Refused):
            port(Org()).end(CONSUMER, grant(lever, "../../x"))
