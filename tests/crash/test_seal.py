"""One rotation over HashiCorp's own Vault in bad hours: sealed before each call, tokens ended before each call, raced.

The org is the simulator's; its watch is told what the real Vault serves. The time is moved, the Vault is real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.http import Answer, Http
from rotator.adapters.vault import AppRoleAuth, Auth, TokenAuth, VaultClient, VaultKv, VaultOptions
from rotator.domain.pair import Credential, Target
from rotator.domain.secret import Secret
from rotator.domain.words import State
from rotator.simulator import Running
from tests.crash.support import TLS, Door, MovedTime, Scene, filled, scene
from tests.crash.support_verdict import intents_first, no_outage, rotated, silent
from tests.servers.vault import RealVault, VaultError

LONG = 20 * 60.0  # seconds: beyond `vault_wait`, so that the rotation is told as `waiting`
Act = Callable[["RealScene"], None]
FULL = 'path "{mount}/*" {{ capabilities = ["create", "read", "update", "patch"] }}'


@dataclass
class RealScene(Scene):
    """A scene whose Vault is a real one. `act` happens before the Vault call for which `when` is true, once."""

    real: RealVault | None = None
    mount: str = ""
    auth: Auth | None = None
    when: Callable[[int, str, str], bool] = lambda n, method, path: False
    act: Act = lambda scene: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    acted: int = 0

    @property
    def server(self) -> RealVault:
        assert self.real is not None
        return self.real

    def client(self) -> VaultClient:
        assert self.auth is not None
        options = VaultOptions((self.server.address,), self.auth, mount=self.mount, insecure=True)
        return VaultClient(options, monotonic=self.time.monotonic, https=[Watched(self)])

    def kv(self, client: VaultClient) -> VaultKv:
        return Told(client, self)

    def tell(self) -> None:
        """Tells the simulator's watch what readers of the real Vault get now."""
        fields = (self.vault_root("GET", f"data/{self.target.path}") or {}).get("data") or {}
        self.door.post("/watch/live", {"app": "billing", "key": fields.get("client_id", ""), "cause": "ours"})

    def vault_root(self, method: str, path: str) -> Any:
        try:
            return self.server.request(method, f"{self.mount}/{path}")["data"]
        except VaultError as error:
            if error.status != 404:
                raise
            return None


class Watched(Http):
    """The way to the real Vault, with somebody beside it."""

    def __init__(self, scene: RealScene) -> None:
        super().__init__(scene.server.address, tls=TLS)
        self._scene = scene

    def call(self, method: str, path: str, **about: Any) -> Answer:
        here = self._scene
        here.calls.append((method, path))
        if not here.acted and here.when(len(here.calls), method, path):
            here.acted = len(here.calls)
            here.act(here)
        return super().call(method, path, **about)


class Told(VaultKv):
    """The real adapter; the watch is told after each write to the live path."""

    def __init__(self, client: VaultClient, scene: RealScene) -> None:
        super().__init__(client, now=scene.time.now)
        self._scene = scene

    def write_live(self, target: Target, credential: Credential | None, cas: int) -> int:
        number = super().write_live(target, credential, cas)
        if not self._scene.server.sealed:  # a sealed Vault serves nobody
            self._scene.tell()
        return number


class Unsealing(MovedTime):
    """Time that unseals the Vault once so much of it has passed since it was sealed."""

    def __init__(self, here: RealScene, after: float) -> None:
        super().__init__(here.door)
        self.here, self.after, self.slept = here, after, 0.0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.here.server.sealed:
            self.slept += seconds
            if self.slept > self.after:
                self.here.server.unseal()
                self.here.tell()


Make = Callable[[], RealScene]


@pytest.fixture
def make(sim: Running, door: Door, real_vault: RealVault, tmp_path: Path) -> Iterator[Make]:
    """Makes scenes, each with a mount, a login and a database of its own."""
    made: list[RealScene] = []

    def fresh() -> RealScene:
        folder = tmp_path / f"scene-{len(made)}"
        folder.mkdir(mode=0o700)
        url = f"sqlite:///{folder}/rotator.db"
        filled(url)
        plain = scene(sim, door, url, seed=7)
        mount = real_vault.enable_kv()
        here = RealScene(plain.sim, plain.door, url, plain.world, plain.time, plain.stated, real=real_vault,
                         mount=mount, auth=approle(real_vault, mount))  # fmt: skip
        furnish(here)
        made.append(here)
        return here

    yield fresh
    if real_vault.sealed:
        real_vault.unseal()


def approle(vault: RealVault, mount: str) -> AppRoleAuth:
    """A login whose tokens outlive the first part of a rotation."""
    at, login = vault.approle(vault.write_policy(FULL.format(mount=mount)), token_ttl="30m")
    return AppRoleAuth(login.role_id, lambda: Secret(login.secret_id), mount=at)


def furnish(here: RealScene) -> None:
    """What the simulator's own Vault holds at the start, in the real one; the watch looks there."""
    admin = here.world["orgs"]["acme"]["admin"]
    for path, pair in ((here.target.path, here.billing), ("salesforce/acme/rotator", admin)):
        fields = {"client_id": pair["client_id"], "client_secret": pair["client_secret"], "owner": "team-a"}
        here.server.kv_put(here.mount, path, fields)
    watch = {"app": "billing", "external": True, "overlap_s": 600}
    here.door.post("/watch", watch)
    here.tell()


def judge(here: RealScene, state: State = State.DONE) -> None:
    """Every promise, at the end."""
    row = here.rotation()
    assert row.state is state, f"{row.state} {row.reason}: {row.message}"
    no_outage(here)
    intents_first(here.history(), here.notes)
    here.trail()
    here.tell()
    rotated(here, row)
    silent(here, Path(here.url.removeprefix("sqlite:///")).parent)


def calls_of(make: Make) -> list[tuple[str, str]]:
    """The Vault calls of an undisturbed rotation."""
    here = make()
    here.run_to_rest()
    calls = list(here.calls)
    judge(here)
    return calls


def seal(here: RealScene) -> None:
    here.server.seal()


def end_tokens(here: RealScene) -> None:
    """Every token that our login ever got ends now."""
    assert isinstance(here.auth, AppRoleAuth)
    here.server.request("PUT", f"sys/leases/revoke-prefix/auth/{here.auth.mount}/login")


@pytest.mark.timeout(600)
def test_a_seal_before_any_call_delays_a_rotation_and_breaks_nothing(make: Make) -> None:
    """Unsealed again after a moment, or after longer than `vault_wait`, in turn."""
    wrong, waited = [], 0
    for n in range(1, len(calls_of(make)) + 1):
        here = make()
        here.time = Unsealing(here, after=LONG if n % 2 else 0.0)
        here.when, here.act = at(n), seal
        try:
            here.run_to_rest()
            assert here.acted == n
            if here.server.sealed:  # at the very last call, the end of our own token
                here.server.unseal()
            judge(here)
            waited += any(row["evidence"].get("set", {}).get("state") == "waiting" for row in here.trail())
        except AssertionError as error:
            wrong.append(f"sealed before call {n} {here.calls[n - 1 : n]}: {error}")
        finally:
            if here.server.sealed:
                here.server.unseal()
    assert not wrong, "\n".join(wrong)
    assert waited >= 5, "a long seal was not told as waiting"


@pytest.mark.timeout(600)
def test_a_token_that_ends_before_any_call_is_replaced_by_another(make: Make) -> None:
    """Revoked before each call in turn: the adapter logs in once more, and the rotation does not notice."""
    wrong = []
    for n in range(2, len(calls_of(make)) + 1):
        here = make()
        here.when, here.act = at(n), end_tokens
        try:
            here.run_to_rest()
            judge(here)
        except AssertionError as error:
            wrong.append(f"token ended before call {n} {here.calls[n - 1 : n]}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("step", ["escrow", "publish", "close"])
def test_a_token_file_gone_stale_holds_until_somebody_renews_it(make: Make, step: str) -> None:
    """The token ends in mid-rotation and the file still holds it: held with what to do; renewed and released: done."""
    here = make()
    tokens = [here.server.token(here.server.write_policy(FULL.format(mount=here.mount)))]
    here.auth = TokenAuth(lambda: Secret(tokens[-1]))
    here.when, here.act = writes(here, step), lambda one: revoke(one, tokens[0])
    row = here.run_to_rest()
    assert (row.state, row.reason) == (State.HELD, "vault_permission")
    tokens.append(here.server.token(here.server.write_policy(FULL.format(mount=here.mount))))
    here.release(row)
    here.run_to_rest()
    judge(here)


def revoke(here: RealScene, token: str) -> None:
    here.server.request("PUT", "auth/token/revoke", {"token": token})


def test_a_stranger_who_adds_a_field_just_before_publish_only_delays_it(make: Make) -> None:
    """Check-and-set fails; live still serves old: published again on the new version, and the field is kept."""
    here = make()
    here.when, here.act = writes(here, "publish"), lambda one: edit(one, note="from a stranger")
    here.run_to_rest()
    judge(here)
    fields = here.vault_root("GET", f"data/{here.target.path}")["data"]
    assert (fields["note"], fields["owner"]) == ("from a stranger", "team-a")
    assert any((row["step"], row["outcome"]) == ("publish", "refused") for row in here.trail())


def test_a_stranger_who_writes_another_pair_just_before_publish_is_not_overwritten(make: Make) -> None:
    """Check-and-set fails; live serves neither old nor new: held, nothing is written over it."""
    here = make()
    other = {"client_id": "3MVG9.stranger", "client_secret": "StrangerSecret"}
    here.when, here.act = writes(here, "publish"), lambda one: edit(one, **other)
    row = here.run_to_rest()
    assert (row.state, row.reason) == (State.HELD, "drift")
    assert here.vault_root("GET", f"data/{here.target.path}")["data"]["client_id"] == other["client_id"]


def test_a_stranger_who_writes_escrow_first_is_seen(make: Make) -> None:
    """The escrow write loses its check-and-set; the look after it finds no pair of ours there, and it is written."""
    here = make()
    here.when = writes(here, "escrow")
    here.act = occupy_escrow
    here.run_to_rest()
    judge(here)
    assert any((row["step"], row["outcome"]) == ("escrow", "refused") for row in here.trail())


def occupy_escrow(here: RealScene) -> None:
    here.server.kv_put(here.mount, f"rotator-escrow/{here.target.escrow_name}", {"rotation_id": "another"})


def edit(here: RealScene, **fields: str) -> None:
    """A stranger reads the live path and writes it back with other fields."""
    now = here.vault_root("GET", f"data/{here.target.path}")["data"]
    here.server.kv_put(here.mount, here.target.path, {**now, **fields})


def at(n: int) -> Callable[[int, str, str], bool]:
    return lambda number, method, path: number == n


def writes(here: RealScene, step: str) -> Callable[[int, str, str], bool]:
    """The first write of this step."""
    place = {"escrow": "data/rotator-escrow/", "close": "destroy/rotator-escrow/", "publish": "data/salesforce/"}[step]
    return lambda number, method, path: method in ("POST", "PUT") and path.startswith(f"/v1/{here.mount}/{place}")


