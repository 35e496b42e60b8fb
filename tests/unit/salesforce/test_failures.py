"""Every row of the failure table: which error, which cause, and whether the outcome is known."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from rotator.adapters.salesforce import SalesforceOrg
from rotator.domain.errors import (
    NotFound,
    OutcomeUnknown,
    Refused,
    RotatorError,
    SlotTaken,
    Unavailable,
    Unintelligible,
)
from rotator.domain.pair import Pair
from rotator.domain.secret import Secret
from tests.unit.salesforce.org import CONSUMER, TOKEN, Org, error, oauth_error, port, says, token_answer

PAIR = Pair("3MVG9pair", Secret("PAIR-SECRET-PAIR-SECRET"))
HTML = "<html><body><h1>Down for maintenance</h1></body></html>"

READ_ROWS = [
    (error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), Unavailable, "api_limit"),
    (error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 429), Unavailable, "api_limit"),
    (error("TOO_MANY", "", 429), Unavailable, "throttled"),
    (error("FUNCTIONALITY_NOT_ENABLED", "", 403), Refused, "secret_access"),
    (says("This feature is not currently enabled for this user", 403), Refused, "secret_access"),
    (error("API_DISABLED_FOR_ORG", "", 403), Refused, "api_disabled"),
    (error("INVALID_IP_RANGE", "outside the range", 403), Refused, "ip_refused"),
    (error("INSUFFICIENT_ACCESS_OR_READONLY", "", 403), Refused, "permission"),
    (error("WHATEVER", "", 403), Refused, "forbidden"),
    (error("NOT_FOUND", "", 404), NotFound, "not_found"),
    (says(HTML, 404), NotFound, "not_found"),
    (error("INVALID_ID_FIELD", "", 400), Refused, "bad_request"),
    (error("CONFLICT", "", 409), Refused, "conflict"),
    (error("X", "", 412), Refused, "bad_request"),
    (says({"errorCode": "X", "message": "one object"}, 422), Refused, "bad_request"),
    (says("", 408), Unavailable, "unavailable"),
    (error("UNKNOWN_EXCEPTION", "", 500), Unavailable, "unavailable"),
    (says(HTML, 503), Unavailable, "unavailable"),
    (says("", 302, location="https://evil.example/"), Refused, "redirect"),
    (says("", 700), Unintelligible, "unintelligible"),
    (says(HTML, 200), Unintelligible, "unintelligible"),
    (says([], 200), Unintelligible, "unintelligible"),
    (says({"key": None}, 200), Unintelligible, "unintelligible"),
]


@pytest.mark.parametrize(("reply", "kind", "code"), READ_ROWS)
def test_each_failure_of_a_read_has_its_error_and_its_fix(
    reply: httpx.Response, kind: type[RotatorError], code: str
) -> None:
    """Status and words decide; each error says what to do next."""
    with pytest.raises(RotatorError) as caught:
        port(Org(reply)).primary(CONSUMER)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.http_status == reply.status_code
    assert caught.value.fix


WRITES: dict[str, Callable[[SalesforceOrg], object]] = {
    "stage": lambda sf: sf.stage(CONSUMER),
    "promote": lambda sf: sf.promote(CONSUMER, "SC1"),
    "delete": lambda sf: sf.delete(CONSUMER, "SC1"),
}
CERTAIN = [
    (error("REQUEST_LIMIT_EXCEEDED", "", 403), Unavailable),
    (error("X", "", 429), Unavailable),
    (error("FUNCTIONALITY_NOT_ENABLED", "", 403), Refused),
    (error("INVALID_ID_FIELD", "", 400), Refused),
]
UNCERTAIN = [
    says("", 408),
    error("UNKNOWN_EXCEPTION", "", 500),
    says(HTML, 503, retry_after="7"),
    says("", 307, location="https://evil.example/"),
    says("", 700),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(("reply", "kind"), CERTAIN)
def test_a_write_that_was_clearly_refused_changed_nothing(
    write: str, reply: httpx.Response, kind: type[RotatorError]
) -> None:
    """Throttling and clear refusals prove that nothing was done; the write is sent once."""
    org = Org(reply)
    with pytest.raises(RotatorError) as caught:
        WRITES[write](port(org))
    assert type(caught.value) is kind
    assert len(org.calls) == 1


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("reply", [*UNCERTAIN, httpx.ReadTimeout("x"), httpx.ReadError("x")])
def test_a_write_without_a_clear_answer_is_of_unknown_outcome(write: str, reply: httpx.Response | Exception) -> None:
    """5xx, redirects, lost replies: it may have been done, and it is never sent twice."""
    org = Org(reply)
    with pytest.raises(OutcomeUnknown):
        WRITES[write](port(org))
    assert len(org.calls) == 1


UNREADABLE = [
    b"", b"<html>", b"null", b"[]", b"{}", b'{"stagedCredentials": []}', b'{"stagedCredentials": null}',
    b'[{"id": "SC1"}]', b'[{"key": "a"}, {"key": "b"}]', b'[{"key": "a b"}]',
]  # fmt: skip


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_post_whose_good_answer_cannot_be_read_is_of_unknown_outcome(body: bytes) -> None:
    """201 without exactly one key: a pair may stand there now."""
    with pytest.raises(OutcomeUnknown):
        port(Org(says(body, 201))).stage(CONSUMER)


@pytest.mark.parametrize(
    "reply",
    [
        error("X", "", 409),
        error("DUPLICATE_VALUE", "", 400),
        error("X", "Staged credentials already exist for this consumer.", 400),
        says(HTML, 409),
    ],
)
def test_a_taken_slot_has_an_error_of_its_own(reply: httpx.Response) -> None:
    """The words are written down nowhere, so all likely ones count; another 400 does not."""
    with pytest.raises(SlotTaken):
        port(Org(reply)).stage(CONSUMER)
    with pytest.raises(Refused) as caught:
        port(Org(error("INVALID_OPERATION", "plugin disabled"))).stage(CONSUMER)
    assert not isinstance(caught.value, SlotTaken)


@pytest.mark.parametrize(("status", "body"), [(200, b"[1]"), (202, b"<html>"), (204, b""), (200, b"")])
def test_what_a_good_promote_or_delete_answers_does_not_matter(status: int, body: bytes) -> None:
    """Docs and clients disagree about these bodies: any 2xx is a success."""
    port(Org(says(body, status))).promote(CONSUMER, "SC1")
    port(Org(says(body, status))).delete(CONSUMER, "SC1")
    assert port(Org(error("NOT_FOUND", "", 404))).delete(CONSUMER, "SC1") is None  # type: ignore[func-returns-value]


TOKEN_ROWS = [
    (oauth_error("invalid_grant", "no client credentials user enabled"), Refused, "run_as_missing"),
    (oauth_error("invalid_grant", "request not supported on this domain"), Refused, "wrong_host"),
    (oauth_error("unsupported_grant_type", "grant type not supported"), Refused, "flow_disabled"),
    (oauth_error("invalid_grant", "client credentials flow not enabled"), Refused, "flow_disabled"),
    (oauth_error("unauthorized_client"), Refused, "flow_disabled"),
    (oauth_error("invalid_grant", "no valid scopes defined"), Refused, "no_scopes"),
    (oauth_error("invalid_grant", "user hasn\u2019t approved this consumer"), Refused, "not_approved"),
    (oauth_error("invalid_app_access", "user is not admin approved", 401), Refused, "not_approved"),
    (oauth_error("OAUTH_APP_BLOCKED", "this app is blocked by admin"), Refused, "app_blocked"),
    (oauth_error("inactive_user"), Refused, "run_as_inactive"),
    (oauth_error("inactive_org"), Refused, "org_inactive"),
    (oauth_error("invalid_grant", "ip restricted"), Refused, "ip_refused"),
    (oauth_error("invalid_grant", "authentication failure"), Refused, "authentication_failure"),
    (oauth_error("invalid_client", "client credentials flow not enabled"), Refused, "flow_disabled"),
    (oauth_error("invalid_client", "invalid client credentials", 403), Refused, "login_refused"),
    (oauth_error("who_knows"), Refused, "login_refused"),
    (says(HTML, 400), Refused, "login_refused"),
    (oauth_error("rate_limit_exceeded", "login rate exceeded"), Unavailable, "login_rate"),
    (oauth_error("x", "", 429), Unavailable, "throttled"),
    (oauth_error("server_error", ""), Unavailable, "unavailable"),
    (says(HTML, 502), Unavailable, "unavailable"),
    (oauth_error("invalid_client", "", 503), Unavailable, "unavailable"),
    (says("", 301, location="https://login.salesforce.com/"), Refused, "redirect"),
    (says({"token_type": "Bearer"}), Unintelligible, "unintelligible"),
    (says(HTML), Unintelligible, "unintelligible"),
    (says(token_answer(access_token="with\r\nnewline")), Unintelligible, "unintelligible"),
]


@pytest.mark.parametrize(("reply", "kind", "code"), TOKEN_ROWS)
def test_each_failure_of_a_login_has_its_error_and_its_fix(
    reply: httpx.Response, kind: type[RotatorError], code: str
) -> None:
    """Nothing but invalid client is an answer; each other refusal names its cause."""
    with pytest.raises(RotatorError) as caught:
        port(Org(reply)).login(PAIR)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.fix


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("code", ["invalid_client", "invalid_client_id"])
def test_only_invalid_client_with_400_or_401_is_a_refused_pair(status: int, code: str) -> None:
    """Both codes, both statuses, and no error."""
    login = port(Org(oauth_error(code, "client identifier invalid", status))).login(PAIR)
    assert (login.accepted, login.token) == (False, None)
    assert login.at is not None


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    """Both forms, bounded by a day; nonsense is none."""
    date = "Tue, 24 Nov 2026 08:01:30 GMT"
    for value, wait in (("30", 30.0), (date, 90.0), ("999999999", 86400.0), ("soon", None), ("-5", None)):
        with pytest.raises(Unavailable) as caught:
            port(Org(says("", 503, retry_after=value))).primary(CONSUMER)
        assert caught.value.retry_after == wait, value


def test_the_request_id_of_the_far_side_is_kept_and_cleaned() -> None:
    """It stands in the error and at the port, without what could break a line."""
    sf = port(Org(error("X", "", 400, x_sfdc_request_id="abc-123;\tDROP"), says({"key": "k"}, x_sfdc_request_id="two")))
    with pytest.raises(Refused) as caught:
        sf.primary(CONSUMER)
    assert (caught.value.request_id, sf.request_id) == ("abc-123DROP", "abc-123DROP")
    sf.primary(CONSUMER)
    assert sf.request_id == "two"


@pytest.mark.parametrize("shape", ["[{0}]", "{0}"])
@pytest.mark.parametrize("place", ["errorCode", "message", "error", "error_description"])
def test_a_secret_that_the_org_echoes_does_not_reach_the_error(shape: str, place: str) -> None:
    """In any member, in upper case or in part: only our own words and a plain code come through."""
    for secret in (PAIR.secret, Secret(TOKEN)):
        assert secret
        for echo in (secret.reveal(), secret.reveal().upper(), "SECRET", "\x1b[31mEVIL", secret.reveal()[:20]):
            body = {"errorCode": "SECRET_PAIR", "error": "SECRET_PAIR", place: echo}
            with pytest.raises(RotatorError) as first:
                port(Org(says([body], 400))).primary(CONSUMER)
            with pytest.raises(RotatorError) as second:
                port(Org(says([body], 400))).login(PAIR)
            for told in (first.value, second.value):
                text = f"{told} {told.message} {told.fix} {told.code} {told.__cause__} {told.__context__}"
                assert PAIR.secret
                assert PAIR.secret.reveal() not in text
                assert TOKEN not in text
                assert "\x1b" not in text
                assert told.message.isprintable()


@pytest.mark.parametrize("echo", ["lettersonlysecret", "LETTERSONLYSECRET", "lettersonly", "xlettersonlysecretx"])
def test_a_secret_of_letters_alone_is_no_code(echo: str) -> None:
    """Made-up secrets may look like a code: whatever is part of what we sent, or holds it, is not repeated."""
    with pytest.raises(Refused) as caught:
        port(Org(oauth_error(echo))).login(Pair("k", Secret("lettersonlysecret")))
    assert "lettersonly" not in caught.value.message.lower()


def test_a_plain_code_is_repeated_for_the_operator() -> None:
    """An unknown code helps whoever looks it up."""
    with pytest.raises(Refused, match=r"HTTP 400 STRANGE_THING"):
        port(Org(error("STRANGE_THING", "", 400))).primary(CONSUMER)
