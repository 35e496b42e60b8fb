"""The Vault adapter and HashiCorp's own Vault in bad hours: sealed, hung, gone, raced, tokens ended, settings wrong."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.vault import AppRoleAuth, TokenAuth, VaultClient, VaultKv, VaultOptions
from rotator.domain.errors import CasMismatch, ConfigError, OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.domain.pair import Live
from rotator.domain.secret import Secret
from tests.contract.vault_ports import NEW, OLD, TARGET, RealHand, credential, options_for
from tests.servers.fixtures import StartVault, place_of
from tests.servers.network import Tls, free_port
from tests.servers.vault import RealVault

Connect = Callable[[VaultOptions], VaultKv]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes ports and closes their clients in the end."""
    clients: list[VaultClient] = []

    def make(options: VaultOptions) -> VaultKv:
        clients.append(VaultClient(options))
        return VaultKv(clients[-1])

    yield make
    for client in clients:
        client.close()


def approle(vault: RealVault, mount: str, **role: Any) -> tuple[AppRoleAuth, str]:
    """A login that may do everything on the mount, and the path of its auth method."""
    policy = vault.write_policy(
        f'path "{mount}/*" {{ capabilities = ["create", "read", "update", "delete", "list", "patch"] }}'
    )
    at, login = vault.approle(policy, **role)
    return AppRoleAuth(login.role_id, lambda: Secret(login.secret_id), mount=at), at


# --- down in the middle ----------------------------------------------------------------------------------------


def test_a_seal_in_the_middle_changes_nothing_and_the_same_write_lands_after_unseal(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """Sealed is Unavailable for reads and for writes, with `vault operator unseal` as the fix."""
    auth, _ = approle(real_vault, vault_mount)
    port = connect(options_for(real_vault, vault_mount, auth=auth))
    port.write_live(TARGET, credential(OLD), 0)
    real_vault.seal()
    try:
        for act in (lambda: port.live(TARGET), lambda: port.write_live(TARGET, credential(NEW, "r-1"), 1)):
            with pytest.raises(Unavailable) as caught:
                act()
            assert (caught.value.code, caught.value.http_status) == ("vault_sealed", 503)
            assert "unseal" in caught.value.fix
    finally:
        real_vault.unseal()
    assert port.live(TARGET) == Live(1, credential(OLD))
    assert port.write_live(TARGET, credential(NEW, "r-1"), 1) == 2


def test_a_vault_that_hangs_leaves_a_write_unknown_and_a_read_unavailable(
    vault_starter: StartVault, connect: Connect
) -> None:
    """Within the deadline; what the frozen server does later is found by the next read."""
    vault = vault_starter()
    port = connect(options_for(vault, vault.enable_kv("secret"), deadline=0.5))
    port.write_live(TARGET, credential(OLD), 0)
    os.kill(vault.pid, signal.SIGSTOP)
    try:
        with pytest.raises(OutcomeUnknown):
            port.write_live(TARGET, credential(NEW, "r-1"), 1)
        with pytest.raises(Unavailable):
            port.live(TARGET)
    finally:
        os.kill(vault.pid, signal.SIGCONT)
    seen = port.live(TARGET)
    assert seen.number in (1, 2)
    assert (seen.key == NEW.key) == (seen.number == 2)


def test_a_vault_that_is_gone_took_nothing_and_serves_again_after_a_restart(
    vault_starter: StartVault, connect: Connect
) -> None:
    """No connection: certain that nothing was sent, also for a write. Raft storage keeps what was written."""
    vault = vault_starter(storage="raft")
    port = connect(options_for(vault, vault.enable_kv("secret")))
    port.write_live(TARGET, credential(OLD), 0)
    vault.kill()
    for _ in range(2):  # the first may meet the dead connection of before
        with pytest.raises((Unavailable, OutcomeUnknown)):
            port.write_live(TARGET, credential(NEW, "r-1"), 1)
    with pytest.raises(Unavailable) as caught:
        port.write_live(TARGET, credential(NEW, "r-1"), 1)
    assert caught.value.code == "vault_unreachable"
    vault.start()
    assert port.write_live(TARGET, credential(NEW, "r-1"), 1) == 2


def test_of_two_addresses_the_one_that_answers_is_used(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """Also for a write, because nothing was sent to the first."""
    options = options_for(real_vault, vault_mount)
    dead = f"http://127.0.0.1:{free_port()}"
    port = connect(VaultOptions((dead, *options.addresses), options.auth, mount=vault_mount, insecure=True))
    assert port.write_live(TARGET, credential(OLD), 0) == 1
    assert port.live(TARGET) == Live(1, credential(OLD))


def test_of_many_writers_on_one_version_exactly_one_wins(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """Twenty races of six threads over one client: one new version each, the others are told."""
    client = connect(options_for(real_vault, vault_mount))._client
    for version in range(20):
        won, lost, gate = [], [], threading.Barrier(6)

        def write(name: str, version: int = version, gate: threading.Barrier = gate) -> None:
            port = VaultKv(client)
            gate.wait(10)
            try:
                won.append(port.write_live(TARGET, credential(NEW, name), version))  # noqa: B023 - joined below
            except CasMismatch:
                lost.append(name)  # noqa: B023 - joined below

        threads = [threading.Thread(target=write, args=(f"r-{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (won, len(lost)) == ([version + 1], 5)


# --- tokens ----------------------------------------------------------------------------------------------------


def test_a_token_that_ended_is_replaced_and_the_call_repeated_once(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """Read and write alike: a 403 is certain to have changed nothing."""
    auth, at = approle(real_vault, vault_mount)
    port = connect(options_for(real_vault, vault_mount, auth=auth))
    assert port.live(TARGET).number == 0
    real_vault.request("POST", f"sys/leases/revoke-prefix/auth/{at}", {})
    assert port.write_live(TARGET, credential(OLD), 0) == 1
    real_vault.request("POST", f"sys/leases/revoke-prefix/auth/{at}", {})
    assert port.live(TARGET) == Live(1, credential(OLD))


def test_a_token_that_is_about_to_end_is_replaced_before_the_call(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """A token of two seconds would end under a call: every call gets a new one, and none fails."""
    auth, _ = approle(real_vault, vault_mount, token_ttl="2s")
    port = connect(options_for(real_vault, vault_mount, auth=auth))
    for _ in range(3):
        assert port.live(TARGET).number == 0


def test_a_right_that_is_missing_is_asked_for_twice_and_then_refused(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """A fresh login does not help, and the error says which right."""
    at, login = real_vault.approle("default")
    auth = AppRoleAuth(login.role_id, lambda: Secret(login.secret_id), mount=at)
    with pytest.raises(Refused) as caught:
        connect(options_for(real_vault, vault_mount, auth=auth)).live(TARGET)
    assert (caught.value.code, caught.value.http_status) == ("vault_permission", 403)
    assert f"read {vault_mount}/data/{TARGET.path}" in caught.value.message


def test_a_token_file_is_read_again_when_its_token_is_refused(
    real_vault: RealVault, vault_mount: str, tmp_path: Path, connect: Connect
) -> None:
    """As Vault's agent rewrites it."""
    file = tmp_path / "token"
    file.write_text(real_vault.token("root"))
    auth = TokenAuth(lambda: Secret(file.read_text()))
    port = connect(options_for(real_vault, vault_mount, auth=auth))
    assert port.live(TARGET).number == 0
    real_vault.request("POST", "auth/token/revoke", {"token": file.read_text()})
    with pytest.raises(Refused) as caught:
        port.live(TARGET)
    assert caught.value.code == "vault_permission"
    file.write_text(real_vault.token("root"))
    assert port.live(TARGET).number == 0


@pytest.mark.parametrize("how", ["approle", "token"])
def test_a_token_too_short_for_a_rotation_is_refused_before_the_first_change(
    real_vault: RealVault, vault_mount: str, connect: Connect, how: str
) -> None:
    """Both numbers are named, and the command that mends it."""
    auth, at = approle(real_vault, vault_mount, token_ttl="60s")
    short = real_vault.token("root", ttl="60s")
    options = options_for(real_vault, vault_mount, auth=auth if how == "approle" else TokenAuth(lambda: Secret(short)))
    with pytest.raises(ConfigError, match=r"lives \d\d s, and a rotation needs 600 s") as caught:
        connect(options).preflight(TARGET)
    assert ("token_ttl=1200s" if how == "approle" else "-ttl=1200s") in caught.value.fix
    assert at in caught.value.fix or how == "token"


# --- settings --------------------------------------------------------------------------------------------------


def run(command: str, vault: RealVault) -> None:
    """Runs a command of Vault's own command line, as an operator who was told to."""
    words = shlex.split(command)
    env = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.root_token, "HOME": str(vault.folder)}
    subprocess.run([place_of("vault"), *words[1:]], env=env, check=True, capture_output=True)


@pytest.mark.parametrize("place", ["", TARGET.path], ids=["mount", "path"])
@pytest.mark.parametrize(
    "settings", [{"max_versions": 1}, {"delete_version_after": "1h"}, {"max_versions": 2, "delete_version_after": "9h"}]
)
def test_the_command_that_a_refusal_names_mends_it(
    real_vault: RealVault, vault_mount: str, connect: Connect, place: str, settings: dict[str, Any]
) -> None:
    """Run as printed, until the preflight passes; other settings and custom metadata stay."""
    hand = RealHand(real_vault, vault_mount)
    hand.settings(TARGET.path, custom_metadata={"team": "crm"})
    hand.settings(place, **settings)
    port = connect(options_for(real_vault, vault_mount))
    for _ in settings:
        with pytest.raises(ConfigError) as caught:
            port.preflight(TARGET)
        run(caught.value.fix.split("`")[1], real_vault)
    port.preflight(TARGET)
    assert real_vault.kv_metadata(vault_mount, TARGET.path)["custom_metadata"] == {"team": "crm"}


def test_a_kv_version_1_mount_is_refused_and_its_command_mends_it(real_vault: RealVault, connect: Connect) -> None:
    """Also where a secret called `config` stands in it."""
    mount = real_vault.enable_kv(version=1)
    port = connect(options_for(real_vault, mount))
    real_vault.request("POST", f"{mount}/config", {"max_versions": "1"})
    with pytest.raises(ConfigError, match="not KV version 2") as caught:
        port.preflight(TARGET)
    run(caught.value.fix.split("`")[1], real_vault)
    real_vault._wait_upgraded(mount)
    port.preflight(TARGET)


def test_a_mount_that_is_not_there_is_no_absent_secret(real_vault: RealVault, connect: Connect) -> None:
    """Invariant 7: Vault's 404 for a missing mount says something else than its 404 for a missing secret."""
    port = connect(options_for(real_vault, "nowhere"))
    for act in (lambda: port.live(TARGET), lambda: port.escrow(TARGET), lambda: port.preflight(TARGET)):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code == "vault_mount"


def test_the_first_publish_marks_the_path_and_touches_nothing_else_of_its_metadata(
    real_vault: RealVault, vault_mount: str, connect: Connect
) -> None:
    """Custom metadata of others, delete_version_after and max_versions stay; the second publish leaves it alone."""
    hand = RealHand(real_vault, vault_mount)
    hand.settings(TARGET.path, custom_metadata={"team": "crm"}, max_versions=7, delete_version_after="8h")
    port = connect(options_for(real_vault, vault_mount))
    port.write_live(TARGET, credential(OLD), 0)
    found = real_vault.kv_metadata(vault_mount, TARGET.path)
    assert found["custom_metadata"] == {"team": "crm", "managed_by": "rotator"}
    assert (found["max_versions"], found["delete_version_after"]) == (7, "8h0m0s")
    port.write_live(TARGET, credential(NEW, "r-1"), 1)
    after = real_vault.kv_metadata(vault_mount, TARGET.path)
    assert after["custom_metadata"] == found["custom_metadata"]


# --- TLS -------------------------------------------------------------------------------------------------------


def test_ca_file_is_what_makes_the_server_trusted(vault_starter: StartVault, tmp_path: Path, connect: Connect) -> None:
    """Without it: a refusal that names ca_file, and not a byte of the request is sent."""
    vault = vault_starter(tls=Tls.make(tmp_path))
    options = options_for(vault, vault.enable_kv("secret"))
    assert connect(options).live(TARGET).number == 0
    reads: list[str] = []

    def token() -> Secret:
        reads.append("read")
        return Secret(vault.root_token)

    with pytest.raises(Refused) as caught:
        connect(VaultOptions(options.addresses, TokenAuth(token))).live(TARGET)
    assert caught.value.code == "vault_tls"
    assert "ca_file" in caught.value.fix


def test_http_needs_insecure(real_vault: RealVault) -> None:
    """A token is not sent in the clear by an oversight."""
    with pytest.raises(ConfigError, match="https"):
        VaultClient(VaultOptions((real_vault.address,), TokenAuth(lambda: Secret("t"))))


def test_the_request_id_of_the_last_call_is_kept(real_vault: RealVault, vault_mount: str, connect: Connect) -> None:
    """For the audit trail: Vault's own audit log knows the call by it. A destroy's answer has none."""
    port = connect(options_for(real_vault, vault_mount))
    assert port.request_id == ""
    port.write_live(TARGET, credential(OLD), 0)
    first = port.request_id
    port.live(TARGET)
    assert len(first) == len(port.request_id) == 36
    assert first != port.request_id
    port.destroy_escrow(TARGET, 1)
    assert port.request_id == ""


def test_every_error_of_the_adapter_is_one_of_ours(real_vault: RealVault, connect: Connect) -> None:
    """Whatever the mount is: also a mount that is no KV engine at all."""
    at = real_vault.new_name("transit")
    real_vault.request("POST", f"sys/mounts/{at}", {"type": "transit"})
    port = connect(options_for(real_vault, at))
    acts: list[Callable[[], object]] = [
        lambda: port.live(TARGET),
        lambda: port.escrow(TARGET),
        lambda: port.preflight(TARGET),
        lambda: port.write_live(TARGET, credential(NEW, "r-1"), 0),
        lambda: port.destroy_escrow(TARGET, 3),
    ]
    for act in acts:
        with pytest.raises(RotatorError):
            act()
