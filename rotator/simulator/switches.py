"""Every fact of an org (protocol section 6) and every disagreement of the documents, as a switch with two or more ways.

A *fact* says what the org does; a *shape* says how it writes the answer. Facts start with the likely value; shapes
are drawn from the seed, so each seed is another awkward org. Values that break the one-slot rule, or that only a
broken edge produces, exist but are never drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rotator.simulator.clock import seconds
from rotator.simulator.dice import Dice


class SwitchError(ValueError):
    """An unknown switch or value; says which are known."""


FACTS: dict[str, str] = {
    "staged_pair_accepted": "yes",
    "rotated_pair_accepted": "yes",
    "secret_readable_again": "yes",
    "created_by_given": "yes",
    "tokens_die_with_pair": "no",
    "tokens_listed_oauthtoken": "yes",
    "tokens_listed_usage": "yes",
    "tokens_listed_authsession": "yes",
    "session_shared_between_logins": "no",
    "slot_id_survives_rotate": "no",
    "delete_propagation": "0s",
    "new_pair_propagation": "0s",
    "stage_while_blocked": "no",
    "classic_has_staged_api": "no",
    "lever_usage_ends": "yes",
    "lever_deletetoken_ends": "yes",
    "lever_authsession_ends": "yes",
}


class Shape(NamedTuple):
    """The values a seed may draw (the first is the plain one), and those that only the admin door sets."""

    drawn: tuple[str, ...]
    asked: tuple[str, ...] = ()


SHAPES: dict[str, Shape] = {
    # answers of the staged resource (reference 11.3, 11.4, 12)
    "staged_shape": Shape(("collection", "array", "object", "flat")),
    "id_field": Shape(("id", "stagedCredentialId")),
    "key_field": Shape(("key", "consumerKey")),
    "secret_field": Shape(("secret", "consumerSecret")),
    "state_field": Shape(("state", "status")),
    "staged_url_field": Shape(("stagedCredentialsUrl", "stagedCredentialsURL", "url")),
    "consumer_id_field": Shape(("id",), ("consumerId",)),
    "state_case": Shape(("doc", "lower", "upper")),
    "empty_slot": Shape(("empty", "404")),
    "slot_taken": Shape(("409", "400"), ("append", "replace")),
    "rotate_rotated": Shape(("400", "409"), ("swap",)),
    "url_meaning": Shape(("primary", "staged")),
    "patch_answer": Shape(("new", "displaced", "204")),
    "post_status": Shape(("201", "200", "202")),
    "delete_status": Shape(("204", "200")),
    "post_returns_secret": Shape(("yes",), ("no",)),
    "optional_fields": Shape(("all", "missing", "null")),
    "created_by": Shape(("id", "name")),
    "date_format": Shape(("z", "offset", "millis", "epoch"), ("garbage",)),
    # identifiers and addresses
    "id_length": Shape(("18", "15", "mixed")),
    "urls": Shape(("relative", "absolute")),
    "url_version": Shape(("called", "newest")),
    "next_page_url": Shape(("last_too", "null", "absent")),
    "page_size": Shape(("2", "1", "3"), ("100",)),
    "id_host": Shape(("login", "test", "my_domain")),
    # errors
    "error_shape": Shape(("array", "object"), ("html", "text", "empty")),
    "client_error_status": Shape(("400", "401")),
    "dead_pair_error": Shape(("invalid_client_id", "invalid_client")),
    "flow_disabled_error": Shape(("unsupported_grant_type", "invalid_grant", "unauthorized_client")),
    "not_approved_error": Shape(("invalid_app_access", "invalid_grant")),
    "quota_error": Shape(("403", "429")),
    "login_rate_error": Shape(("400", "429")),
    "revoke_error": Shape(("invalid_token", "unsupported_token_type")),
    # tokens, lists, permissions
    "token_format": Shape(("opaque",), ("jwt",)),
    "session_shared_scope": Shape(("key",), ("app",)),
    "usage_lists": Shape(("all", "used")),
    "usage_label": Shape(("given", "absent")),
    "usage_get_revokes": Shape(("no",), ("yes",)),
    "token_visibility": Shape(("customize", "manage_users")),
    "session_visibility": Shape(("manage_users", "admins")),
    "history_filters": Shape(("strict", "loose")),
    "session_join": Shape(("yes", "no")),
    "flow_user": Shape(("username", "id")),
    "userinfo": Shape(("allowed", "refused")),
    "limit_header": Shape(("plain", "bursts", "per_app")),
    "propagation": Shape(("steady", "flapping")),
    "permitted_users_gate": Shape(("no",), ("yes",)),
    # the Metadata API (reference 5.3, 5.4)
    "metadata_name": Shape(("plcy", "default_policy")),
    "metadata_update": Shape(("merge", "replace")),
    "metadata_order": Shape(("any", "strict")),
    "soap_takes_jwt": Shape(("no",), ("yes",)),
    # SetupAuditTrail (reference 9)
    "setup_trail_unseen": Shape(("refused",), ("empty",)),
    "pairs_in_setup_trail": Shape(("yes", "no")),
    # classic connected apps (reference 5.1): a generated pair before Apply, and the tokens after it
    "generated_accepted": Shape(("no",), ("yes",)),
    "apply_ends_tokens": Shape(("yes",), ("no",)),
}


class Switches(Mapping[str, str]):
    """Named switches with checked values. Reading gives text; `yes` and `seconds` read it as what it means."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def yes(self, name: str) -> bool:
        """Whether the switch stands at `yes`."""
        return self._values[name] == "yes"

    def seconds(self, name: str) -> float:
        """A duration switch in seconds."""
        return seconds(self._values[name])

    def change(self, changes: Mapping[str, object]) -> None:
        """Set some of them, all or none; SwitchError names what is unknown."""
        checked = {name: check(name, value) for name, value in changes.items()}
        unknown = [name for name in checked if name not in self._values]
        if unknown:
            raise SwitchError(f"not a switch of this table: {', '.join(unknown)}")
        self._values.update(checked)


def check(name: str, value: object) -> str:
    """The value as text if the switch knows it; true and false mean yes and no."""
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    if name in ("delete_propagation", "new_pair_propagation"):
        try:
            seconds(text)
        except ValueError:
            raise SwitchError(f"{name} is a duration such as 90s, not {text!r}") from None
        return text
    if name in FACTS:
        known: tuple[str, ...] = ("yes", "no")
    elif name in SHAPES:
        known = SHAPES[name].drawn + SHAPES[name].asked
    else:
        raise SwitchError(f"no switch is called {name!r}; facts: {', '.join(FACTS)}; shapes: {', '.join(SHAPES)}")
    if text not in known:
        raise SwitchError(f"{name} is one of {', '.join(known)}, not {text!r}")
    return text


def facts() -> Switches:
    """The facts at their likely values."""
    return Switches(FACTS)


def shapes(dice: Dice | None) -> Switches:
    """The shapes drawn from the dice, or the plain ones without dice."""
    if dice is None:
        return Switches({name: shape.drawn[0] for name, shape in SHAPES.items()})
    return Switches({name: dice.choice(shape.drawn) for name, shape in SHAPES.items()})
