"""The small Vault answers as the real one does, and its switches do what they say."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from rotator.simulator import start
from tests.simulator.sim import Sim

PATH = "/v1/secret/data/test/path"
MERGE = {"content-type": "application/merge-patch+json"}


def write(sim: Sim, value: str, cas: int | None = None, path: str = PATH) -> httpx.Response:
    """A KV v2 write."""
    return sim.vault.post(path, json={"data": {"v": value}, "options": {} if cas is None else {"cas": cas}})


def metadata(sim: Sim) -> Any:
    """The metadata of the test path."""
    return sim.vault.get("/v1/secret/metadata/test/path").json()["data"]


def test_check_and_set_stops_a_stale_write(sim: Sim) -> None:
    """0 means must not exist; a wrong number is a 400 with Vault's own words; a right one goes on."""
    assert write(sim, "a", cas=0).json()["data"]["version"] == 1
    refused = write(sim, "b", cas=0)
    assert refused.status_code == 400
    assert refused.json()["errors"] == ["check-and-set parameter did not match the current version"]
    assert write(sim, "b", cas=1).json()["data"]["version"] == 2


def test_cas_required_refuses_a_blind_write(sim: Sim) -> None:
    """On the key, or on the mount."""
    sim.vault.post("/v1/secret/metadata/test/path", json={"cas_required": True})
    assert write(sim, "a").json()["errors"] == ["check-and-set parameter required for this call"]
    assert write(sim, "a", cas=0).status_code == 200
    sim.vault.post("/v1/secret/config", json={"cas_required": True})
    assert write(sim, "a", path="/v1/secret/data/other").status_code == 400
    assert sim.vault.get("/v1/secret/config").json()["data"]["cas_required"] is True


def test_an_absent_and_a_deleted_secret_are_two_kinds_of_404(sim: Sim) -> None:
    """Absent: no body of data. Deleted: the metadata, and data null. Undelete brings it back."""
    absent = sim.vault.get(PATH)
    assert (absent.status_code, absent.json()) == (404, {"errors": []})
    write(sim, "a")
    assert sim.vault.delete(PATH).status_code == 204
    deleted = sim.vault.get(PATH)
    assert (deleted.status_code, deleted.json()["data"]["data"]) == (404, None)
    assert deleted.json()["data"]["metadata"]["deletion_time"] != ""
    sim.vault.post("/v1/secret/undelete/test/path", json={"versions": [1]})
    assert sim.vault.get(PATH).json()["data"]["data"] == {"v": "a"}


def test_a_destroyed_version_never_comes_back(sim: Sim) -> None:
    """destroy by number leaves the others and survives undelete."""
    for value in "abc":
        write(sim, value)
    sim.vault.put("/v1/secret/destroy/test/path", json={"versions": [1, 2]})
    sim.vault.post("/v1/secret/undelete/test/path", json={"versions": [1, 2]})
    gone = sim.vault.get(PATH, params={"version": 2})
    assert (gone.status_code, gone.json()["data"]["metadata"]["destroyed"]) == (404, True)
    assert sim.vault.get(PATH).json()["data"]["data"] == {"v": "c"}
    assert [v["destroyed"] for v in metadata(sim)["versions"].values()] == [True, True, False]


def test_old_versions_fall_off_the_end(sim: Sim) -> None:
    """max_versions of the key decides; the number goes on counting."""
    sim.vault.post("/v1/secret/metadata/test/path", json={"max_versions": 2})
    for value in "abcd":
        write(sim, value)
    assert (metadata(sim)["oldest_version"], metadata(sim)["current_version"]) == (3, 4)
    assert sim.vault.get(PATH, params={"version": 1}).status_code == 404


def test_a_version_may_delete_itself(sim: Sim) -> None:
    """delete_version_after lets the live secret vanish silently."""
    sim.vault.post("/v1/secret/metadata/test/path", json={"delete_version_after": "1h"})
    write(sim, "a")
    assert sim.vault.get(PATH).status_code == 200
    sim.advance(3601)
    assert sim.vault.get(PATH).status_code == 404
    assert metadata(sim)["delete_version_after"] == "1h0m0s"


def test_patches_merge_and_need_their_content_type(sim: Sim) -> None:
    """Data and custom metadata merge; null removes; the wrong content type is 415."""
    write(sim, "a")
    assert sim.vault.patch(PATH, json={"data": {"w": "b"}}).status_code == 415
    sim.vault.patch(PATH, content='{"data": {"w": "b", "v": null}}', headers=MERGE)
    assert sim.vault.get(PATH).json()["data"]["data"] == {"w": "b"}
    sim.vault.post("/v1/secret/metadata/test/path", json={"custom_metadata": {"a": "1", "b": "2"}})
    patch = '{"custom_metadata": {"b": null, "c": "3"}}'
    assert sim.vault.patch("/v1/secret/metadata/test/path", content=patch, headers=MERGE).status_code == 204
    assert metadata(sim)["custom_metadata"] == {"a": "1", "c": "3"}
    assert metadata(sim)["max_versions"] == 0


def test_a_late_write_after_a_fence_is_refused(sim: Sim) -> None:
    """The empty version of a fence moves the number on, so a write with the older check-and-set fails."""
    write(sim, "old", cas=0)
    sim.fault("late", nth=1, args={"requests": 2}, purpose="^kv write$")
    with pytest.raises(httpx.RemoteProtocolError):
        write(sim, "late", cas=1)
    assert write(sim, "old", cas=1).status_code == 200
    sim.vault.get(PATH)
    assert sim.vault.get(PATH).json()["data"]["data"] == {"v": "old"}
    late = [record for record in sim.admin("GET", "/history?site=vault") if record["late"]]
    assert [(record["status"], record["effect"]) for record in late] == [(400, "")]


def test_a_kv_v1_mount_has_no_versions(sim: Sim) -> None:
    """The second mount tells its version, and knows neither data nor check-and-set."""
    info = sim.vault.get("/v1/sys/internal/ui/mounts/kv1/x").json()["data"]
    assert info["options"]["version"] == "1"
    assert sim.vault.get("/v1/sys/internal/ui/mounts/secret").json()["data"]["options"]["version"] == "2"
    sim.vault.post("/v1/kv1/x", json={"v": "a"})
    assert sim.vault.get("/v1/kv1/x").json()["data"] == {"v": "a"}


def approle(sim: Sim, secret_id: str = "") -> httpx.Response:
    """An AppRole login."""
    vault = sim.world["vault"]
    body = {"role_id": vault["role_id"], "secret_id": secret_id or vault["secret_id"]}
    return sim.vault.post("/v1/auth/approle/login", json=body, headers={"x-vault-token": ""})


def test_an_approle_token_lives_as_long_as_it_says(sim: Sim) -> None:
    """Login, lookup, renewal up to the maximum, and death on the simulator's clock."""
    auth = approle(sim).json()["auth"]
    mine = {"x-vault-token": auth["client_token"]}
    assert auth["lease_duration"] in (1199, 1200)
    sim.advance(1000)
    assert sim.vault.get("/v1/auth/token/lookup-self", headers=mine).json()["data"]["ttl"] <= 200
    assert sim.vault.post("/v1/auth/token/renew-self", headers=mine).json()["auth"]["lease_duration"] in (1199, 1200)
    sim.advance(1201)
    dead = sim.vault.get(PATH, headers=mine)
    assert (dead.status_code, "invalid token" in dead.json()["errors"][0]) == (403, True)
    assert approle(sim, "wrong").json()["errors"] == ["invalid role or secret ID"]


def test_a_revoked_token_is_dead_at_once(sim: Sim) -> None:
    """revoke-self, and the admin door's end_all_tokens, which spares root."""
    mine = {"x-vault-token": approle(sim).json()["auth"]["client_token"]}
    assert sim.vault.post("/v1/auth/token/revoke-self", headers=mine).status_code == 204
    assert sim.vault.get("/v1/auth/token/lookup-self", headers=mine).status_code == 403
    other = {"x-vault-token": approle(sim).json()["auth"]["client_token"]}
    sim.admin("PATCH", "/vault", {"end_all_tokens": True})
    assert sim.vault.get("/v1/auth/token/lookup-self", headers=other).status_code == 403
    assert sim.vault.get("/v1/auth/token/lookup-self").status_code == 200


def test_a_wrapped_secret_id_unwraps_once(sim: Sim) -> None:
    """The creation path can be looked up first; the second unwrap, and one too late, are refused."""
    path = "/v1/auth/approle/role/rotator/secret-id"
    info = sim.vault.post(path, headers={"x-vault-wrap-ttl": "60s"}).json()["wrap_info"]
    seen = sim.vault.post("/v1/sys/wrapping/lookup", json={"token": info["token"]}).json()["data"]
    assert seen["creation_path"] == info["creation_path"] == "auth/approle/role/rotator/secret-id"
    opened = sim.vault.post("/v1/sys/wrapping/unwrap", headers={"x-vault-token": info["token"]}).json()["data"]
    assert approle(sim, opened["secret_id"]).status_code == 200
    again = sim.vault.post("/v1/sys/wrapping/unwrap", json={"token": info["token"]})
    assert again.json()["errors"] == ["wrapping token is not valid or does not exist"]
    late = sim.vault.post(path, headers={"x-vault-wrap-ttl": "60s"}).json()["wrap_info"]
    sim.advance(61)
    assert sim.vault.post("/v1/sys/wrapping/unwrap", json={"token": late["token"]}).status_code == 400


@pytest.mark.parametrize(("method", "refusal"), [("jwt", 400), ("kubernetes", 403)])
def test_a_jwt_is_accepted_when_the_role_was_told(sim: Sim, method: str, refusal: int) -> None:
    """jwt and kubernetes logins take the tokens they were told to accept."""
    body = {"role": "rotator", "jwt": "header.claims.signature"}
    assert sim.vault.post(f"/v1/auth/{method}/login", json=body).status_code == refusal
    sim.admin("PATCH", "/vault", {"roles": [{"method": method, "accepted": [body["jwt"]]}]})
    assert sim.vault.post(f"/v1/auth/{method}/login", json=body).json()["auth"]["client_token"]


def test_a_client_certificate_logs_in_over_tls(tmp_path: Path) -> None:
    """cert: the certificate that the role accepts, and no other, over https with the given files."""
    authority = trustme.CA()
    server, mine, other = (authority.issue_cert(name) for name in ("127.0.0.1", "me.example", "other.example"))
    names = {name: str(tmp_path / name) for name in ("cert", "key", "ca", "mine", "other")}
    server.cert_chain_pems[0].write_to_path(names["cert"])
    server.private_key_pem.write_to_path(names["key"])
    authority.cert_pem.write_to_path(names["ca"])
    mine.private_key_and_cert_chain_pem.write_to_path(names["mine"])
    other.private_key_and_cert_chain_pem.write_to_path(names["other"])
    tls: dict[str, Any] = {"tls_cert": names["cert"], "tls_key": names["key"], "tls_client_ca": names["ca"]}
    with start(seed=2, **tls) as running:
        accepted = mine.cert_chain_pems[0].bytes().decode()
        role = {"roles": [{"method": "cert", "accepted": [accepted]}]}
        httpx.patch(f"{running.admin_url}/vault", json=role, trust_env=False).raise_for_status()
        statuses = []
        for who in ("mine", "other", ""):
            context = ssl.create_default_context(cafile=names["ca"])
            if who:
                context.load_cert_chain(names[who])
            with httpx.Client(verify=context, trust_env=False) as client:
                statuses.append(client.post(f"{running.vault_url}/v1/auth/cert/login", json={}).status_code)
    assert statuses == [200, 400, 400]


@pytest.mark.parametrize("status", [429, 472, 473, 474, 502, 503])
def test_a_node_in_a_bad_state_says_so_everywhere(sim: Sim, status: int) -> None:
    """sys/health and every other path answer with the status; seal-status still answers 200."""
    sim.admin("PATCH", "/vault", {"status": status})
    assert sim.vault.get("/v1/sys/health").status_code == status
    assert sim.vault.get(PATH).status_code == status
    assert sim.vault.get("/v1/sys/seal-status").status_code == 200
    sim.admin("PATCH", "/vault", {"status": 0})
    assert sim.vault.get("/v1/sys/health").status_code == 200


def test_a_sealed_vault_refuses_and_forgets_nothing(sim: Sim) -> None:
    """503 with Vault's words while sealed; the data is there after."""
    write(sim, "a")
    sim.admin("PATCH", "/vault", {"sealed": True})
    assert sim.vault.get(PATH).json()["errors"] == ["Vault is sealed"]
    assert sim.vault.get("/v1/sys/seal-status").json()["sealed"] is True
    assert sim.vault.get("/v1/sys/health", params={"sealedcode": "200"}).status_code == 200
    sim.admin("PATCH", "/vault", {"sealed": False})
    assert sim.vault.get(PATH).status_code == 200
    sim.admin("PATCH", "/vault", {"initialized": False})
    assert sim.vault.get("/v1/sys/health").status_code == 501


def test_a_lagging_standby_misses_the_callers_index(sim: Sim) -> None:
    """412 as often as told to readers that name an index; others read on."""
    index = write(sim, "a").headers["x-vault-index"]
    sim.admin("PATCH", "/vault", {"lag": 2})
    assert sim.vault.get(PATH).status_code == 200
    known = [sim.vault.get(PATH, headers={"x-vault-index": index}).status_code for _ in range(3)]
    assert known == [412, 412, 200]


def test_a_namespace_is_a_world_of_its_own(sim: Sim) -> None:
    """The header chooses; an unknown namespace has no handlers."""
    write(sim, "a")
    sim.admin("PATCH", "/vault", {"namespaces": ["team/a"]})
    inside = {"x-vault-namespace": "team/a/"}
    assert sim.vault.get(PATH, headers=inside).status_code == 404
    assert sim.vault.post(PATH, json={"data": {"v": "b"}}, headers=inside).status_code == 200
    assert sim.vault.get(PATH).json()["data"]["data"] == {"v": "a"}
    assert sim.vault.get(PATH, headers={"x-vault-namespace": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("capability", "work"),
    [
        ("read", lambda sim, mine: sim.vault.get(PATH, headers=mine)),
        ("update", lambda sim, mine: sim.vault.post(PATH, json={"data": {}}, headers=mine)),
        ("create", lambda sim, mine: sim.vault.post(f"{PATH}/{mine['x']}", json={"data": {}}, headers=mine)),
        ("delete", lambda sim, mine: sim.vault.delete(PATH, headers=mine)),
        ("patch", lambda sim, mine: sim.vault.patch(PATH, content='{"data": {}}', headers=MERGE | mine)),
        ("list", lambda sim, mine: sim.vault.request("LIST", "/v1/secret/metadata/test", headers=mine)),
    ],
)
def test_a_capability_can_be_taken_away(sim: Sim, capability: str, work: Any) -> None:
    """403 for the act that needs it, and capabilities-self no longer names it; before that all is well."""
    write(sim, "a")
    mine = {"x-vault-token": approle(sim).json()["auth"]["client_token"]}
    assert work(sim, mine | {"x": "first"}).status_code < 300
    sim.admin("PATCH", "/vault", {"denies": [{"path": "test", "capabilities": [capability]}]})
    assert work(sim, mine | {"x": "second"}).status_code == 403
    asked = {"paths": ["secret/data/test/path", "secret/data/elsewhere"]}
    told = sim.vault.post("/v1/sys/capabilities-self", json=asked, headers=mine).json()["data"]
    assert capability not in told["secret/data/test/path"]
    assert capability in told["secret/data/elsewhere"]


def test_names_are_listed_level_by_level(sim: Sim) -> None:
    """LIST and GET with list=true give one level; folders end in a slash."""
    write(sim, "a")
    write(sim, "b", path="/v1/secret/data/test/deep/er")
    listed = sim.vault.request("LIST", "/v1/secret/metadata/test").json()["data"]["keys"]
    assert listed == sim.vault.get("/v1/secret/metadata/test", params={"list": "true"}).json()["data"]["keys"]
    assert listed == ["deep/", "path"]


def test_the_rotators_own_pair_is_where_a_configuration_looks(sim: Sim) -> None:
    """admin.vault_path of the contract's example: fields client_id and client_secret."""
    read = sim.vault.get("/v1/secret/data/salesforce/acme/rotator").json()["data"]["data"]
    assert read == {name: sim.acme["admin"][name] for name in ("client_id", "client_secret")}
