"""The Vault adapter and HashiCorp's own Vault in bad hours: sealed, hung, gone, raced, tokens ended, settings wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.vault import AppRoleAuth, TokenAuth, VaultKv, VaultOptions
from rotator.domain.errors import CasMismatch, ConfigError, OutcomeUnknown, Refused, Unavailable
from rotator.domain.pair import Live
from rotator.domain.secret import Secret
from tests.contract.vault_ports import NEW, OLD, TARGET, Connect, credential, options_for
from tests.servers.fixtures import StartVault
from tests.servers.network import free_port
from tests.servers.vault import RealVault


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


def freeze(vault: RealVault) -> None:
    """Stops every thread of the server: on a busy machine the signal takes its time, and one might still answer."""
    os.kill(vault.pid, signal.SIGSTOP)
    limit = time.monotonic() + 20
    while any(stat.read_text().rpartition(")")[2].split()[0] != "T" for stat in threads_of(vault)):
        assert time.monotonic() < limit, "the Vault does not stop"
        time.sleep(0.01)


def threads_of(vault: RealVault) -> list[Path]:
    return list(Path(f"/proc/{vault.pid}/task").glob("*/stat"))


def test_a_vault_that_hangs_leaves_a_write_unknown_and_a_read_unavailable(
    vault_starter: StartVault, connect: Connect
) -> None:
    """Within the deadline; what the frozen server does later is found by the next read."""
    vault = vault_starter()
    mount = vault.enable_kv("secret")
    patient, hasty = (connect(options_for(vault, mount, deadline=seconds)) for seconds in (30.0, 1.0))
    patient.write_live(TARGET, credential(OLD), 0)
    freeze(vault)
    try:
        with pytest.raises(OutcomeUnknown):
            hasty.write_live(TARGET, credential(NEW, "r-1"), 1)
        with pytest.raises(Unavailable):
            hasty.live(TARGET)
    finally:
        os.kill(vault.pid, signal.SIGCONT)
    seen = patient.live(TARGET)
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
