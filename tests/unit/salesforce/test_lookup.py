"""From the configuration's names to one consumer, or a mistake that says how to correct it."""

from __future__ import annotations

import httpx
import pytest

from rotator.domain.errors import ConfigError, Refused, Unavailable
from tests.unit.salesforce.org import Org, error, port, says

APP, OTHER = "0xIEX00000000032AA", "0xIEX00000000042AA"
ONE, TWO = "888EX0000000004YAA", "888EX0000000005YAA"


def apps(*found: tuple[str, str]) -> httpx.Response:
    records = [{"Id": app, "DeveloperName": name, "MasterLabel": "Billing Sync"} for app, name in found]
    return says({"records": records, "done": True, "totalSize": len(records)})


def usage(*found: tuple[str, str], more: str | None = None) -> httpx.Response:
    items = [{"identifier": app, "developerName": name} for app, name in found]
    return says({"apps": items, "nextPageUrl": more})


def consumers(*ids: str) -> httpx.Response:
    items = [{"id": one, "key": f"3MVG9{number}", "name": "Billing Sync"} for number, one in enumerate(ids)]
    return says({"consumers": items, "nextPageUrl": None})


def test_an_app_that_no_query_shows_is_sought_in_the_usage_list() -> None:
    """The query may be refused or blind; the list is paged; the label comes from the consumer's name."""
    for first in (error("INVALID_TYPE", "", 400), error("X", "", 403), apps()):
        org = Org(
            first,
            usage((OTHER, "Other"), more="/x"),
            usage((APP[:15], "Billing_Sync"), more="/x"),
            usage(),
            consumers(ONE),
        )
        found = port(org).find("Billing_Sync", "")
        assert (found.app_id, found.consumer_id, found.label) == (APP, ONE, "Billing Sync")


def test_two_apps_of_one_name_are_named_by_their_ids() -> None:
    """Namespaces may share a developer name."""
    with pytest.raises(ConfigError, match=f"{APP}, {OTHER}") as caught:
        port(Org(apps((APP, "Billing_Sync"), (OTHER, "Billing_Sync")))).find("Billing_Sync", "")
    assert "0xI" in caught.value.fix


def test_one_app_listed_twice_is_one_app() -> None:
    """Ids of 15 and 18 characters are the same."""
    org = Org(apps((APP, "Billing_Sync"), (APP[:15], "Billing_Sync")), consumers(ONE, ONE[:15]))
    assert port(org).find("Billing_Sync", "").siblings == 0


def test_several_consumers_need_one_named() -> None:
    """By 888 id of either length or by the present key; siblings are counted."""
    with pytest.raises(ConfigError, match=f"{ONE}, {TWO}"):
        port(Org(apps((APP, "B")), consumers(ONE, TWO))).find("B", "")
    for named in (TWO, TWO[:15], "3MVG91"):
        found = port(Org(apps((APP, "B")), consumers(ONE, TWO))).find("B", named)
        assert (found.consumer_id, found.siblings) == (TWO, 1)
    with pytest.raises(ConfigError, match="no consumer"):
        port(Org(apps((APP, "B")), consumers(ONE, TWO))).find("B", "3MVG9nobody")


@pytest.mark.parametrize("answer", [consumers(), error("NOT_FOUND", "", 404)])
def test_an_app_without_oauth_says_so(answer: httpx.Response) -> None:
    """No consumer at all."""
    with pytest.raises(ConfigError, match="no OAuth consumer"):
        port(Org(apps((APP, "B")), answer)).find("B", "")


def test_what_is_down_or_forbidden_is_not_taken_for_not_found() -> None:
    """A 503 is tried later; a usage list that is refused names the permission."""
    with pytest.raises(Unavailable):
        port(Org(says("", 503))).find("B", "")
    with pytest.raises(Refused) as caught:
        port(Org(apps(), error("FUNCTIONALITY_NOT_ENABLED", "", 403))).find("B", "")
    assert caught.value.code == "secret_access"


def test_names_of_the_org_come_without_control_characters() -> None:
    """They go to terminals and logs."""
    record = {"Id": APP, "DeveloperName": "Billing\x1b[2J_Sync", "MasterLabel": "Bil\u202eling\n"}
    found = port(Org(says({"records": [record], "done": True}), consumers(ONE))).find("Billing_Sync", "")
    assert (found.app_name, found.label) == ("Billing[2J_Sync", "Billing")


def test_a_consumer_is_found_by_its_key_among_all_apps() -> None:
    """Those that were used come first; an app that does not show its consumers is passed over."""
    org = Org(usage((OTHER, "Other"), more="/x"), usage(), apps((OTHER, "Other"), (APP, "Rotator")),
              error("INSUFFICIENT_ACCESS", "", 403), consumers(ONE, TWO))  # fmt: skip
    found = port(org).find_by_key("3MVG91")
    assert (found.app_id, found.consumer_id, found.siblings) == (APP, TWO, 1)


def test_a_key_that_no_app_shows_says_how_many_were_silent() -> None:
    """What was not seen is not said to be absent."""
    org = Org(usage((APP, "Rotator")), apps(), error("INSUFFICIENT_ACCESS", "", 403))
    with pytest.raises(ConfigError, match="1 apps did not show theirs") as caught:
        port(org).find_by_key("3MVG91")
    assert "ADM-6" in caught.value.fix
    with pytest.raises(ConfigError, match="no consumer of Rotator"):
        port(Org(apps((APP, "Rotator")), consumers(ONE))).find_by_key("3MVG91", "Rotator")
