"""The token endpoint: client credentials and JWT bearer (reference section 1). Secrets go in the body only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.adapters.http import Answer
from rotator.adapters.salesforce.failures import TOKEN, find, http_date, said, unintelligible
from rotator.adapters.salesforce.ids import long_id
from rotator.domain.errors import ConfigError
from rotator.domain.pair import Pair
from rotator.domain.secret import Secret
from rotator.domain.session import Login

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path, not a token
ASSERTION_LIFE = timedelta(minutes=3)
_INVALID_CLIENT = ("invalid_client", "invalid_client_id")
_IDENTITY = re.compile(r"/id/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/(005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/?")
_TOKEN = re.compile(r"[\x21-\x7e]{8,16384}")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The rotator's own pair."""

    key: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """The rotator's own login by a signed assertion. `key` is a PEM private key; no audience: the org's host."""

    client_id: str
    username: str
    key: Secret
    audience: str = ""


AdminCredentials = ClientCredentials | JwtBearer


def key_of(credentials: AdminCredentials) -> str:
    """The consumer key, which is no secret."""
    return credentials.client_id if isinstance(credentials, JwtBearer) else credentials.key.strip()


def pair_form(key: str, secret: Secret) -> dict[str, str]:
    """The body of a client credentials request; stored values may carry a stray newline (reference 1)."""
    return {
        "grant_type": "client_credentials",
        "client_id": key.strip(),
        "client_secret": secret.reveal().strip(),
    }


def admin_form(credentials: AdminCredentials, origin: str, now: datetime) -> dict[str, str]:
    """The body of the rotator's own login. Raises ConfigError where the private key cannot sign."""
    if isinstance(credentials, ClientCredentials):
        return pair_form(credentials.key, credentials.secret)
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": _assertion(credentials, origin, now),
    }


def _assertion(credentials: JwtBearer, origin: str, now: datetime) -> str:
    import jwt  # here, because it takes nine megabytes, and most rotators log in with a pair

    claims = {
        "iss": credentials.client_id,
        "sub": credentials.username,
        "aud": credentials.audience or origin,
        "exp": int((now + ASSERTION_LIFE).timestamp()),
    }
    try:
        return jwt.encode(claims, credentials.key.reveal(), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ConfigError(
            "the private key of the rotator's own login cannot sign",
            fix="give a PEM file with an unencrypted RSA private key in `key_file`",
        ) from None


def admin_secrets(credentials: AdminCredentials) -> tuple[Secret, ...]:
    """What must not come back in an error text."""
    return (credentials.secret,) if isinstance(credentials, ClientCredentials) else (credentials.key,)


def is_invalid_client(answer: Answer) -> bool:
    """Only these two codes with 400 or 401 count as "this pair is not accepted" (reference 1), and only where the
    description does not name another cause."""
    generic = find(answer, TOKEN).code == "login_refused"
    return answer.status in (400, 401) and said(answer).code in _INVALID_CLIENT and generic


def login(answer: Answer, what: str) -> Login:
    """The answer 200 as a Login. Raises Unintelligible where it holds no token; the rest is optional."""
    body = _object(answer)
    token = body.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise unintelligible(what, "the answer holds no access token", answer)
    org_id, user_id = identity(body.get("id"))
    return Login(
        accepted=True,
        token=Secret(token),
        org_id=org_id,
        user_id=user_id,
        self_contained=str(body.get("token_format", "")).lower() == "jwt" or token.startswith("eyJ"),
        at=http_date(answer.headers.get("date", "")),
    )


def identity(value: object) -> tuple[str, str]:
    """Org and run-as user of an identity URL, whatever its host; two empty texts where it is no such URL."""
    found = _IDENTITY.search(value) if isinstance(value, str) and len(value) < 1000 else None
    return (long_id(found[1]), long_id(found[2])) if found and found.end() == found.endpos else ("", "")


def _object(answer: Answer) -> Mapping[str, object]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def needs_secret(pair: Pair) -> Secret:
    """The pair's secret. Raises ConfigError: a pair without one cannot log in."""
    if not pair.secret:
        raise ConfigError("a login needs the pair's secret, and it is not known")
    return pair.secret
