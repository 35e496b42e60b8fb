"""What stands in a KV version, to the domain's words and back (contract.md: Vault). No call is made here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rotator.domain.errors import ConfigError
from rotator.domain.pair import Credential, EscrowContent, Pair, Target
from rotator.domain.secret import Secret

LOGIN_URL, ROTATION_ID, ROTATED_AT, CANARY = "login_url", "rotation_id", "rotated_at", "canary"


def check_fields(target: Target) -> None:
    """Raises ConfigError where the app's two field names collide with each other or with ours."""
    names = (target.key_field, target.secret_field)
    taken = (LOGIN_URL, ROTATION_ID, ROTATED_AT, CANARY)
    if names[0] == names[1] or any(name in taken or re.match(r"old\d*_", name) for name in names):
        raise ConfigError(
            f"the field names {names[0]} and {names[1]} collide with each other or with fields of the rotator",
            fix='choose others, as in fields = { key = "client_id", secret = "client_secret" }',
            where=f"vault:{target.path}",
        )


def credential_from(fields: Mapping[str, Any], target: Target) -> Credential | None:
    """The credential of a version; None for an empty version. Raises ConfigError where a field is missing."""
    if not fields:
        return None
    key, secret = _text(fields, target.key_field), _text(fields, target.secret_field)
    if not key or not secret:
        missing = target.secret_field if key else target.key_field
        raise ConfigError(
            f"Vault path {target.path} is there, without a text field {missing!r}",
            fix="name the fields that readers use in the app's `fields`, or use another vault_path",
            where=f"vault:{target.path}",
        )
    ours = (target.key_field, target.secret_field, LOGIN_URL, ROTATION_ID, ROTATED_AT)
    return Credential(
        Pair(key, Secret(secret)),
        _text(fields, ROTATION_ID),
        {str(name): value for name, value in fields.items() if name not in ours},
        _text(fields, ROTATED_AT),
    )


def credential_fields(credential: Credential, target: Target, now: datetime) -> dict[str, Any]:
    """The fields of a version. What never was rotated gets no time of rotation by being written again."""
    made: dict[str, Any] = dict(credential.other)
    made |= _pair(credential.pair, target.key_field, target.secret_field)
    made[LOGIN_URL] = target.login_url
    if credential.rotation_id:
        made[ROTATION_ID] = credential.rotation_id
        made[ROTATED_AT] = credential.rotated_at or now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def escrow_from(fields: Mapping[str, Any], target: Target) -> EscrowContent:
    """The content of an escrow version, also of an empty one."""
    canary = _text(fields, CANARY)
    return EscrowContent(
        rotation_id=_text(fields, ROTATION_ID),
        new=_pair_from(fields, target.key_field, target.secret_field),
        olds=tuple(_olds(fields, target)),
        canary=Secret(canary) if canary else None,
    )


def escrow_fields(content: EscrowContent, target: Target) -> dict[str, Any]:
    """The fields of an escrow version; of a content without anything: none, which is the empty version."""
    made: dict[str, Any] = {}
    if content.new is not None:
        made |= _pair(content.new, target.key_field, target.secret_field)
    for place, old in enumerate(content.olds):
        made |= _pair(old, *_old_names(target, place))
    if content.rotation_id:
        made[ROTATION_ID] = content.rotation_id
    if content.canary is not None:
        made[CANARY] = content.canary.reveal()
    return made


def _olds(fields: Mapping[str, Any], target: Target) -> Iterator[Pair]:
    place = 0
    while (pair := _pair_from(fields, *_old_names(target, place))) is not None:
        yield pair
        place += 1


def _old_names(target: Target, place: int) -> tuple[str, str]:
    """`old_client_id`, then `old2_client_id`, `old3_client_id`, ..."""
    prefix = "old_" if place == 0 else f"old{place + 1}_"
    return prefix + target.key_field, prefix + target.secret_field


def _pair(pair: Pair, key_field: str, secret_field: str) -> dict[str, str]:
    secret = {} if pair.secret is None else {secret_field: pair.secret.reveal()}
    return {key_field: pair.key, **secret}


def _pair_from(fields: Mapping[str, Any], key_field: str, secret_field: str) -> Pair | None:
    key, secret = _text(fields, key_field), _text(fields, secret_field)
    return Pair(key, Secret(secret) if secret else None) if key else None


def _text(fields: Mapping[str, Any], name: str) -> str:
    """A field's text; "" where it is absent, no text, or one that cannot be sent again (half of a surrogate pair)."""
    value = fields.get(name)
    return value if isinstance(value, str) and _sendable(value) else ""


def _sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
