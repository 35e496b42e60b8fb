"""simple-salesforce, its code unchanged, finds an org in the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest

from tests.clients.org import MY_DOMAIN, ServedOrg, served_org, session_to


def client(org: ServedOrg, pair: tuple[str, str] | None = None) -> Salesforce:
    """Logs in by client credentials, as the library's own documentation has it."""
    key, secret = pair or org.admin
    return Salesforce(consumer_key=key, consumer_secret=secret, domain="acme.my", session=session_to(org),
                      version="65.0")  # fmt: skip


def rest(sf: Salesforce, path: str, **how: Any) -> Any:
    """The library's door to resources that it does not know itself."""
    return sf.restful(path, **how)


def test_it_logs_in_by_client_credentials(org: ServedOrg) -> None:
    """The login that the library builds gives a token and the instance under My Domain."""
    sf = client(org)
    assert sf.auth_type == "client-credentials"
    assert sf.sf_instance == MY_DOMAIN
    assert sf.session_id.startswith(org.told["org_id"][:15])


def test_a_wrong_secret_is_told_in_its_own_exception(org: ServedOrg) -> None:
    """The error of the token endpoint has the form that the library expects."""
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        client(org, (org.pair[0], "wrong"))


def test_it_reads_the_limits(org: ServedOrg) -> None:
    """The call that proves a token."""
    assert client(org).limits()["DailyApiRequests"]["Max"] > 0


def test_it_queries_page_by_page(large_org: ServedOrg) -> None:
    """`query_all` follows nextRecordsUrl to the last record."""
    soql = "SELECT Id, DeveloperName FROM ExternalClientApplication"
    sf = client(large_org)
    assert sf.query(soql)["done"] is False
    found = sf.query_all(soql)
    assert len({row["Id"] for row in found["records"]}) == found["totalSize"] > 2000


def test_a_mistaken_query_is_told_in_its_own_exception(org: ServedOrg) -> None:
    """An error of the REST API has the form that the library expects."""
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        client(org).query("SELECT Nothing FROM User")


def test_it_stages_and_promotes_a_pair_over_rest(org: ServedOrg) -> None:
    """The whole rotation API through a foreign client: the pair it stages logs in, the promoted one is primary."""
    sf = client(org)
    path = org.staged_path.partition("/v65.0/")[2]
    staged = rest(sf, path, method="POST", json={})["stagedCredentials"][0]
    client(org, (staged["key"], staged["secret"]))
    sf.restful(f"{path}/{staged['id']}", method="PATCH", json={"command": "rotate"})
    client(org, (staged["key"], staged["secret"]))
    client(org, org.pair)
    left = rest(sf, path)["stagedCredentials"][0]
    assert (left["key"], left["state"]) == (org.pair[0], "Rotated")


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_finds_its_way_in_a_difficult_org(seed: int, tmp_path: Path) -> None:
    """Whatever shapes the seed draws, login, query and limits work: they are shapes that clients must live with."""
    with served_org(tmp_path, seed=seed, strict_host=True) as org:
        sf = client(org)
        assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == org.told["org_id"]
        assert "DailyApiRequests" in sf.limits()
