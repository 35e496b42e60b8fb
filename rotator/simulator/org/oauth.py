"""/services/oauth2: token (client credentials, JWT bearer), revoke, userinfo, introspect."""

from __future__ import annotations

import jwt

from rotator.simulator.dice import fingerprint
from rotator.simulator.org import pairs, tokens
from rotator.simulator.org.model import App, OAuthError, Org, Token, User
from rotator.simulator.wire.call import Call, Reply, as_json

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
DROPPED_SCOPES = ("full", "web", "refresh_token", "offline_access")


def token(org: Org, call: Call) -> Reply:
    """POST /services/oauth2/token (reference section 1)."""
    form = call.form()
    grant = form.get("grant_type", "")
    refuse_wrong_host(org, call)
    if grant == "client_credentials":
        minted = client_credentials(org, call, form)
    elif grant == JWT_BEARER:
        minted = jwt_bearer(org, form)
    else:
        raise OAuthError(400, "unsupported_grant_type", "grant type not supported")
    return as_json(token_answer(org, call, minted), effect="login", about=fingerprint(minted.key))


def refuse_wrong_host(org: Org, call: Call) -> None:
    """Only the My Domain host answers token requests, when the org is strict about it."""
    host = call.headers.get("host", "").split(":")[0]
    if org.strict_host and host != org.my_domain:
        raise OAuthError(400, "invalid_grant", "request not supported on this domain")


def client_credentials(org: Org, call: Call, form: dict[str, str]) -> Token:
    """Check the pair, then the flow, then the run-as user; OAuthError says which failed."""
    basic_key, basic_secret = call.basic()
    key, secret = form.get("client_id", basic_key), form.get("client_secret", basic_secret)
    found = authenticate(org, key, secret)
    app = found.app
    if not (app.flow_in_settings and app.flow_in_policies):
        raise flow_disabled(org)
    user = next((u for u in org.users if u.id == app.run_as and u.active and not u.frozen), None)
    if user is None:
        raise OAuthError(400, "invalid_grant", "no client credentials user enabled")
    refuse_by_policy(org, app)
    return tokens.login(org, app, found.consumer, key, user, "OauthClientCredentials")


def authenticate(org: Org, key: str, secret: str) -> pairs.Claim:
    """The claim of a pair that is accepted now; OAuthError for every other pair. A blocked app knows no pair."""
    status = int(org.shapes["client_error_status"])
    found = pairs.claim(org, key)
    if found is None or not found.app.oauth_plugin_enabled or not found.app.enabled:
        raise OAuthError(status, org.shapes["dead_pair_error"], dead_text(org))
    if found.pair.secret != secret:
        raise OAuthError(status, "invalid_client", "invalid client credentials")
    if not pairs.logs_in(org, found):
        raise OAuthError(status, org.shapes["dead_pair_error"], dead_text(org))
    return found


def dead_text(org: Org) -> str:
    """The description that goes with the org's error for a pair it does not know."""
    known = {"invalid_client_id": "client identifier invalid", "invalid_client": "invalid client credentials"}
    return known[org.shapes["dead_pair_error"]]


def flow_disabled(org: Org) -> OAuthError:
    """Three sources, three codes (reference 11.14)."""
    error = org.shapes["flow_disabled_error"]
    texts = {"unsupported_grant_type": "grant type not supported", "unauthorized_client": "client not authorized"}
    return OAuthError(400, error, texts.get(error, "client credentials flow not enabled"))


def refuse_by_policy(org: Org, app: App) -> None:
    """Scopes, admin block, IP range and (where the org gates on it) the permitted-users policy."""
    if app.admin_blocked:
        raise OAuthError(400, "OAUTH_APP_BLOCKED", "this app is blocked by admin")
    if app.ip_refused:
        raise OAuthError(400, "invalid_grant", "ip restricted")
    if not granted_scopes(app):
        raise OAuthError(400, "invalid_grant", "no valid scopes defined")
    if org.shapes.yes("permitted_users_gate") and not app.pre_authorized:
        error = org.shapes["not_approved_error"]
        texts = {"invalid_app_access": "user is not admin approved to access this app"}
        raise OAuthError(400, error, texts.get(error, "user hasn't approved this consumer"))


def granted_scopes(app: App) -> str:
    """What is left of the app's scopes in this flow (reference section 1)."""
    return " ".join(scope for scope in app.scopes.split() if scope not in DROPPED_SCOPES)


def jwt_bearer(org: Org, form: dict[str, str]) -> Token:
    """Verify the assertion with the certificate registered on the app; the subject is a username."""
    assertion = form.get("assertion", "")
    try:
        issuer = str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        raise OAuthError(400, "invalid_grant", "invalid assertion") from None
    found = pairs.claim(org, issuer)
    if found is None or not found.app.certificate or not pairs.logs_in(org, found):
        raise OAuthError(400, "invalid_client_id", "client identifier invalid")
    user = next((u for u in org.users if u.username == checked_subject(org, found.app, assertion)), None)
    if user is None or not user.active or not found.app.pre_authorized:
        raise OAuthError(400, "invalid_grant", "user hasn't approved this consumer")
    return tokens.login(org, found.app, found.consumer, issuer, user, "OauthJwtBearer")


def checked_subject(org: Org, app: App, assertion: str) -> str:
    """The subject of an assertion whose RS256 signature, audience and expiry hold on the simulator's clock."""
    audiences = [*AUDIENCES, f"https://{org.my_domain}", org.url]
    try:
        claims = jwt.decode(assertion, public_key(app.certificate), algorithms=["RS256"], audience=audiences,
                            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False})  # fmt: skip
    except jwt.PyJWTError:
        raise OAuthError(400, "invalid_grant", "invalid assertion") from None
    if not org.clock.now() < float(claims.get("exp", 0)) <= org.clock.now() + 600:
        raise OAuthError(400, "invalid_grant", "expired authorization code")
    return str(claims.get("sub", ""))


def public_key(pem: str) -> str:
    """The PEM public key of a PEM certificate, or the public key as given."""
    if "BEGIN CERTIFICATE" not in pem:
        return pem
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(pem.encode()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def token_answer(org: Org, call: Call, minted: Token) -> dict[str, object]:
    """The success body; optional members come and go with the shapes."""
    hosts = {"login": "https://login.salesforce.com", "test": "https://test.salesforce.com"}
    identity = f"{hosts.get(org.shapes['id_host'], base_url(org, call))}/id/{org.id}/{minted.user}"
    app = org.app(minted.app)
    answer: dict[str, object] = {
        "access_token": minted.value, "signature": org.dice.text(43) + "=", "instance_url": base_url(org, call),
        "id": identity, "token_type": "Bearer", "issued_at": str(int(org.clock.now() * 1000)),
    }  # fmt: skip
    optional: dict[str, object] = {"scope": granted_scopes(app) if app else "",
                                   "token_format": "jwt" if minted.jwt else "opaque"}  # fmt: skip
    if minted.jwt:
        optional["api_instance_url"] = "https://api.salesforce.com"
    if org.shapes["optional_fields"] != "missing":
        answer |= optional if org.shapes["optional_fields"] == "all" else dict.fromkeys(optional)
    answer["sfdc_community_id" if org.dice.random() < 0.5 else "x_release"] = org.dice.text(6)
    return answer


def base_url(org: Org, call: Call) -> str:
    """The org's address as the caller reached it: My Domain through a mapped host, else the simulator's own."""
    host = call.headers.get("host", "")
    return f"https://{host}" if host.split(":")[0] == org.my_domain else org.url


def revoke(org: Org, call: Call) -> Reply:
    """GET or POST /services/oauth2/revoke: an access token or a DeleteToken (reference section 2)."""
    value = call.form().get("token") or call.query.get("token", "")
    if not tokens.revoke_value(org, value):
        raise OAuthError(400, org.shapes["revoke_error"], "the token is invalid")
    return Reply(200, effect="revoke")


def userinfo(org: Org, call: Call) -> Reply:
    """GET userinfo: a dead token is 403 with plain text (reference 3.2)."""
    found = tokens.find(org, call.bearer())
    if found is None or org.shapes["userinfo"] == "refused":
        return Reply(403, b"Bad_OAuth_Token", {"content-type": "text/plain"})
    tokens.touch(org, found)
    return as_json(claims_of(org, org.user(found.user), call))


def claims_of(org: Org, user: User, call: Call) -> dict[str, object]:
    """OpenID claims, also served at the identity URL."""
    base = base_url(org, call)
    return {
        "sub": f"{base}/id/{org.id}/{user.id}", "user_id": user.id, "organization_id": org.id,
        "preferred_username": user.username, "username": user.username, "name": user.name, "display_name": user.name,
        "email": user.username, "active": user.active, "id": f"{base}/id/{org.id}/{user.id}",
        "urls": {"rest": f"{base}/services/data/v{{version}}/", "query": f"{base}/services/data/v{{version}}/query/"},
    }  # fmt: skip


def introspect(org: Org, call: Call) -> Reply:
    """POST introspect: an app sees only its own tokens; anything else is just not active (reference 3.3)."""
    form = call.form()
    basic_key, basic_secret = call.basic()
    asking = authenticate(org, form.get("client_id", basic_key), form.get("client_secret", basic_secret))
    found = tokens.find(org, form.get("token", ""))
    if found is None or found.app != asking.app.id:
        return as_json({"active": False})
    user, created = org.user(found.user), int(found.created_at)
    return as_json({
        "active": True, "scope": granted_scopes(asking.app), "client_id": found.key, "username": user.username,
        "sub": f"https://login.salesforce.com/id/{org.id}/{user.id}", "token_type": "access_token",
        "exp": int(found.expires_at), "iat": created, "nbf": created,
    })  # fmt: skip
