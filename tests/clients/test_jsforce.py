"""jsforce through Node, its code unchanged, finds an org in the simulator."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.org import ServedOrg
from tests.servers.fixtures import place_of

SCRIPT = Path(__file__).with_name("jsforce.mjs")

pytestmark = pytest.mark.needs("node")


@pytest.fixture(scope="module")
def told(org: ServedOrg, large_org: ServedOrg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one session of jsforce told; every test reads its part."""
    large = {"url": large_org.running.org_url, "admin": large_org.admin}
    given = {"url": org.running.org_url, "admin": org.admin, "pair": org.pair, "staged": org.staged_path,
             "orgId": org.told["org_id"], "large": large, "other": other(org)}  # fmt: skip
    both = tmp_path_factory.mktemp("node") / "authorities.pem"
    both.write_text(org.ca_file.read_text() + large_org.ca_file.read_text())
    ran = subprocess.run([place_of("node"), str(SCRIPT)], input=json.dumps(given), capture_output=True, text=True,
                         timeout=60, check=False,
                         env={"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(both)})  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def other(org: ServedOrg) -> dict[str, Any]:
    """An app that nothing else in this session touches."""
    orders = org.told["apps"]["orders"]
    return {"name": orders["developer_name"], "pair": [orders["client_id"], orders["client_secret"]]}


def test_it_logs_in_by_client_credentials(told: dict[str, Any], org: ServedOrg) -> None:
    """`authorize` reads user and org from the answer's identity URL, and where the org is from instance_url."""
    assert told["user"]["organizationId"] == org.told["org_id"]
    assert told["user"]["id"].startswith("005")
    assert told["instance"] == org.running.org_url


def test_it_asks_who_it_is(told: dict[str, Any], org: ServedOrg) -> None:
    """The identity URL answers with the user who logged in."""
    assert told["identity"]["user_id"] == told["user"]["id"]
    assert told["identity"]["organization_id"] == org.told["org_id"]


def test_it_queries_and_reads_on(told: dict[str, Any]) -> None:
    """`query` gives the first page, `queryMore` the rest: together all of it, and nothing twice."""
    first, second = told["pages"]
    assert (first["done"], second["done"]) == (False, True)
    assert len({*first["ids"], *second["ids"]}) == first["totalSize"] == second["totalSize"] > 2000


def test_it_stages_promotes_and_deletes_over_rest(told: dict[str, Any], org: ServedOrg) -> None:
    """POST, PATCH, GET and DELETE of the rotation API: the staged pair logs in, the old one does until deleted."""
    assert told["newUser"]["id"].startswith("005")
    assert told["left"] == {"key": org.pair[0], "state": "Rotated"}
    assert told["newStillIn"] == "nothing"
    assert told["oldPair"].startswith("invalid_client")


def test_it_reads_limits_types_fields_and_records(told: dict[str, Any], org: ServedOrg) -> None:
    """The REST resources that such a client uses beside queries."""
    assert told["limits"]["DailyApiRequests"]["Max"] > 0
    assert {"User", "Organization"} <= set(told["types"])
    assert "username" in {name.lower() for name in told["fields"]}
    assert told["organization"]["Id"] == org.told["org_id"]


def test_errors_have_the_form_that_it_expects(told: dict[str, Any]) -> None:
    """jsforce finds the error code where Salesforce puts it."""
    assert (told["badQuery"], told["badPath"]) == ("INVALID_FIELD", "NOT_FOUND")


def test_it_turns_an_apps_switch_through_the_metadata_api(told: dict[str, Any]) -> None:
    """List, read and update by its own code: off, the app's pair is refused; on again, it logs in."""
    switch = told["switch"]
    assert switch["listed"] == 4, "billing, orders, invoices, and the rotator's own"
    assert switch["policies"]["externalClientApplication"] == "Order_Export"
    assert (switch["policies"]["isOauthPluginEnabled"], switch["offRead"]["isOauthPluginEnabled"]) == ("true", "false")
    assert (switch["off"]["success"], switch["on"]["success"]) == (True, True)
    assert (switch["blocked"].startswith("invalid_client"), switch["unblocked"]) == (True, "nothing")


def test_the_metadata_api_refuses_as_it_expects(told: dict[str, Any]) -> None:
    """An unknown component fails inside an answer, an unknown type is a fault."""
    assert told["switch"]["unknown"]["success"] is False
    assert told["switch"]["unknown"]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert "fullName" not in told["nothingRead"] or not told["nothingRead"]["fullName"]
    assert told["badType"].endswith("INVALID_TYPE")
