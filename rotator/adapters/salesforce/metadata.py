"""The OAuth switch of an app: `isOauthPluginEnabled` of its ExtlClntAppConfigurablePolicies (reference 5.3, MD-pol).

Off, every pair of the app gets invalid-client. Read before write: an update may replace the whole component, so what
was read is written back whole, with one value changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from rotator.adapters.http import MEBIBYTE, Answer
from rotator.adapters.salesforce import soap, wire
from rotator.adapters.salesforce.failures import SOAP, Act, from_answer, unintelligible
from rotator.adapters.salesforce.rest import Rest
from rotator.domain.errors import Refused
from rotator.domain.pair import Consumer

T = TypeVar("T")

KIND = "ExtlClntAppConfigurablePolicies"
APP, WHOLE, SWITCH = "externalClientApplication", "isEnabled", "isOauthPluginEnabled"
LONGEST = 32 * MEBIBYTE  # a listing of some 60,000 components
MOST = 10  # components of one readMetadata


class Metadata:
    """The switches of one org. Remembers which component belongs to which app; safe to share between threads."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._names: dict[str, str] = {}  # app id -> full name of its component

    def blocked(self, consumer: Consumer) -> bool:
        """Whether no pair of the app is accepted. One read, and a list before it where the component is not known."""
        return _off(self._component(consumer))

    def set_blocked(self, consumer: Consumer, blocked: bool) -> None:
        """Writes the component back with the switch turned; nothing where it stands so already. Raises as a write."""
        fields = self._component(consumer)
        wanted = "false" if blocked else "true"
        if dict(fields).get(SWITCH, "true") == wanted:
            return _only_the_switch(fields, blocked)
        what = "turning the app's OAuth switch"
        answer = self._rest.soap(soap.update_message(KIND, _with_switch(fields, wanted)), what, act=Act.WRITE)
        try:
            wrong = soap.saved(answer)
        except wire.Unreadable as error:
            raise unintelligible(what, str(error), answer, act=Act.WRITE) from None
        if wrong is not None:  # a refusal in an answer 200: the table knows its words
            raise from_answer(replace(answer, status=400, body=json.dumps(dict(wrong)).encode()), what, SOAP,
                              act=Act.WRITE)
        return None

    def settings(self, kind: str, name: str) -> Mapping[str, str]:
        """A component that is only read. Raises as a read."""
        what = f"reading {kind}"
        return _read(self._rest.soap(soap.read_message(kind, [name]), what), what, soap.settings)

    def listed(self, kind: str) -> Sequence[tuple[str, str]]:
        """The components of a type: full name and namespace. One answer without pages, so that it may be long. Raises
        as a read."""
        what = f"listing {kind}"
        return _read(self._rest.soap(soap.list_message(kind, self._rest.version), what, cap=LONGEST), what, soap.listed)

    def _component(self, consumer: Consumer) -> soap.Fields:
        """The app's component, whole. Raises Refused where the app has none, or several."""
        known = self._names.get(consumer.app_id)
        found = self._of_app(consumer, [known]) if known else []
        if not found:
            found = self._of_app(consumer, self._candidates(consumer))
        if len(found) != 1:
            what = "has no policies in the org's metadata" if not found else "has several policies in the metadata"
            raise Refused(f"the app {consumer.app_name or consumer.app_id} {what}", code="no_switch",
                          fix="open the app's Policies in Setup, External Client App Manager, and save them once; "
                          "until then block it there")  # fmt: skip
        self._names[consumer.app_id] = dict(found[0])["fullName"]
        return found[0]

    def _candidates(self, consumer: Consumer) -> list[str]:
        """Components whose names begin with the app's: nothing else of a name can be foretold (reference 5.3)."""
        what = "listing the apps' policies"
        answer = self._rest.soap(soap.list_message(KIND, self._rest.version), what)
        names = _read(answer, what, soap.names)
        return sorted(name for name in names if consumer.app_name and consumer.app_name in name)

    def _of_app(self, consumer: Consumer, names: list[str]) -> list[soap.Fields]:
        """Those of these components that say they belong to the app: its name may begin another app's, too."""
        what, found = "reading the app's policies", list[soap.Fields]()
        for start in range(0, len(names), MOST):
            answer = self._rest.soap(soap.read_message(KIND, names[start : start + MOST]), what)
            found += _read(answer, what, soap.components)
        return [one for one in found if dict(one).get(APP, "").rpartition("__")[2] == consumer.app_name]


def _off(fields: soap.Fields) -> bool:
    """`isEnabled` false switches everything off; the OAuth plug-in is on where it is not mentioned (MD-pol)."""
    told = dict(fields)
    return told.get(WHOLE) == "false" or told.get(SWITCH, "true") == "false"


def _only_the_switch(fields: soap.Fields, blocked: bool) -> None:
    if not blocked and _off(fields):
        raise Refused("the app itself is disabled, not only its OAuth switch", code="app_disabled",
                      fix="enable the app in Setup, External Client App Manager, Policies")


def _with_switch(fields: soap.Fields, value: str) -> soap.Fields:
    if SWITCH in dict(fields):
        return tuple((name, value if name == SWITCH else told) for name, told in fields)
    places = (n for n, (name, _) in enumerate(fields, 1) if name == WHOLE)  # after it, in the documented order
    place = next(places, len(fields))
    return (*fields[:place], (SWITCH, value), *fields[place:])


def _read(answer: Answer, what: str, parse: Callable[[Answer], T]) -> T:
    try:
        return parse(answer)
    except wire.Unreadable as error:
        raise unintelligible(what, str(error), answer) from None
