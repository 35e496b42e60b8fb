"""The whole program with real servers: HashiCorp's Vault under the shipped policy, and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.scene import Door, Scene, until
from tests.servers.vault import RealVault

POLICY = Path(__file__).parents[2] / "config" / "vault-policy.hcl"
PROVEN = {"refused": "proven", "tokens": "proven", "vault": "proven", "slot": "proven"}


class RealScene(Scene):
    """A scene whose Vault is a real one; the rotator logs in by AppRole, with the shipped policy and nothing more."""

    def __init__(self, door: Door, folder: Path, vault: RealVault) -> None:
        super().__init__(door, folder)
        self.real, self.mount = vault, vault.enable_kv()
        policy = vault.write_policy(POLICY.read_text().replace("secret/", f"{self.mount}/"))
        at, role = vault.approle(policy, token_ttl="1h")
        self.vault_words = {"vault": vault.address, "role_id": role.role_id, "mount": self.mount, "auth": at}
        self.secret_file("vault-secret-id", role.secret_id)
        org = self.world["orgs"]["acme"]
        for app in (org["admin"], *org["apps"].values()):
            pair = {"client_id": app["client_id"], "client_secret": app["client_secret"], "owner": "team-a"}
            vault.kv_put(self.mount, app["vault_path"], pair)
        self.configure()

    def live(self, app: str) -> dict[str, object]:
        """The newest version of the live path."""
        return self.real.kv_get(self.mount, f"salesforce/acme/{app}")


def test_a_rotation_end_to_end_with_a_real_vault(door: Door, tmp_path: Path, real_vault: RealVault) -> None:
    """The shipped policy is enough; the live path serves the new pair with the foreign field kept; the escrow's
    versions are destroyed and its metadata stays; the old version of the live path is still there."""
    scene = RealScene(door, tmp_path, real_vault)
    assert scene.json("check", "orders").code == 0
    done = scene.json("rotate", "orders", "--until", "done")
    assert (done.code, done.rotation["state"], done.rotation["claims"]) == (0, "done", PROVEN), done.err
    live = scene.live("orders")
    data, meta = live["data"], live["metadata"]
    assert isinstance(data, dict)
    assert isinstance(meta, dict)
    assert data["client_id"] == scene.truth("orders")["primary"]["key"]
    assert (data["owner"], data["rotation_id"], meta["version"]) == ("team-a", done.rotation["rotation_id"], 2)
    assert data["login_url"] == scene.world["orgs"]["acme"]["url"]
    escrow = real_vault.kv_metadata(scene.mount, "rotator-escrow/orders")["versions"]
    assert [version["destroyed"] for version in escrow.values()] == [True] * len(escrow) != []
    assert real_vault.kv_get(scene.mount, "salesforce/acme/orders", version=1)["data"]["owner"] == "team-a"


def test_a_vault_that_is_sealed_in_the_middle_is_waited_for(door: Door, tmp_path: Path, real_vault: RealVault) -> None:
    """Sealed between stage and escrow: `waiting`, exit 75. Unsealed: the rotation goes on when its time comes, with
    the same pair, and ends `done`."""
    scene = RealScene(door, tmp_path, real_vault)
    scene.configure(vault_wait="0s")
    door("POST", "/pause", {"match": {"purpose": "stage"}, "when": "after"})
    with scene.started("--json", "rotate", "orders") as process:
        until(lambda: any(one["state"] == "paused" for one in door("GET", "/paused")))
        real_vault.seal()
        door("POST", "/resume")
        _, err = process.communicate(timeout=60)
    real_vault.unseal()
    door("DELETE", "/pause")
    assert process.returncode == 75, err
    until(lambda: scene.json("rotate", "orders").rotation["state"] == "done", 40)
    assert scene.truth("orders")["slot"] == []


def test_a_rotation_with_its_trail_on_postgresql(scene: Scene, postgres_url: str) -> None:
    """Tables are made on first use; overlap, then the proof; the trail is whole, and `status` knows the age."""
    scene.configure(database=f'[database]\nurl = "{postgres_url}"', overlap="1s")
    first = scene.json("rotate", "billing")
    assert (first.code, first.rotation["state"]) == (0, "overlap"), first.err
    until(lambda: scene.json("rotate", "billing").rotation["state"] == "done", 30)
    assert scene.json("audit", "verify").told["ok"] is True
    (billing,) = scene.json("status", "billing").told["apps"]
    assert (billing["rotation"], billing["secret_age_s"] >= 0) == (None, True)
    assert not scene.database.exists()
    scene.settle()
