"""The whole configuration as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.config.app import AppConfig
from rotator.config.base import Absolute, Name, Table, option
from rotator.config.control import ControlConfig
from rotator.config.limits import LimitsConfig, MetricsConfig
from rotator.config.notify import Channel
from rotator.config.org import OrgConfig
from rotator.config.service import ApprovalConfig, AuditConfig, TimingConfig
from rotator.config.vault import DatabaseConfig, VaultConfig


class Config(Table):
    """All settings, as contract.md names them."""

    state_dir: Absolute = option("/var/lib/rotator", about="folder of the rotator's own files")
    database: DatabaseConfig = option(DatabaseConfig(), about="where rotations and the audit trail are kept")
    vault: VaultConfig = option(about="the Vault server", example={"address": "https://vault.example.com:8200"})
    orgs: Mapping[Name, OrgConfig] = option({}, about="the orgs, by names of your own")
    apps: Mapping[Name, AppConfig] = option({}, about="the apps, by names of your own")
    timing: TimingConfig = option(TimingConfig(), about="every wait of the protocol")
    limits: LimitsConfig = option(LimitsConfig(), about="what routine work may take of the far sides")
    metrics: MetricsConfig = option(MetricsConfig(), about="where metrics go beside the daemon's `/metrics`")
    control: ControlConfig = option(ControlConfig(), about="the daemon's door")
    approval: ApprovalConfig = option(ApprovalConfig(), about="what a forced rotation must bring along")
    audit: AuditConfig = option(AuditConfig(), about="the audit trail")
    notify: tuple[Channel, ...] = option((), about="who is told")
