"""The configuration in the words of the saga and of the adapters. Pure, but for the secret files it opens on demand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from rotator.adapters import vault
from rotator.adapters.salesforce import AdminCredentials
from rotator.adapters.salesforce import ClientCredentials as PairLogin
from rotator.adapters.salesforce import JwtBearer as AssertionLogin
from rotator.adapters.vault import VaultClient, VaultOptions
from rotator.config import (
    AppConfig,
    AppRoleAuth,
    CertAuth,
    ClientCredentials,
    Config,
    JwtAuth,
    JwtBearer,
    SecretPlaces,
    TokenAuth,
    find_file,
    read_secret_file,
)
from rotator.config.service import TimingConfig
from rotator.config.vault import VaultAuth
from rotator.domain.errors import ConfigError
from rotator.domain.pair import Target
from rotator.domain.policy import Schedule
from rotator.domain.rotation import Policy
from rotator.domain.secret import Secret
from rotator.domain.timing import Timing


def forced_policy(app: AppConfig, *, including_users: bool, block_first: bool = False,
                  stay_blocked: bool = False) -> Policy:
    """What a force does, whatever the app's table says: no overlap, sessions ended, old versions destroyed."""
    return Policy(overlap=timedelta(0), sessions=True, destroy_old=True, probe=app.probe,
                  including_users=including_users, block_first=block_first or stay_blocked,
                  stay_blocked=stay_blocked)  # fmt: skip


def policy_of(app: AppConfig, *, dry_run: bool = False) -> Policy:
    """What an app's table says of a rotation that is opened now."""
    return Policy(
        overlap=app.overlap,
        sessions=app.sessions == "revoke",
        destroy_old=app.destroy_old == "always",
        probe=app.probe,
        dry_run=dry_run,
    )


def target_of(name: str, app: AppConfig, host: str) -> Target:
    """Where the app's credential lies in Vault."""
    return Target(app.vault_path, app.fields.key, app.fields.secret, host, name)


def timing_of(timing: TimingConfig) -> Timing:
    """The waits of the saga."""
    return Timing(
        propagation=timing.propagation,
        verify_spread=timing.verify_spread,
        proof_spacing=timing.proof_spacing,
        settle=timing.settle,
        vault_wait=timing.vault_wait,
        lease=timing.lease,
    )


def schedule_of(app: AppConfig, timing: TimingConfig) -> Schedule:
    """When the app's rotations are due."""
    from zoneinfo import ZoneInfo

    from rotator.config.when import parse_cron

    told = app.schedule
    return Schedule(
        every=told.interval,
        cron=parse_cron(told.cron) if told.cron else None,
        window=told.opens,
        zone=ZoneInfo(told.timezone),
        jitter=told.jitter,
        max_age=app.max_age,
        min_interval=told.least,
        catch_up=timing.catch_up,
    )


def vault_options(config: Config, places: SecretPlaces) -> VaultOptions:
    """How to reach the Vault. Secret files are read whenever the adapter asks for them, and once here: a wrong one is
    then told as the mistake that it is. Raises ConfigError."""
    told = config.vault
    return VaultOptions(
        addresses=told.address,
        auth=_vault_auth(told.auth, places),
        mount=told.mount,
        escrow_prefix=told.escrow_prefix,
        namespace=told.namespace,
        ca_file=file_or_none(told.ca_file, places),
        insecure=told.insecure,
    )


def _vault_auth(auth: VaultAuth, places: SecretPlaces) -> vault.Auth:
    def reader(name: str) -> vault.Reader:
        read_secret_file(name, places)
        return partial(read_secret_file, name, places)

    if isinstance(auth, TokenAuth):
        return vault.TokenAuth(reader(auth.token_file))
    if isinstance(auth, AppRoleAuth):
        return vault.AppRoleAuth(auth.role_id, reader(auth.secret_id_file), auth.wrapped, auth.mount)
    if isinstance(auth, JwtAuth):
        return vault.JwtAuth(auth.role, reader(auth.jwt_file), auth.mount)
    if isinstance(auth, CertAuth):
        files = (str(find_file(auth.cert_file, places)), str(find_file(auth.key_file, places)))
        return vault.CertAuth(*files, auth.role, auth.mount)
    return vault.KubernetesAuth(auth.role, reader(auth.jwt_file), auth.mount)


def file_or_none(name: str, places: SecretPlaces) -> str:
    """The absolute name of a file that is no secret; "" where none is named."""
    return str(find_file(name, places)) if name else ""


def credentials_of(
    login: ClientCredentials | JwtBearer, places: SecretPlaces, client: VaultClient | None
) -> AdminCredentials:
    """The rotator's own login, read anew. `client` is needed where it lies in Vault.

    Raises ConfigError for a file or a path that does not hold it, and what Vault raises.
    """
    if isinstance(login, JwtBearer):
        key = read_secret_file(login.key_file, places)
        return AssertionLogin(login.client_id, login.username, key, login.audience)
    if login.vault_path is not None:
        if client is None:
            raise ConfigError("a login that lies in Vault needs a Vault")
        return _from_fields(client.read_fields(login.vault_path), login.vault_path)
    key_text = login.client_id or read_secret_file(login.key_file, places).reveal()
    return PairLogin(key_text, read_secret_file(login.secret_file, places))


def _from_fields(fields: Mapping[str, Secret], path: str) -> PairLogin:
    absent = [name for name in ("client_id", "client_secret") if not fields.get(name)]
    if absent:
        raise ConfigError(
            f"the rotator's own login at {path} in Vault lacks {' and '.join(absent)}",
            fix=f"`vault kv patch {path} client_id=... client_secret=...`",
            where=f"vault:{path}",
        )
    return PairLogin(fields["client_id"].reveal(), fields["client_secret"])
