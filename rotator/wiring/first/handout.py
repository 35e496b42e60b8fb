"""What a configuration needs elsewhere, ready to paste: permission sets, Vault policies and logins, SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from rotator.adapters.sql.rights import roles_for
from rotator.config import AppRoleAuth, ClientCredentials, Config
from rotator.config.own import own_apps
from rotator.resources import data_dir

_RULE = re.compile(r'^path "(?P<path>[^"]+)" (?P<body>\{.*?\n\})\n?', re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"\A(#.*\n)+\n?")
_ALONE = re.compile(r"^(#.*\n)+\n", re.MULTILINE)  # a remark whose rules are not needed here


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of it: where it goes, and what."""

    title: str
    text: str


def handout(config: Config) -> Iterator[Sheet]:
    """All that this configuration needs, in the order in which it is given."""
    yield from _permission_sets(config)
    yield Sheet("Vault: `vault policy write rotator -`", policy(config))
    if _destroys(config):
        rules = _adapted(config, (data_dir("config") / "vault-policy-destroy.hcl").read_text())
        yield Sheet("Vault: `vault policy write rotator-destroy -`, for forced rotations", rules)
    yield Sheet("Vault: the login, and the rotator's own pairs", "\n".join(_vault_commands(config)) + "\n")
    if config.database.url.startswith("postgresql"):
        yield Sheet("PostgreSQL: as a superuser, before the first `rotator db upgrade`", roles_for(config.database.url))


def _permission_sets(config: Config) -> Iterator[Sheet]:
    """One for each identity; where there is no responder, the users of admin and spare need both."""
    apart = all(org.responder for org in config.orgs.values())
    spare = any(org.spare for org in config.orgs.values())
    users = "the users of admin and spare" if spare else "the user of admin"
    for name, whose in (("Rotator_Admin", users), ("Rotator_Responder", "the user of responder" if apart else users)):
        file = f"{name}.permissionset-meta.xml"
        text = (data_dir("config") / "permission-sets" / file).read_text()
        yield Sheet(f"Salesforce: permissionsets/{file}, for {whose}", text)


# --- Vault


def policy(config: Config) -> str:
    """The least privilege that this configuration needs: the shipped policy, with its paths."""
    return _adapted(config, (data_dir("config") / "vault-policy.hcl").read_text())


def _adapted(config: Config, shipped: str) -> str:
    adapted = _RULE.sub(partial(_rule, config), _HEAD.sub("", shipped))
    return _ALONE.sub("", adapted).strip() + "\n"


def _rule(config: Config, rule: re.Match[str]) -> str:
    return "".join(f'path "{path}" {rule["body"]}\n' for path in dict.fromkeys(_paths(config, rule["path"])))


def _paths(config: Config, shipped: str) -> Iterable[str]:
    """The paths in the place of one of the shipped policy."""
    mount, _, rest = shipped.partition("/")
    if mount != "secret":
        return [shipped]
    ours, (act, _, place) = config.vault.mount, rest.partition("/")
    if place == "salesforce/*":
        return [f"{ours}/{act}/{live}" for live in _live(config)]
    if place == "salesforce/+/rotator":
        return [f"{ours}/{act}/{path}" for path in _logins(config, "admin", "spare")]
    if place == "salesforce/+/rotator-responder":
        return [f"{ours}/{act}/{path}" for path in _logins(config, "responder")]
    if place == "rotator-escrow/*":
        return [f"{ours}/{act}/{config.vault.escrow_prefix}/*"]
    return [f"{ours}/{rest}"]


def _live(config: Config) -> Iterator[str]:
    """The folders of the live paths, those of the rotator's own pairs that are rotated included."""
    written = [app.vault_path for app in (*config.apps.values(), *own_apps(config).values())]
    for path in written or _logins(config, "admin"):
        folder, slash, _ = path.rpartition("/")
        yield f"{folder}/*" if slash else path


def _logins(config: Config, *identities: str) -> list[str]:
    """The paths of own logins that are read and never written: a rule for such a path is more exact, and wins."""
    rotated = {app.vault_path for app in own_apps(config).values()}
    logins = (org.logins.get(identity) for org in config.orgs.values() for identity in identities)
    paths = (one.vault_path for one in logins if isinstance(one, ClientCredentials))
    return [path for path in paths if path and path not in rotated]


def _destroys(config: Config) -> bool:
    return bool(config.apps) or bool(own_apps(config))


def _vault_commands(config: Config) -> Iterator[str]:
    mount, auth = config.vault.mount, config.vault.auth
    if config.vault.namespace:
        yield f"export VAULT_NAMESPACE={config.vault.namespace}"
    yield f"vault secrets enable -path={mount} -version=2 kv           # unless it is there"
    policies = "rotator,rotator-destroy" if _destroys(config) else "rotator"
    if isinstance(auth, AppRoleAuth):
        role = f"auth/{auth.mount}/role/rotator"
        yield f"vault auth enable -path={auth.mount} approle                # unless it is there"
        yield f"vault write {role} token_policies={policies} token_ttl=20m token_max_ttl=20m"
        yield f"vault read  {role}/role-id             # -> role_id in [vault] auth"
        yield f"vault write -f {role}/secret-id        # -> {auth.secret_id_file}, readable for the rotator alone"
    else:
        yield f"# give the login by {auth.method} these policies: {policies}; a token must live 20 minutes at least"
    yield "# the rotator's own pairs; `key` and `secret` are two files without a newline at their end"
    for login in (one for org in config.orgs.values() for one in org.logins.values()):
        if isinstance(login, ClientCredentials) and login.vault_path:
            yield f"vault kv put -mount={mount} {login.vault_path} client_id=@key client_secret=@secret"
