"""Logins, permissions and tokens of the simulated org."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rotator.simulator import start
from tests.simulator.sim import DATA, Sim

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def key_and_certificate() -> tuple[str, str]:
    """A private key and a self-signed certificate, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rotator")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = made.sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, signed.public_bytes(Encoding.PEM).decode()


def assertion(sim: Sim, key: str, **changes: Any) -> httpx.Response:
    """A JWT bearer request as the rotator's own user."""
    now = sim.admin("GET", "/clock")["now"]
    claims = {"iss": sim.acme["admin"]["client_id"], "sub": sim.acme["admin"]["username"], "exp": int(now) + 180,
              "aud": "https://login.salesforce.com"} | changes  # fmt: skip
    form = {"grant_type": BEARER, "assertion": jwt.encode(claims, key, algorithm="RS256")}
    return sim.org.post("/services/oauth2/token", data=form)


def test_a_basic_header_logs_in_as_well_as_a_body(sim: Sim) -> None:
    """The pair may stand in an Authorization header."""
    header = base64.b64encode(":".join(sim.old).encode()).decode()
    form = {"grant_type": "client_credentials"}
    reply = sim.org.post("/services/oauth2/token", data=form, headers={"authorization": f"Basic {header}"})
    assert sim.alive(reply.json()["access_token"])
    assert reply.json()["id"].endswith(f"/id/{sim.acme['org_id']}/{sim.billing['user_id']}")


def test_a_jwt_bearer_login_needs_the_registered_key(sim: Sim) -> None:
    """RS256 with the app's certificate, right audience, not expired: a token; anything else: none."""
    key, certificate = key_and_certificate()
    other, _ = key_and_certificate()
    assert assertion(sim, key).json()["error"] == "invalid_client_id"
    sim.admin("PATCH", "/orgs/acme/apps/rotator", {"certificate": certificate})
    assert sim.alive(assertion(sim, key).json()["access_token"])
    wrong = [assertion(sim, other), assertion(sim, key, aud="https://evil.example.com"), assertion(sim, key, exp=1),
             assertion(sim, key, sub="nobody@acme.example")]  # fmt: skip
    assert [reply.json()["error"] for reply in wrong] == ["invalid_grant"] * 4


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"flow_in_settings": False}, "unsupported_grant_type"),
        ({"admin_blocked": True}, "OAUTH_APP_BLOCKED"),
        ({"ip_refused": True}, "invalid_grant"),
        ({"scopes": "full web"}, "invalid_grant"),
        ({"oauth_plugin_enabled": False}, "invalid_client_id"),
        ({"enabled": False}, "invalid_client_id"),
    ],
)
def test_an_app_refuses_logins_by_its_settings(sim: Sim, change: dict[str, Any], error: str) -> None:
    """Each setting has the error of reference section 1."""
    sim.admin("PATCH", "/orgs/acme/apps/billing", change)
    assert sim.login(*sim.old).json()["error"] == error


def test_an_inactive_run_as_user_ends_everything(sim: Sim) -> None:
    """No login, and the tokens it held are dead."""
    token = sim.token(sim.old)
    sim.admin("PATCH", f"/orgs/acme/users/{sim.billing['username']}", {"active": False})
    assert sim.login(*sim.old).json()["error_description"] == "no client credentials user enabled"
    assert not sim.alive(token)


def test_a_wrong_secret_is_not_an_unknown_key(sim: Sim) -> None:
    """invalid_client for the secret, the org's error for the key."""
    assert sim.login(sim.old[0], "wrong").json()["error"] == "invalid_client"
    assert sim.login("3MVG9nobody", "wrong").json()["error"] == "invalid_client_id"


def test_a_good_token_without_api_scope_is_forbidden_not_dead(sim: Sim) -> None:
    """403, which is no death certificate."""
    token = sim.token(sim.old)
    sim.admin("PATCH", "/orgs/acme/apps/billing", {"scopes": "sfap_api"})
    reply = sim.org.get(f"{DATA}/limits", headers={"authorization": f"Bearer {token}"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")


def test_a_dead_token_is_401_and_the_version_list_never_is(sim: Sim) -> None:
    """INVALID_SESSION_ID on REST, 403 text on userinfo, 200 on the list that proves nothing."""
    token = sim.token(sim.old)
    assert sim.org.post("/services/oauth2/revoke", data={"token": token}).status_code == 200
    dead = {"authorization": f"Bearer {token}"}
    reply = sim.org.get(f"{DATA}/limits", headers=dead)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    told = sim.org.get("/services/oauth2/userinfo", headers=dead)
    assert (told.status_code, told.text) == (403, "Bad_OAuth_Token")
    assert sim.org.get("/services/data", headers=dead).json()[-1]["version"] == "66.0"


def test_an_opaque_session_slides_and_a_jwt_does_not(sim: Sim) -> None:
    """Use keeps an opaque token alive past its timeout; a self-contained one ends on time."""
    opaque = sim.token(sim.old)
    sim.admin("PATCH", "/orgs/acme/apps/billing", {"format": "jwt", "jwt_minutes": 120})
    contained = sim.token(sim.old)
    for _ in range(3):
        sim.advance(3500)
        assert sim.alive(opaque)
    assert not sim.alive(contained)
    sim.advance(7300)
    assert not sim.alive(opaque)


def test_introspection_shows_an_app_its_own_tokens_only(sim: Sim) -> None:
    """active for one's own live token, not active for another app's."""
    own, other = sim.token(sim.old), sim.org.headers["authorization"].split()[1]
    form = {"client_id": sim.old[0], "client_secret": sim.old[1]}
    told = sim.org.post("/services/oauth2/introspect", data=form | {"token": own}).json()
    assert (told["active"], told["client_id"]) == (True, sim.old[0])
    assert sim.org.post("/services/oauth2/introspect", data=form | {"token": other}).json() == {"active": False}


@pytest.mark.parametrize("missing", ["ExternalClientAppDeveloper", "ViewClientSecret"])
def test_staging_needs_both_permissions(sim: Sim, missing: str) -> None:
    """Without either: 403 FUNCTIONALITY_NOT_ENABLED, and nothing staged."""
    user = sim.acme["admin"]["username"]
    held = sim.admin("PATCH", f"/orgs/acme/users/{user}", {})["permissions"]
    sim.admin("PATCH", f"/orgs/acme/users/{user}", {"permissions": [name for name in held if name != missing]})
    reply = sim.org.post(f"{sim.credentials}/staged", json={})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (403, "FUNCTIONALITY_NOT_ENABLED")
    assert sim.slot() == []


def test_the_org_setting_hides_secrets_but_not_keys(sim: Sim) -> None:
    """With REST access to secrets off: part=key works, secrets and staging do not."""
    sim.admin("PATCH", "/orgs/acme", {"rest_secret_access": False})
    assert sim.org.get(sim.credentials, params={"part": "key"}).json()["key"] == sim.old[0]
    assert sim.org.get(sim.credentials, params={"part": "KeyAndSecret"}).status_code == 403
    assert sim.org.get(f"{sim.credentials}/staged").status_code == 403


def test_staging_came_with_version_65(sim: Sim) -> None:
    """404 under 64.0, 200 under 66.0; credentials are older than staging."""
    old, new = sim.credentials.replace("v65.0", "v64.0"), sim.credentials.replace("v65.0", "v66.0")
    assert sim.org.get(f"{old}/staged").status_code == 404
    assert sim.org.get(old).status_code == 200
    assert sim.org.get(f"{new}/staged").status_code == 200


def test_every_answer_carries_a_request_id_and_the_orgs_date(sim: Sim) -> None:
    """The Date header follows the simulator's clock."""
    sim.advance(86400 * 3)
    first, second = sim.org.get("/services/data"), sim.org.get("/services/data")
    assert first.headers["x-sfdc-request-id"] != second.headers["x-sfdc-request-id"]
    shown = datetime.strptime(first.headers["date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(shown.timestamp() - sim.admin("GET", "/clock")["now"]) < 5


def test_a_strict_org_and_the_trap_refuse_other_hosts() -> None:
    """Only My Domain gets a token; the login.-like host never gives one."""
    with start(seed=3, strict_host=True, trap=True) as running, httpx.Client(trust_env=False) as client:
        app = client.get(f"{running.admin_url}/world").json()["orgs"]["acme"]["apps"]["billing"]
        form = {"grant_type": "client_credentials", "client_id": app["client_id"],
                "client_secret": app["client_secret"]}  # fmt: skip
        path = "/services/oauth2/token"
        mapped = {"host": "acme.my.salesforce.com"}
        replies = [client.post(running.org_url + path, data=form), client.post(running.trap_url + path, data=form),
                   client.post(running.org_url + path, data=form, headers=mapped)]  # fmt: skip
    assert [reply.status_code for reply in replies] == [400, 400, 200]
    assert replies[2].json()["instance_url"] == "https://acme.my.salesforce.com"
