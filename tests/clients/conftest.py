"""Two orgs: a small one, made for each module, and one that is large enough for two pages of a query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.org import ServedOrg, served_org


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOrg]:
    """A plain org whose identity URLs lead back to it, not to login.salesforce.com."""
    folder = tmp_path_factory.mktemp("org")
    with served_org(folder, seed=5, difficulty="plain", shapes={"id_host": "my_domain"}) as served:
        yield served


@pytest.fixture(scope="session")
def large_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOrg]:
    """The same with 2,100 apps; each login there takes a second or two."""
    with served_org(tmp_path_factory.mktemp("large"), seed=5, difficulty="plain", apps=2100) as served:
        yield served
