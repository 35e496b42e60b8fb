"""What a request is for, guessed from its method and path; nothing secret is kept."""

from __future__ import annotations

import re

from rotator.simulator.dice import fingerprint
from rotator.simulator.wire.call import Call

_ORG: tuple[tuple[str, str, str], ...] = (
    ("POST", r"/services/oauth2/token", "token"),
    ("POST|GET", r"/services/oauth2/revoke", "revoke token"),
    ("POST|GET", r"/services/oauth2/userinfo", "userinfo"),
    ("POST", r"/services/oauth2/introspect", "introspect"),
    ("POST", r".*/staged/?", "stage"),
    ("GET", r".*/staged(/[^/]+)?/?", "read slot"),
    ("PATCH", r".*/staged/[^/]+/?", "promote"),
    ("DELETE", r".*/staged/[^/]+/?", "delete slot"),
    ("GET", r".*/apps/oauth/credentials/[^/]+/?", "list consumers"),
    ("GET", r".*/apps/oauth/credentials/[^/]+/[^/]+/?", "read primary"),
    ("DELETE", r".*/apps/oauth/usage/.*", "end usage tokens"),
    ("GET", r".*/apps/oauth/usage/.+/tokens/?", "list usage tokens"),
    ("GET", r".*/apps/oauth/usage/.+/users/?", "list usage users"),
    ("GET", r".*/apps/oauth/usage/?", "list apps"),
    ("GET", r".*/limits/?", "real call"),
    ("DELETE", r".*/sobjects/AuthSession/.*", "end session"),
    ("GET", r"/services/data/?", "versions"),
)
_VAULT: tuple[tuple[str, str, str], ...] = (
    ("POST|PUT", r"/v1/auth/.+/login", "vault login"),
    ("GET", r"/v1/auth/token/lookup-self", "vault token lookup"),
    ("POST|PUT", r"/v1/auth/token/renew-self", "vault renew"),
    ("POST|PUT", r"/v1/auth/token/revoke-self", "vault logout"),
    ("GET|HEAD", r"/v1/sys/health", "vault health"),
    ("GET", r"/v1/[^/]+/data/.*", "kv read"),
    ("POST|PUT|PATCH", r"/v1/[^/]+/data/.*", "kv write"),
    ("DELETE", r"/v1/[^/]+/data/.*", "kv delete"),
    ("POST|PUT", r"/v1/[^/]+/(delete|undelete)/.*", "kv delete"),
    ("POST|PUT", r"/v1/[^/]+/destroy/.*", "kv destroy"),
    ("GET|LIST", r"/v1/[^/]+/metadata/.*", "kv metadata"),
    ("POST|PUT|PATCH|DELETE", r"/v1/[^/]+/metadata/.*", "kv metadata write"),
)


def guess(call: Call) -> str:
    """A few words; a query is named by its sObject."""
    for methods, pattern, words in _VAULT if call.site == "vault" else _ORG:
        if call.method in methods.split("|") and re.fullmatch(pattern, call.path):
            return words
    if call.path.startswith("/services/Soap/m/"):
        return metadata(call)
    if "/query" in call.path:
        source = re.search(r"\bFROM\s+(\w+)", call.query.get("q", ""), re.IGNORECASE)
        return f"query {source[1]}" if source else "query"
    return "other"


def metadata(call: Call) -> str:
    """The switch of an app, by the message that the envelope holds."""
    words = {b"listMetadata": "list metadata", b"readMetadata": "read switch", b"updateMetadata": "turn switch"}
    return next((words[name] for name in words if name in call.body), "metadata")


def about(call: Call) -> str:
    """The fingerprint of the key that a token request names."""
    if not call.path.startswith("/services/oauth2/"):
        return ""
    key = call.form().get("client_id") or call.basic()[0]
    return fingerprint(key) if key else ""
