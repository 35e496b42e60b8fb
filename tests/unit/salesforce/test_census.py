"""The listings that name apps: all of them, whatever the org caps, and said where it hides some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from rotator.domain.inventory import Mention, Source
from tests.unit.salesforce.org import NOW, Org, error, port, says

TIME = re.compile(r"LoginTime (>=|<) (\S+)")


def walked(org: Org, source: Source) -> tuple[list[Mention], bool]:
    """What one listing names, and whether it says that these were all."""
    rows, found = port(org).mentions(source), list[Mention]()
    while True:
        try:
            found.append(next(rows))
        except StopIteration as end:
            return found, bool(end.value)


def soql(request: httpx.Request) -> str:
    """The query that was asked."""
    return str(request.url.params["q"])


def page(*rows: Mapping[str, object]) -> httpx.Response:
    """The only page of a query."""
    return says({"totalSize": len(rows), "done": True, "records": list(rows)})


class Logins:
    """LoginHistory with an application a minute; a grouped query gives at most so many rows as it asks for."""

    def __init__(self, applications: int) -> None:
        self.rows = {f"App {number}": NOW - timedelta(minutes=number) for number in range(applications)}
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        text = soql(request)
        start, end = (datetime.fromisoformat(at).astimezone(UTC) for _, at in TIME.findall(text))
        most = int(text.rpartition("LIMIT ")[2])
        seen = [(name, at) for name, at in self.rows.items() if start <= at < end][:most]
        return page(*({"Application": name, "LoginType": "Remote Access 2.0", "expr0": at.isoformat()}
                      for name, at in seen))  # fmt: skip


@pytest.mark.parametrize("applications", [1_999, 2_000, 5_000])
def test_logins_of_more_applications_than_a_query_gives_are_cut_into_stretches(applications: int) -> None:
    """A grouped query has no next page: a full answer is asked again in halves until every application was there."""
    logins = Logins(applications)
    found, complete = walked(Org(*[logins] * 600), Source.LOGINS)
    assert {one.label for one in found} == set(logins.rows)
    assert (complete, (logins.asked > 1) == (applications >= 2_000)) == (True, True)


def test_tokens_beyond_the_cap_are_read_in_steps() -> None:
    """A query of OauthToken gives 2,500 rows: a full answer is followed by steps in a fixed order; where the org
    takes no such step, the listing says that it is not all."""
    cap = [{"AppName": f"App {number}", "UserId": "005EX0000000002YAA"} for number in range(2_500)]
    rest = page({"AppName": "The last", "UserId": "005EX0000000002YAA"})
    org = Org(page(*cap), page(*cap), lambda request: rest if "OFFSET 2500" in soql(request) else error("NO"))
    found, complete = walked(org, Source.TOKENS)
    assert (found[-1].label, complete) == ("The last", True)
    found, complete = walked(Org(page(*cap), *[error("NUMBER_OUTSIDE_VALID_RANGE")] * 2), Source.TOKENS)
    assert (len(found), complete) == (2_500, False)


def test_a_column_that_the_org_does_not_know_is_left_out() -> None:
    """Without NamespacePrefix nothing is known of whose an app is; null means that it is the org's own."""
    app = {"Id": "0xIEX00000000032AA", "DeveloperName": "Billing_Sync", "MasterLabel": "Billing Sync"}
    (told,), _ = walked(Org(page({**app, "NamespacePrefix": None})), Source.APPS)
    (dark,), _ = walked(Org(error("INVALID_FIELD"), page(app)), Source.APPS)
    assert (told.namespace, dark.namespace) == ("", None)
