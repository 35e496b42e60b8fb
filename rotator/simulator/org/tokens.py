"""Access tokens, sessions, login history, and the three levers that end tokens held by others. No HTTP."""

from __future__ import annotations

import base64
import json
from itertools import takewhile

from rotator.simulator.org.model import App, Consumer, Login, OAuthError, Org, Session, Token, User

HOUR = 3600.0


def login(org: Org, app: App, consumer: Consumer, key: str, user: User, flow: str) -> Token:
    """Log the user in through the app: history row, session, token. The hourly limit raises OAuthError."""
    throttle(org, app, user, flow)
    app.used = True
    record = note_login(org, app, user, flow, "Success")
    if org.facts.yes("session_shared_between_logins"):
        shared = shareable(org, app, key, user)
        if shared:
            touch(org, shared)
            session_of(org, shared).login = record.id
            return shared
    return mint(org, app, consumer, key, user, record, flow)


def throttle(org: Org, app: App, user: User, flow: str) -> None:
    """3,600 logins an hour and user (reference 7); over it, a body that is not documented."""
    start = org.clock.now() - HOUR
    hour = takewhile(lambda x: x.at > start, reversed(org.logins))
    if sum(x.user == user.id and x.status == "Success" for x in hour) >= org.logins_per_hour:
        note_login(org, app, user, flow, "Login Rate Exceeded")
        raise OAuthError(int(org.shapes["login_rate_error"]), "rate_limit_exceeded", "login rate exceeded")


def note_login(org: Org, app: App, user: User, flow: str, status: str) -> Login:
    """Write a LoginHistory row."""
    record = Login(org.dice.sf_id("0Ya"), user.id, org.clock.now(), app.label, status, flow)
    org.logins.append(record)
    return record


def shareable(org: Org, app: App, key: str, user: User) -> Token | None:
    """A live token of the same app and user (and pair, unless the scope is the app) to hand out again."""
    wide = org.shapes["session_shared_scope"] == "app"
    fits = [t for t in org.live_tokens() if t.app == app.id and t.user == user.id and (wide or t.key == key)]
    return fits[-1] if fits else None


def mint(org: Org, app: App, consumer: Consumer, key: str, user: User, record: Login, flow: str) -> Token:
    """A new session and a new token for it."""
    now = org.clock.now()
    jwt = (app.format or org.shapes["token_format"]) == "jwt"
    life = (app.jwt_minutes if jwt else app.session_minutes) * 60
    session = Session(org.dice.sf_id("0Ak"), user.id, record.id, now, now, life, jwt)
    value = jwt_value(org, key, user, now + life) if jwt else f"{org.id[:15]}!{org.dice.text(90)}"
    token = Token(value, jwt, app.id, consumer.id, key, user.id, session.id, now, now, now + life, 1,
                  org.dice.sf_id("0CS"), org.dice.text(60), flow)  # fmt: skip
    org.sessions[session.id] = session
    org.tokens.append(token)
    return token


def jwt_value(org: Org, key: str, user: User, expires_at: float) -> str:
    """A self-contained token. Its signature is noise: nothing outside the org checks it."""

    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims: dict[str, object] = {"iss": org.my_domain, "sub": f"uid:{user.id}", "client_id": key,
                                 "exp": int(expires_at), "jti": org.dice.text(22)}  # fmt: skip
    return f"{part({'alg': 'RS256', 'typ': 'JWT', 'tnk': 'core/prod'})}.{part(claims)}.{org.dice.text(86)}"


def find(org: Org, value: str) -> Token | None:
    """The live token of that value."""
    now = org.clock.now()
    same = (token for token in reversed(org.tokens) if token.value == value)
    return next((token for token in same if not token.ended and token.expires_at > now), None)


def touch(org: Org, token: Token) -> None:
    """Use slides an opaque session (reference 4.2); a self-contained token keeps its own end."""
    session, now = session_of(org, token), org.clock.now()
    token.uses, token.used_at = token.uses + 1, now
    if not token.jwt:
        session.modified_at, token.expires_at = now, now + session.valid_seconds


def session_of(org: Org, token: Token) -> Session:
    """The session behind a token."""
    return org.sessions[token.session]


def end(org: Org, token: Token) -> None:
    """Kill a token and the session that it is."""
    token.ended = True
    session_of(org, token).ended = True


def revoke_value(org: Org, value: str) -> bool:
    """POST revoke: an access token, or a DeleteToken where that lever works. False when it names nothing alive."""
    for token in org.live_tokens():
        if token.value == value:
            end(org, token)
            return True
        if token.delete_token == value:
            token.unlisted.add("OauthToken")
            if org.facts.yes("lever_deletetoken_ends"):
                end(org, token)
            return True
    return False


def usage_tokens(org: Org, app: App) -> list[Token]:
    """What the usage resource lists for an app."""
    if not org.facts.yes("tokens_listed_usage"):
        return []
    return [token for token in org.live_tokens() if token.app == app.id and "usage" not in token.unlisted]


def end_usage(org: Org, chosen: list[Token]) -> None:
    """DELETE on the usage resource: the rows go; the tokens go with them where the lever works."""
    for token in chosen:
        token.unlisted.add("usage")
        if org.facts.yes("lever_usage_ends"):
            end(org, token)


def live_sessions(org: Org) -> list[Session]:
    """What AuthSession lists: a lever that only removes the row leaves the token alive."""
    now = org.clock.now()
    listed = org.facts.yes("tokens_listed_authsession")
    return [s for s in org.sessions.values() if listed and not s.ended and s.modified_at + s.valid_seconds > now]


def end_session(org: Org, session: Session) -> None:
    """DELETE AuthSession: the row goes; the token goes with it where the lever works."""
    session.ended = True
    if org.facts.yes("lever_authsession_ends"):
        for token in org.tokens:
            token.ended = token.ended or token.session == session.id
