"""Facts of an org: everything the Salesforce reference tags unknown, under one name each (protocol section 6).

The same names stand in the configuration (`[orgs.X.facts]`), in the org's profile in the database, in the
simulator's switches and in the tests. A value is `yes`, `no`, a duration, or `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from types import MappingProxyType

LIFE = timedelta(days=120)  # of what was seen: Salesforce has three releases a year


class FactKind(Enum):
    YES_NO = "yes_no"
    DURATION = "duration"


class Tri(StrEnum):
    """What is known of a yes/no fact."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# The one table. Name -> (kind, the question it answers).
FACTS: Mapping[str, tuple[FactKind, str]] = MappingProxyType({
    "staged_pair_accepted": (FactKind.YES_NO, "does an Active staged pair log in before it is promoted?"),
    "rotated_pair_accepted": (FactKind.YES_NO, "does the old pair still log in while it stands in the slot?"),
    "secret_readable_again": (FactKind.YES_NO, "can a secret be read again after the answer to the POST?"),
    "created_by_given": (FactKind.YES_NO, "does a staged pair say who created it?"),
    "tokens_die_with_pair": (FactKind.YES_NO, "do the tokens of a pair die when the pair is deleted?"),
    "tokens_listed_oauthtoken": (FactKind.YES_NO, "are client-credentials tokens listed as OauthToken rows?"),
    "tokens_listed_usage": (FactKind.YES_NO, "are they listed by the OAuth usage resources?"),
    "tokens_listed_authsession": (FactKind.YES_NO, "are they listed as AuthSession rows?"),
    "session_shared_between_logins": (FactKind.YES_NO, "do two logins of one app and user share a session?"),
    "slot_id_survives_rotate": (FactKind.YES_NO, "does the slot keep its id when the pairs swap?"),
    "stage_while_blocked": (FactKind.YES_NO, "can a pair be staged while the app is blocked?"),
    "classic_has_staged_api": (FactKind.YES_NO, "does the staged API serve classic connected apps?"),
    "lever_usage_ends": (FactKind.YES_NO, "does deleting a usage token end the access token?"),
    "lever_deletetoken_ends": (FactKind.YES_NO, "does revoking a DeleteToken end the access token?"),
    "lever_authsession_ends": (FactKind.YES_NO, "does deleting the AuthSession end the access token?"),
    "delete_propagation": (FactKind.DURATION, "how long may a deleted pair still log in?"),
    "new_pair_propagation": (FactKind.DURATION, "how long may a new pair be refused?"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one org: the configuration's word wins over what was seen there."""

    values: Mapping[str, str] = field(default_factory=dict)

    def tri(self, name: str) -> Tri:
        """A yes/no fact; `unknown` where nobody stated or saw it."""
        if FACTS[name][0] is not FactKind.YES_NO:
            raise ValueError(f"{name} is not a yes/no fact")
        return Tri(self.values.get(name, "unknown"))

    def yes(self, name: str) -> bool:
        return self.tri(name) is Tri.YES

    def no(self, name: str) -> bool:
        return self.tri(name) is Tri.NO

    def unknown(self, name: str) -> bool:
        return self.tri(name) is Tri.UNKNOWN

    def learn(self, name: str, value: str) -> Facts:
        return Facts({**self.values, name: value})

    def merged(self, stated: Mapping[str, str]) -> Facts:
        """The same with the configuration's statements laid over it; `unknown` states nothing."""
        return Facts({**self.values, **{k: v for k, v in stated.items() if v != "unknown"}})
