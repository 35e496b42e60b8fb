"""Checks of the Vault."""

from __future__ import annotations

from rotator.checks.finding import Finding, failed, passed, warned
from rotator.checks.scene import AppScene, OwnScene, VaultScene
from rotator.domain.errors import ConfigError

BEARABLE = frozenset({"list", "patch", "deny"})
POLICY = "load {} and give it to the rotator's login"
OWN = "config/vault-policy.hcl with config/vault-policy-own.hcl"


def vlt_1(scene: AppScene) -> Finding:
    """The mount is KV v2, and neither path can lose a version by itself."""
    try:
        found = scene.vault.vault.findings(scene.target)
    except ConfigError as error:
        return failed(error.message, error.fix)
    for one in found:
        if one.fatal:
            return failed(one.message, one.fix)
    if found:
        return warned(found[0].message, found[0].fix)
    return passed("KV v2, and no version is lost by itself")


def vlt_2(scene: AppScene) -> Finding:
    """The rotator's login may do what a rotation does, on the live path and on the escrow path."""
    policy = POLICY.format(OWN if isinstance(scene, OwnScene) else "config/vault-policy.hcl")
    needed = capabilities(scene.vault, scene.target.path, scene.target.escrow_name)
    granted = scene.vault.vault.capabilities(tuple(needed))
    lacking = {path: wanted - granted.get(path, frozenset()) for path, wanted in needed.items()
               if "root" not in granted.get(path, frozenset())}  # fmt: skip
    missing = [f"{', '.join(sorted(words))} on {path}" for path, words in lacking.items() if words]
    if missing:
        return failed(f"the rotator's login lacks {'; '.join(missing)}", policy)
    spare = (granted.get(path, frozenset()) - words for path, words in needed.items())
    more = sorted(frozenset().union(*spare) - BEARABLE)
    if more:
        return warned(f"the rotator's login may do more than it needs: {', '.join(more)}", policy)
    return passed(f"rights on {len(needed)} paths, as needed")


def capabilities(scene: VaultScene, live: str, name: str) -> dict[str, frozenset[str]]:
    """What a rotation needs where, as a policy says it."""
    mount, escrow = scene.mount, f"{scene.escrow_prefix}/{name}"
    write = frozenset({"create", "read", "update"})
    return {
        f"{mount}/data/{live}": write,
        f"{mount}/delete/{live}": frozenset({"update"}),
        f"{mount}/metadata/{live}": frozenset({"read"}),
        f"{mount}/data/{escrow}": write,
        f"{mount}/destroy/{escrow}": frozenset({"update"}),
        f"{mount}/metadata/{escrow}": frozenset({"read"}),
        f"{mount}/config": frozenset({"read"}),
    }


def vlt_3(scene: VaultScene) -> Finding:
    """The token outlives a rotation."""
    left = scene.vault.token_life()
    if left is None:
        return passed("the token does not end")
    if left < scene.needs_seconds:
        return failed(f"the token lives {left:.0f} s, a rotation needs {scene.needs_seconds:.0f} s",
                      "give the login a longer token_ttl")
    return passed(f"the token lives {left:.0f} s")
