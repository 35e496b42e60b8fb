"""`[apps.NAME]`: one consumer whose pair is rotated, when, and how."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from pydantic import StrictBool, StrictStr, ValidationInfo, field_validator

from rotator.config.base import Duration, Name, Needed, Table, Text, VaultPath, option
from rotator.config.pace import ScheduleConfig, between, some


class FieldsConfig(Table):
    """`fields`: the names of the two fields in the live path."""

    key: Needed = option("client_id", about="field with the consumer key")
    secret: Needed = option("client_secret", about="field with the consumer secret")

    @field_validator("secret")
    @classmethod
    def _apart(cls, secret: str, info: ValidationInfo) -> str:
        if secret == info.data.get("key"):
            raise ValueError("must differ from key")
        return secret

    @field_validator("key", "secret")
    @classmethod
    def _not_ours(cls, name: str) -> str:
        # Both paths hold more than the pair under names of our own (contract.md: Vault).
        if name in ("login_url", "rotation_id", "rotated_at", "canary") or name.startswith("old_"):
            raise ValueError("is a name that the rotator writes itself")
        return name


class HooksConfig(Table):
    """`hooks`: what is run beside a rotation."""

    published: tuple[StrictStr, ...] = option(
        (),
        about="argument list run after publish, given ids only; a failure notifies and never rolls back",
        example=["/usr/local/bin/restart-billing"],
    )
    time_limit: Duration = option(timedelta(seconds=60), about="then it is killed with all that it started; 1h at most")

    @field_validator("published")
    @classmethod
    def _absolute(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if arguments and not arguments[0].startswith("/"):
            raise ValueError("must begin with the absolute path of a program")
        if any("\0" in argument for argument in arguments):
            raise ValueError("holds a control character")
        return arguments


    @field_validator("time_limit")
    @classmethod
    def _bounded(cls, limit: timedelta) -> timedelta:
        if not timedelta() < limit <= timedelta(hours=1):
            raise ValueError("must be more than nothing, and 1h at most")
        return limit


class AppConfig(Table):
    """`[apps.NAME]`."""

    org: Name = option(about="the org, by its name in `[orgs]`", example="acme")
    kind: Literal["external_client_app", "connected_app"] = option(
        "external_client_app", about="`connected_app` is the assisted way for classic apps"
    )
    app: Needed = option(about="developer name, or the app's id (0xI...)", example="Billing_Sync")
    consumer: Text = option(
        "", about="id of the consumer; needed where the app has several", example="888000000000001AAA"
    )
    vault_path: VaultPath = option(
        about="the live path, below the mount; one app, one path", example="salesforce/acme/billing"
    )
    enabled: StrictBool = option(True, about="false: never due")
    canary: StrictBool = option(False, about="true: nobody needs it, and `rotator drill` may force it")
    schedule: ScheduleConfig = option(
        ScheduleConfig(), about="when it is due", example={"every": "30d", "window": "Sun 02:00-05:00"}
    )
    max_age: Duration = option(timedelta(days=90), about="an older secret is due outside the window too")
    overlap: Duration = option(
        timedelta(hours=24),
        about="how long the old pair stays valid; `0s`: retired at once; less than every, at most 29d",
        validate_default=True,
    )
    sessions: Literal["revoke", "keep"] = option("revoke", about="whether tokens of the old pair are ended")
    destroy_old: Literal["force", "always"] = option(
        "force", about="when older versions of the live path are destroyed"
    )
    probe: Literal["limits", "userinfo", "none"] = option("limits", about="the real call that proves a token")
    fields: FieldsConfig = option(FieldsConfig(), about="field names in the live path", example={"key": "client_id"})
    hooks: HooksConfig = option(HooksConfig(), about="what is run beside a rotation", example={"published": []})

    _max_age = field_validator("max_age")(some)
    _overlap = field_validator("overlap")(between)

    @field_validator("app")
    @classmethod
    def _app(cls, app: str) -> str:
        if not app.isascii() or not app.replace("_", "").isalnum() or len(app) > 120:
            raise ValueError("must be a developer name or an id: letters, digits and underscores")
        return app

    @field_validator("consumer")
    @classmethod
    def _consumer(cls, consumer: str) -> str:
        if consumer and not re.fullmatch(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", consumer, re.ASCII):
            raise ValueError("is not a Salesforce id: 15 or 18 letters and digits")
        return consumer
