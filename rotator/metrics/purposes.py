"""What a call was for, by its method and path: few words, so that there are few series, and nothing of the path."""

from __future__ import annotations

import re

_ID = r"[^/]+"
_APPS = rf".*/apps/oauth/credentials/{_ID}"
_TABLE = (
    ("POST", r"/services/oauth2/token", "login"),
    ("POST", r"/services/oauth2/revoke", "end_session"),
    ("GET", r"/services/oauth2/userinfo|.*/limits", "real_call"),
    ("POST", rf"{_APPS}/{_ID}/staged", "stage"),
    ("GET", rf"{_APPS}/{_ID}/staged", "read_slot"),
    ("PATCH", rf"{_APPS}/{_ID}/staged/{_ID}", "promote"),
    ("DELETE", rf"{_APPS}/{_ID}/staged/{_ID}", "delete_slot"),
    ("GET", rf"{_APPS}/{_ID}", "read_primary"),
    ("GET", rf"{_APPS}|.*/apps/oauth/usage", "find_app"),
    ("GET", r".*/apps/oauth/usage/.+", "list_tokens"),
    ("DELETE", r".*/apps/oauth/usage/.+|.*/sobjects/AuthSession/.+", "end_session"),
    ("GET", r".*/query(/.+)?", "query"),
    ("GET", r"/services/data", "versions"),
    (".*", r"/services/Soap/m/.*", "metadata"),
    ("POST|PUT", r"/v1/auth/.+/login", "vault_login"),
    (".*", r"/v1/auth/.*", "vault_token"),
    ("GET", r"/v1/.+/data/.+", "vault_read"),
    ("POST|PUT|PATCH", r"/v1/.+/data/.+", "vault_write"),
    (".*", r"/v1/.+/(destroy|delete|undelete)/.+", "vault_destroy"),
    (".*", r"/v1/.+/metadata/.+|/v1/.+/config", "vault_metadata"),
    (".*", r"/v1/sys/.*", "vault_system"),
)
PURPOSES = tuple(dict.fromkeys([*(purpose for _, _, purpose in _TABLE), "other"]))


def purpose_of(method: str, path: str) -> str:
    """One of PURPOSES."""
    found = (word for methods, pattern, word in _TABLE
             if re.fullmatch(methods, method) and re.fullmatch(pattern, path))  # fmt: skip
    return next(found, "other")
