"""What a person hands over: whether it can be a new pair at all, before anything is done with it."""

from __future__ import annotations

from collections.abc import Collection

from rotator.domain.errors import UsageError
from rotator.domain.pair import Pair
from rotator.domain.secret import Secret

SHORTEST, LONGEST = 8, 256  # Metadata API, ConnectedApp: consumerKey and consumerSecret (reference 5.2)
KEY_BEGINS = "3MVG"  # as every key that Salesforce makes (reference section 10); no rule: it only finds swapped fields


def typed(key: str, secret: str) -> Pair:
    """The pair as typed or pasted: without the blanks around it."""
    return Pair(key.strip(), Secret(secret.strip()))


def must_be_a_pair(pair: Pair, known: Collection[str]) -> None:
    """Raises UsageError where it cannot be a new pair; `known`: the keys that are in use. Repeats nothing of it."""
    secret = pair.secret.reveal() if pair.secret else ""
    for name, value in (("consumer key", pair.key), ("consumer secret", secret)):
        if not SHORTEST <= len(value) <= LONGEST:
            raise _no(f"the {name} has {len(value)} characters: {SHORTEST} to {LONGEST} are expected")
        if not (value.isascii() and value.isprintable() and " " not in value):
            raise _no(f"the {name} holds a blank or a character that Salesforce does not use")
    swapped = secret.startswith(KEY_BEGINS) and not pair.key.startswith(KEY_BEGINS)
    if swapped or secret in known:
        raise _no("key and secret are swapped")
    if pair.key == secret:
        raise _no("key and secret are the same")


def _no(message: str) -> UsageError:
    return UsageError(message, code="not_a_pair", where="the pair",
                      fix="copy both from Setup, App Manager, the app, View, Manage Consumer Details")  # fmt: skip
