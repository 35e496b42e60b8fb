"""config/vault-policy.hcl is enough, and nothing in it is too much: taking any one capability away breaks a test."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotator.adapters.vault import AppRoleAuth, TokenAuth, VaultClient, VaultKv
from rotator.domain.errors import Refused
from rotator.domain.pair import EscrowContent
from rotator.domain.secret import Secret
from tests.contract.vault_ports import NEW, OLD, TARGET, RealHand, credential, options_for
from tests.servers.vault import RealVault, VaultError

CONFIG = Path(__file__).parents[2] / "config"
POLICY = (CONFIG / "vault-policy.hcl").read_text()
DESTROY = (CONFIG / "vault-policy-destroy.hcl").read_text()
OWN = (CONFIG / "vault-policy-own.hcl").read_text()
RULE = re.compile(r'^path "(?P<path>[^"]+)" \{\s+capabilities = \[(?P<words>[^]]*)\]\s+\}', re.MULTILINE)
RESPOND = (CONFIG / "vault-policy-responder.hcl").read_text()
ESCROW, RESPONDERS = "rotator-escrow/billing", "salesforce/acme/rotator-responder"


def lines(policy: str) -> Iterator[tuple[str, str]]:
    """Every (path, capability) of a policy."""
    for rule in RULE.finditer(policy):
        for word in re.findall(r'"(\w+)"', rule["words"]):
            yield rule["path"], word


def without(policy: str, path: str, capability: str) -> str:
    """The policy less one capability."""

    def shorter(rule: re.Match[str]) -> str:
        if rule["path"] != path:
            return rule[0]
        words = [word for word in re.findall(r'"(\w+)"', rule["words"]) if word != capability]
        return f'path "{path}" {{ capabilities = [{", ".join(f"{chr(34)}{word}{chr(34)}" for word in words)}] }}'

    return RULE.sub(shorter, policy)


class Bench:
    """A mount, and a rotator whose token has the given policy and nothing else."""

    def __init__(self, vault: RealVault, mount: str, policy: str) -> None:
        self.hand = RealHand(vault, mount)
        self.policy = vault.write_policy(re.sub(r'path "secret/', f'path "{mount}/', policy))
        token = vault.token(self.policy, no_default_policy=True)
        self.client = VaultClient(options_for(vault, mount, auth=TokenAuth(lambda: Secret(token))))
        self.kv = VaultKv(self.client)


Benches = Callable[[str], Bench]


@pytest.fixture
def bench_with(real_vault: RealVault) -> Iterator[Benches]:
    """Makes benches, each with a mount of its own, and closes them."""
    with contextlib.ExitStack() as stack:

        def make(policy: str) -> Bench:
            bench = Bench(real_vault, real_vault.enable_kv(), policy)
            stack.callback(bench.client.close)
            return bench

        yield make


def put_old(bench: Bench) -> int:
    return bench.hand.put(TARGET.path, {"client_id": OLD.key, "client_secret": "s"})


def first_publish(bench: Bench) -> None:
    """The first version of a live path is written."""
    assert bench.kv.write_live(TARGET, credential(NEW, "r-1"), 0) == 1


def publish(bench: Bench) -> None:
    """A live path that is there gets a new version."""
    bench.kv.write_live(TARGET, credential(NEW, "r-1"), put_old(bench))


def read_live(bench: Bench) -> None:
    """A live path is read."""
    put_old(bench)
    assert bench.kv.live(TARGET).key == OLD.key


def fence_absent(bench: Bench) -> None:
    """Readers of a fenced absent path find no secret, as before."""
    bench.kv.write_live(TARGET, None, 0)
    with pytest.raises(LookupError):
        bench.hand.fields(TARGET.path)


def mark(bench: Bench) -> None:
    """The path's custom metadata says who manages it."""
    publish(bench)
    assert bench.hand.vault.kv_metadata(bench.hand.mount, TARGET.path)["custom_metadata"] == {"managed_by": "rotator"}


def preflight(bench: Bench) -> None:
    """Settings of mount, live path and escrow path are looked at, all of them there."""
    put_old(bench)
    bench.hand.put(ESCROW, {})
    bench.kv.preflight(TARGET)


def own_login(bench: Bench, path: str = "salesforce/acme/rotator") -> None:
    """The rotator reads its own login to an org."""
    bench.hand.put(path, {"client_id": "a", "client_secret": "b"})
    assert bench.client.read_fields(path)["client_id"] == Secret("a")


def responders_login(bench: Bench) -> None:
    """The same of its second identity."""
    own_login(bench, RESPONDERS)


def first_escrow(bench: Bench) -> None:
    """The first version of an escrow path is written."""
    assert bench.kv.write_escrow(TARGET, EscrowContent("r-1", NEW), 0) == 1


def more_escrow(bench: Bench) -> None:
    """An escrow path that is there gets a new version (the canary)."""
    bench.kv.write_escrow(TARGET, EscrowContent("r-1", NEW), bench.hand.put(ESCROW, {}))


def read_escrow(bench: Bench) -> None:
    """The escrow is read back."""
    number = bench.hand.put(ESCROW, {})
    assert bench.kv.escrow(TARGET).number == number


def destroy_escrow(bench: Bench) -> None:
    """The escrow's versions are destroyed."""
    bench.kv.destroy_escrow(TARGET, bench.hand.put(ESCROW, {"client_id": "k"}))
    assert bench.hand.destroyed(ESCROW) == {1}


def ask_capabilities(bench: Bench) -> None:
    """The token may ask what it may do (check VLT-2)."""
    assert bench.client.capabilities([f"{bench.hand.mount}/config"])


def ask_life(bench: Bench) -> None:
    """The token may ask how long it lives (check VLT-3)."""
    life = bench.client.token_life()
    assert life is not None
    assert 3000 < life <= 3600


def end_token(bench: Bench) -> None:
    """A token that we logged in for is ended when the rotator closes."""
    vault = bench.hand.vault
    at, role = vault.approle(bench.policy, token_no_default_policy=True)
    auth = AppRoleAuth(role.role_id, lambda: Secret(role.secret_id), mount=at)
    client = VaultClient(options_for(vault, bench.hand.mount, auth=auth))
    client.token_life()
    assert at in paths_of_tokens(vault)
    client.close()
    assert at not in paths_of_tokens(vault)


def paths_of_tokens(vault: RealVault) -> set[str]:
    """The auth mounts whose tokens live; tokens of other tests come and go."""
    paths = set()
    for accessor in vault.request("LIST", "auth/token/accessors")["data"]["keys"]:
        with contextlib.suppress(VaultError):
            found = vault.request("POST", "auth/token/lookup-accessor", {"accessor": accessor})
            paths.add(found["data"]["path"].split("/")[1])
    return paths


SCENES: dict[tuple[str, str], Callable[[Bench], None]] = {
    ("secret/data/salesforce/*", "create"): first_publish,
    ("secret/data/salesforce/*", "read"): read_live,
    ("secret/data/salesforce/*", "update"): publish,
    ("secret/delete/salesforce/*", "update"): fence_absent,
    ("secret/metadata/salesforce/*", "read"): preflight,
    ("secret/metadata/salesforce/*", "patch"): mark,
    ("secret/data/salesforce/+/rotator", "read"): own_login,
    ("secret/data/salesforce/+/rotator-responder", "read"): responders_login,
    ("secret/data/rotator-escrow/*", "create"): first_escrow,
    ("secret/data/rotator-escrow/*", "read"): read_escrow,
    ("secret/data/rotator-escrow/*", "update"): more_escrow,
    ("secret/destroy/rotator-escrow/*", "update"): destroy_escrow,
    ("secret/metadata/rotator-escrow/*", "read"): preflight,
    ("secret/config", "read"): preflight,
    ("sys/capabilities-self", "update"): ask_capabilities,
    ("auth/token/lookup-self", "read"): ask_life,
    ("auth/token/revoke-self", "update"): end_token,
}


def test_every_capability_of_the_policy_has_its_scene() -> None:
    """A line that is added to the policy needs a reason that a test can see."""
    assert sorted(lines(POLICY)) == sorted(SCENES)


@pytest.mark.parametrize(("path", "capability"), SCENES, ids=[f"{place}-{word}" for place, word in SCENES])
def test_the_policy_is_enough_and_without_this_capability_it_is_not(
    bench_with: Benches, path: str, capability: str
) -> None:
    """The scene plays with the whole policy, and fails with the policy less this one capability."""
    scene = SCENES[path, capability]
    scene(bench_with(POLICY))
    short = bench_with(without(POLICY, path, capability))
    with pytest.raises((Refused, VaultError, AssertionError, pytest.fail.Exception)):
        scene(short)


def test_a_refusal_names_the_path_and_the_capability_that_is_missing(bench_with: Benches) -> None:
    """And says which policy to give."""
    bench = bench_with(without(POLICY, "secret/data/rotator-escrow/*", "create"))
    with pytest.raises(Refused) as caught:
        first_escrow(bench)
    assert caught.value.code == "vault_permission"
    assert f"update {bench.hand.mount}/data/{ESCROW}" in caught.value.message
    assert "vault-policy.hcl" in caught.value.fix


def test_the_policy_lets_nobody_destroy_a_live_version(bench_with: Benches) -> None:
    """That right lies in a policy of its own."""
    bench = bench_with(POLICY)
    publish(bench)
    with pytest.raises(Refused):
        bench.kv.destroy_live(TARGET, [1])
    more = bench_with(POLICY + DESTROY)
    publish(more)
    more.kv.destroy_live(TARGET, [1])
    assert more.hand.destroyed(TARGET.path) == {1}


@pytest.mark.parametrize("path", ["salesforce/acme/rotator", RESPONDERS])
def test_the_policy_does_not_let_the_rotator_change_its_own_login(bench_with: Benches, path: str) -> None:
    """The more exact rule wins over the one for the live paths."""
    own = dataclasses.replace(TARGET, path=path)
    with pytest.raises(Refused):
        bench_with(POLICY).kv.write_live(own, credential(NEW, "r-1"), 0)


@pytest.mark.parametrize(("capability", "number"), [("create", 0), ("update", 1)])
def test_with_the_policy_of_its_own_pair_it_may_and_without_a_capability_not(bench_with: Benches, capability: str,
                                                                           number: int) -> None:  # fmt: skip
    """Where a second identity rotates it: a first version, and a further one."""
    own = dataclasses.replace(TARGET, path="salesforce/acme/rotator")

    def publish_own(bench: Bench) -> None:
        if number:
            bench.hand.put(own.path, {"client_id": OLD.key, "client_secret": "s"})
        bench.kv.write_live(own, credential(NEW, "r-1"), number)
        assert bench.kv.live(own).key == NEW.key

    publish_own(bench_with(POLICY + OWN))
    with pytest.raises(Refused):
        publish_own(bench_with(POLICY + without(OWN, "secret/data/salesforce/+/rotator", capability)))


def test_a_responder_reads_its_login_and_nothing_else(bench_with: Benches) -> None:
    """Its policy alone: no live path, no escrow, not the admin's login, and no way to change its own."""
    bench = bench_with(RESPOND)
    responders_login(bench)
    put_old(bench)
    bench.hand.put(ESCROW, {"client_id": "k"})
    bench.hand.put("salesforce/acme/rotator", {"client_id": "a", "client_secret": "b"})
    for act in (lambda: bench.kv.live(TARGET), lambda: bench.kv.escrow(TARGET),
                lambda: bench.client.read_fields("salesforce/acme/rotator"),
                lambda: bench.kv.write_live(dataclasses.replace(TARGET, path=RESPONDERS), credential(NEW, "r"), 1)):
        with pytest.raises(Refused):
            act()


def test_the_rights_that_a_check_asks_for_are_those_of_the_policy(bench_with: Benches) -> None:
    """VLT-2 neither passes a token that will fail, nor fails one that works."""
    bench = bench_with(POLICY)
    needed = bench.kv.rights(TARGET)
    found = bench.client.capabilities(sorted(needed))
    assert found == needed
