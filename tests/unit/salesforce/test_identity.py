"""The rotator's own login: once more after a 401, the pinned org, the pinned host, both grants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rotator.adapters.salesforce import ClientCredentials, JwtBearer
from rotator.domain.errors import ConfigError, OutcomeUnknown, Refused, Unavailable, Unintelligible
from rotator.domain.pair import Pair
from rotator.domain.secret import Secret
from tests.unit.salesforce.org import (
    CONSUMER,
    HOST,
    NOW,
    ORG,
    OWN,
    TOKEN,
    USER,
    Org,
    error,
    oauth_error,
    port,
    says,
    token_answer,
)

DEAD = error("INVALID_SESSION_ID", "Session expired or invalid", 401)
STAGED = says({"key": "k", "id": "SC1", "secret": "s"}, 201)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def logins(org: Org) -> list[httpx.Request]:
    return [request for request in org.requests if request.url.path == "/services/oauth2/token"]


def test_one_login_serves_many_calls() -> None:
    """The token is kept."""
    org = Org(says({"key": "k"}), says({"key": "k"}))
    sf = port(org)
    sf.primary(CONSUMER)
    sf.primary(CONSUMER)
    assert len(logins(org)) == 1
    assert [r.headers["authorization"] for r in org.requests[1:]] == [f"Bearer {TOKEN}"] * 2


def test_a_dead_token_is_replaced_once_and_even_a_write_is_sent_again() -> None:
    """A 401 proves that nothing was done."""
    org = Org(DEAD, STAGED, logins=[says(token_answer()), says(token_answer(access_token="second-token"))])
    assert port(org).stage(CONSUMER).pair.key == "k"
    assert [r.headers["authorization"] for r in org.requests if "staged" in r.url.path] == [
        f"Bearer {TOKEN}",
        "Bearer second-token",
    ]


def test_a_second_401_is_a_clear_refusal_and_no_third_try() -> None:
    """The org does not take a fresh token: that is for a human."""
    org = Org(DEAD, DEAD)
    with pytest.raises(Refused) as caught:
        port(org).stage(CONSUMER)
    assert (caught.value.code, len(org.calls), len(logins(org))) == ("own_session", 2, 2)


def test_a_write_that_is_lost_after_the_new_login_is_of_unknown_outcome() -> None:
    """Only the 401 was certain."""
    with pytest.raises(OutcomeUnknown):
        port(Org(DEAD, httpx.ReadError("x"))).stage(CONSUMER)


def test_a_login_that_fails_leaves_nothing_and_is_tried_anew() -> None:
    """Down at the first call, up at the second."""
    org = Org(says({"key": "k"}), logins=[says("", 503), says(token_answer())])
    sf = port(org)
    with pytest.raises(Unavailable):
        sf.primary(CONSUMER)
    assert sf.primary(CONSUMER).key == "k"


def test_credentials_are_asked_at_each_login() -> None:
    """The rotator's own pair may be rotated while it runs."""
    given = iter([ClientCredentials("one", OWN.secret), ClientCredentials("two", OWN.secret)])
    org = Org(DEAD, says({"key": "k"}))
    port(org, credentials=lambda: next(given)).primary(CONSUMER)
    assert [parse_qs(r.content.decode())["client_id"] for r in logins(org)] == [["one"], ["two"]]


REFUSED = oauth_error("invalid_client_id", "client identifier invalid")


def keys(org: Org) -> list[str]:
    """The consumer keys that were logged in with, in order."""
    return [parse_qs(request.content.decode())["client_id"][0] for request in logins(org)]


def test_a_pair_that_was_replaced_while_we_asked_is_read_once_more() -> None:
    """The rotator's own pair may be rotated between our read and our request."""
    given = iter([ClientCredentials("old", OWN.secret), ClientCredentials("new", OWN.secret)])
    org = Org(says({"key": "k"}), logins=[REFUSED, says(token_answer())])
    sf = port(org, credentials=lambda: next(given))
    sf.primary(CONSUMER)
    assert keys(org) == ["old", "new"]
    assert sf.own_key == "new"


def test_a_new_pair_that_is_not_known_everywhere_yet_gives_way_to_the_one_before() -> None:
    """It is valid through the overlap, so that no moment exists in which we cannot log in."""
    given = iter([ClientCredentials("old", OWN.secret), *[ClientCredentials("new", OWN.secret)] * 4])
    org = Org(says({"key": "k"}), DEAD, says({"key": "k"}), DEAD, says({"key": "k"}),
              logins=[says(token_answer()), REFUSED, says(token_answer()), says(token_answer())])  # fmt: skip
    sf = port(org, credentials=lambda: next(given))
    for _ in range(3):
        sf.primary(CONSUMER)
    assert keys(org) == ["old", "new", "old", "new"]
    assert sf.own_key == "new"


def test_a_pair_that_is_refused_is_asked_with_once() -> None:
    """Nothing else is known: one request, and a clear word."""
    org = Org(logins=[REFUSED])
    with pytest.raises(Refused):
        port(org).primary(CONSUMER)
    assert len(logins(org)) == 1


def test_our_own_pair_refused_says_so() -> None:
    """It is not the target's pair: another fix."""
    with pytest.raises(Refused) as caught:
        port(Org(logins=[oauth_error("invalid_client", "invalid client credentials")])).primary(CONSUMER)
    assert caught.value.code == "own_login"
    assert "admin" in caught.value.fix


def test_the_first_answer_pins_the_org_where_none_is_named() -> None:
    """The id is known after the first login, in its long form."""
    identity = f"https://test.salesforce.com/id/{ORG[:15]}/{USER[:15]}"
    sf = port(Org(says({"key": "k"}), logins=[says(token_answer(id=identity))]))
    assert sf.org_id == ""
    sf.primary(CONSUMER)
    assert (sf.org_id, sf.user_id) == (ORG, USER)


def test_another_org_behind_the_host_is_refused_before_any_call() -> None:
    """A refreshed sandbox keeps its host and gets a new id."""
    org = Org()
    with pytest.raises(Refused) as caught:
        port(org, org_id="00DEX0000000999AAA").primary(CONSUMER)
    assert (caught.value.code, org.calls) == ("org_mismatch", [])
    assert ORG in caught.value.message


@pytest.mark.parametrize("identity", [None, "", "https://x/id/00D/005", f"https://x/id/{ORG}/{USER}/../y", 7])
def test_an_answer_that_does_not_say_which_org_is_not_used(identity: object) -> None:
    """Without an org id nothing is pinned, and nothing is called."""
    org = Org(logins=[says(token_answer(id=identity))])
    with pytest.raises(Unintelligible):
        port(org).primary(CONSUMER)
    assert org.calls == []


def test_instance_url_and_every_other_url_of_an_answer_are_ignored() -> None:
    """Whatever host the token answer names, calls and secrets go to the configured one."""
    lies = token_answer(instance_url="https://evil.example", api_instance_url="https://evil.example")
    org = Org(
        says([{"key": "k", "id": "SC1", "url": "https://evil.example/staged/SC1"}]),
        says("", 204),
        says({"records": [], "done": False, "nextRecordsUrl": "https://evil.example/services/data/v65.0/query/01g1"}),
        says({"records": [{"Id": "x"}], "done": True}),
        logins=[says(lies)],
    )
    sf = port(org)
    sf.delete(CONSUMER, sf.slot(CONSUMER)[0].id)
    assert sf.query("SELECT Id FROM User") == ({"Id": "x"},)
    assert {str(request.url.copy_with(raw_path=b"/")) for request in org.requests} == {HOST + "/"}
    assert org.calls[-1] == "GET /services/data/v65.0/query/01g1"


def test_a_pair_login_sends_the_secret_in_the_body_only() -> None:
    """Not in URL or header; a stray newline of a stored value is trimmed."""
    org = Org(says(token_answer()))
    port(org).login(Pair("3MVG9 x", Secret("s&cret=1\n")))
    (request,) = org.requests
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["3MVG9 x"], "client_secret": ["s&cret=1"],
    }  # fmt: skip
    assert "cret" not in f"{request.url} {request.headers}"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("changes", "jwt_like"),
    [
        ({}, False),
        ({"token_format": None}, False),
        ({"token_format": "JWT"}, True),
        ({"access_token": "eyJhbGciOi.x.y"}, True),
    ],
)
def test_a_self_contained_token_is_known_by_its_format_or_its_look(changes: dict[str, object], jwt_like: bool) -> None:
    """token_format may be missing."""
    login = port(Org(says(token_answer(**changes)))).login(Pair("k", Secret("s")))
    assert (login.self_contained, login.org_id, login.user_id) == (jwt_like, ORG, USER)


def test_a_pair_without_its_secret_cannot_log_in() -> None:
    """Nothing is sent."""
    org = Org()
    with pytest.raises(ConfigError):
        port(org).login(Pair("k"))
    assert org.requests == []


def assertion(request: httpx.Request) -> dict[str, object]:
    """The claims of a JWT bearer request, its signature checked."""
    form = parse_qs(request.content.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims: dict[str, object] = jwt.decode(
        form["assertion"][0], KEY.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_aud": False}
    )
    return claims


def test_a_signed_assertion_logs_in_without_a_secret() -> None:
    """Issuer, subject, audience (the org's host unless told) and three minutes to live."""
    org = Org(says({"key": "k"}))
    port(org, credentials=lambda: JwtBearer("3MVG9own", "rotator@acme.example", Secret(PEM))).primary(CONSUMER)
    assert assertion(org.requests[0]) == {
        "iss": "3MVG9own", "sub": "rotator@acme.example", "aud": HOST, "exp": int(NOW.timestamp()) + 180,
    }  # fmt: skip


def test_an_assertion_is_signed_again_by_the_orgs_clock_where_ours_is_wrong() -> None:
    """Our clock is an hour ahead: the Date of the refusal tells, once."""
    refusals = [oauth_error("invalid_grant", "expired authorization code"), says(token_answer())]
    org = Org(says({"key": "k"}), logins=[*refusals])
    own = JwtBearer("3MVG9own", "rotator@acme.example", Secret(PEM), audience="https://login.salesforce.com")
    port(org, credentials=lambda: own, now=lambda: NOW + timedelta(hours=1)).primary(CONSUMER)
    assert [assertion(r)["exp"] for r in logins(org)] == [int(NOW.timestamp()) + 3780, int(NOW.timestamp()) + 180]
    assert assertion(org.requests[0])["aud"] == "https://login.salesforce.com"


@pytest.mark.parametrize("pem", ["", "not a key", PEM[:200]])
def test_a_key_that_cannot_sign_is_a_configuration_error_without_its_text(pem: str) -> None:
    """The key does not stand in the error."""
    with pytest.raises(ConfigError) as caught:
        port(Org(), credentials=lambda: JwtBearer("k", "u", Secret(pem))).primary(CONSUMER)
    assert "not a key" not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__suppress_context__


def test_the_orgs_clock_moves_on_between_answers() -> None:
    """The last Date plus the time since, without a call."""
    ticks = [100.0]
    sf = port(Org(says({"key": "k"})), monotonic=lambda: ticks[0])
    assert sf.time() is None
    sf.primary(CONSUMER)
    ticks[0] = 103.5
    assert sf.time() == datetime(2026, 11, 24, 8, 0, 3, 500_000, tzinfo=UTC)


def test_the_limit_header_is_read_in_each_of_its_forms() -> None:
    """Plain, with bursts, with the app; nonsense is left out (reference 7)."""
    header = "api-usage=18/5000; api-bursts=1/750; per-app-api-usage=17/250(appName=x); odd; new=a/b"
    sf = port(Org(says({"key": "k"}, sforce_limit_info=header)))
    sf.primary(CONSUMER)
    assert sf.limit_info == {"api-usage": (18, 5000), "api-bursts": (1, 750), "per-app-api-usage": (17, 250)}
