"""Settings of HashiCorp's Vault that could lose a version or a secret: refused, with the command that mends them; TLS;
and what is kept of a call."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.vault import TokenAuth, VaultClient, VaultOptions
from rotator.domain.errors import ConfigError, Refused, RotatorError
from rotator.domain.secret import Secret
from tests.contract.vault_ports import NEW, OLD, TARGET, Connect, RealHand, credential, options_for
from tests.servers.fixtures import StartVault, place_of
from tests.servers.network import Tls
from tests.servers.vault import RealVault


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
