"""What `init` prints is enough, no more than that, and made from the answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from rotator.adapters.sql.rights import roles_for
from rotator.checks.scene import Vault, VaultScene
from rotator.checks.vault import capabilities
from rotator.config import Config, load
from rotator.domain.errors import Refused
from rotator.wiring.first.handout import handout, policy
from rotator.wiring.first.questions import completed
from rotator.wiring.first.written import text_of
from tests.contract.test_vault_policy import (
    Benches,
    bench_with,
    destroy_escrow,
    fence_absent,
    first_publish,
    mark,
    more_escrow,
    own_login,
    preflight,
    publish,
)
from tests.contract.vault_ports import TARGET
from tests.project.files import ROOT

__all__ = ["bench_with"]

GIVEN = {"org": "acme", "host": "https://acme.my.salesforce.com", "vault": "https://v.example:8200", "role_id": "r",
         "app": "billing", "developer_name": "Billing_Sync", "mount": "kv", "escrow_prefix": "locked",
         "vault_path": "teams/a/billing", "admin_path": "ours/acme", "responder_path": "ours/respond"}  # fmt: skip
RULE = re.compile(r'^path "([^"]+)" \{\s+capabilities = \[([^]]*)\]\s+\}', re.MULTILINE)


def config_of(folder: Path, **more: str) -> Config:
    """The configuration that these answers make."""
    file = folder / "rotator.toml"
    file.write_text(text_of(completed({**GIVEN, **more}, None)))
    return load(file, {}).config


def rules(text: str) -> dict[str, set[str]]:
    """The rules of a policy."""
    return {path: set(re.findall(r'"(\w+)"', words)) for path, words in RULE.findall(text)}


def granted(text: str, path: str) -> set[str]:
    """What a policy gives on a path, as Vault reads it: the exact rule, else the longest glob that fits."""
    found = rules(text)
    globs = sorted((one for one in found if one.endswith("*") and path.startswith(one[:-1])), key=len)
    return found.get(path) or (found[globs[-1]] if globs else set())


ROTATED = {"ours/acme": "acme/admin", "ours/two": "acme/spare"}


@pytest.mark.parametrize(("more", "rotated"), [({}, {}), ({"spare_path": "ours/two"}, ROTATED)])
def test_the_policy_gives_what_a_rotation_needs_on_the_paths_of_the_answers(
    tmp_path: Path, more: dict[str, str], rotated: dict[str, str]
) -> None:
    """What check VLT-2 asks for, on every live path; own logins are only read, unless a spare rotates them."""
    text = policy(config_of(tmp_path, **more))
    place = VaultScene(cast("Vault", None), "kv", "locked", 0.0)  # its names alone are used
    for path, name in {"teams/a/billing": "billing", **rotated}.items():
        for needed, words in capabilities(place, path, name).items():
            assert words <= granted(text, needed), needed
    for path in {"ours/acme", "ours/respond"} - rotated.keys():
        assert granted(text, f"kv/data/{path}") == {"read"}
    assert not re.search(r"secret/|rotator-escrow|salesforce", text)
    assert "destroy" not in granted(text, "kv/destroy/teams/a/billing")


@pytest.mark.needs("vault")
def test_a_real_vault_takes_the_policy_and_lets_the_rotator_work(tmp_path: Path, bench_with: Benches) -> None:
    """The printed policy, written to a server: each kind of call goes through, and no version is destroyed."""
    named = {"mount": "secret", "escrow_prefix": "rotator-escrow", "vault_path": "salesforce/acme/billing",
             "admin_path": "salesforce/acme/rotator"}  # fmt: skip
    text = policy(config_of(tmp_path, **named))
    for act in (first_publish, publish, fence_absent, mark, preflight, own_login, more_escrow, destroy_escrow):
        act(bench_with(text))
    bench = bench_with(text)
    publish(bench)
    with pytest.raises(Refused):
        bench.kv.destroy_live(TARGET, [1])


def test_each_identity_gets_its_permission_set(tmp_path: Path) -> None:
    """As shipped; without a responder the user of admin needs both, and so does that of a spare."""
    sets = ROOT / "config" / "permission-sets"
    files = [sets / f"Rotator_{one}.permissionset-meta.xml" for one in ("Admin", "Responder")]
    apart = [one for one in handout(config_of(tmp_path)) if one.title.startswith("Salesforce")]
    assert [one.text for one in apart] == [file.read_text() for file in files]
    assert [one.title.rpartition("for ")[2] for one in apart] == ["the user of admin", "the user of responder"]
    one = completed({key: value for key, value in GIVEN.items() if key != "responder_path"}, None)
    file = tmp_path / "rotator.toml"
    file.write_text(text_of({**one, "spare_path": "ours/two"}))
    both = [sheet.title for sheet in handout(load(file, {}).config) if sheet.title.startswith("Salesforce")]
    assert all(title.endswith("for the users of admin and spare") for title in both)


def test_the_sql_is_that_of_the_documentation(tmp_path: Path) -> None:
    """For the user and the database of docs/database.md word for word; other names stand in their places, quoted."""
    page = (ROOT / "docs" / "database.md").read_text()
    assert roles_for("postgresql+psycopg://rotator@db/rotator") in page
    url = "postgresql+psycopg://rot-ator@db/secrets"
    (sheet,) = [one for one in handout(config_of(tmp_path, database=url)) if one.title.startswith("PostgreSQL")]
    assert 'CREATE ROLE "rot-ator" LOGIN IN ROLE rotator_app;' in sheet.text
    assert "CREATE DATABASE secrets OWNER" in sheet.text
    assert not [one for one in handout(config_of(tmp_path)) if one.title.startswith("PostgreSQL")]
