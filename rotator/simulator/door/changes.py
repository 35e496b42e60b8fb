"""Changing records by name: members of orgs, apps, users, the Vault and its roles, checked against what exists."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rotator.simulator.org.model import App, Org, User
from rotator.simulator.vault.model import Role, Vault

OPEN: dict[type, tuple[str, ...]] = {
    Org: ("rest_secret_access", "strict_host", "is_sandbox", "organization_type", "daily_limit", "calls_today",
          "logins_per_hour", "newest_version", "id", "approved_apps_only", "lock_sessions_to_ip",
          "ip_ranges_every_request"),
    App: ("run_as", "flow_in_settings", "flow_in_policies", "enabled", "oauth_plugin_enabled", "admin_blocked",
          "pre_authorized", "ip_refused", "scopes", "session_minutes", "jwt_minutes", "format", "certificate",
          "policy_label", "policy_action", "ip_relaxation", "namespace", "distribution",
          "used", "listed", "label", "developer_name", "kind"),
    User: ("permissions", "active", "frozen", "username", "name"),
    Vault: ("sealed", "initialized", "status", "lag"),
    Role: ("ttl", "max_ttl", "accepted", "any_certificate", "policies", "secret_ids"),
}  # fmt: skip


class ChangeError(ValueError):
    """A change of something that does not exist or may not be changed; says what may."""


def change(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Set members of a record, all or none; gives them back. ChangeError names what is unknown."""
    allowed = OPEN[type(record)]
    unknown = set(values) - set(allowed)
    if unknown:
        raise ChangeError(f"cannot change {', '.join(sorted(unknown))}; may change: {', '.join(allowed)}")
    for name, value in values.items():
        setattr(record, name, set(value) if name == "permissions" else value)
    return shown(record)


def shown(record: Any) -> dict[str, Any]:
    """The members that may be changed, as JSON."""
    allowed = OPEN[type(record)]
    values = {one.name: getattr(record, one.name) for one in fields(record) if one.name in allowed}
    return {name: sorted(value) if isinstance(value, set) else value for name, value in values.items()}
