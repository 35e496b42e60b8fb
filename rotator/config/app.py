"""`[apps.NAME]`: one consumer whose pair is rotated, when, and how."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import StrictBool, StrictStr, ValidationInfo, field_validator

from rotator.config.base import Duration, Name, Needed, Table, Text, VaultPath, option
from rotator.config.when import Window, parse_cron, parse_window

DEFAULT_EVERY = timedelta(days=30)
LEAST = timedelta(hours=1)
LONGEST_OVERLAP = timedelta(days=29)  # a Rotated pair is gone from its slot after 30 days (check APP-14)


class ScheduleConfig(Table):
    """`schedule`: every so often within a window, or a cron line."""

    every: Duration | None = option(
        None, about="time from one rotation to the next; 30d where cron is not given either", example="30d"
    )
    cron: Text = option("", about="five cron fields, in place of every", example="0 3 1 * *")
    window: Text = option("", about="when routine work may start; empty: at any time", example="Sun 02:00-05:00")
    timezone: Text = option("UTC", about="the zone of window and cron, from the tz database", example="Europe/Berlin")
    jitter: Duration = option(timedelta(minutes=30), about="due times are spread by up to this much, within the window")
    min_interval: Duration | None = option(
        None,
        about="never two routine rotations within it, whatever cron, max_age or a clock say;"
        " unless told half of the shortest interval, 1h at most",
        example="1h",
    )

    @field_validator("every")
    @classmethod
    def _every(cls, every: timedelta | None) -> timedelta | None:
        if every == timedelta():
            raise ValueError("must be more than nothing")
        return every

    @field_validator("cron")
    @classmethod
    def _cron(cls, cron: str, info: ValidationInfo) -> str:
        if cron and info.data.get("every") is not None:
            raise ValueError("stands beside every: give one of the two")
        if cron:
            parse_cron(cron)
        return cron

    @field_validator("window")
    @classmethod
    def _window(cls, window: str) -> str:
        if window:
            parse_window(window)
        return window

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # an unknown name; a path; a folder of the tz database
            raise ValueError("is not a zone of the tz database") from None
        return zone

    @field_validator("min_interval")
    @classmethod
    def _min_interval(cls, shortest: timedelta | None, info: ValidationInfo) -> timedelta | None:
        every = info.data.get("every")
        if shortest is not None and every is not None and shortest > every:
            raise ValueError("must not be longer than every")
        return shortest

    @property
    def least(self) -> timedelta:
        """The shortest time between two routine rotations."""
        return self.min_interval if self.min_interval is not None else min(LEAST, self.shortest_interval / 2)

    @property
    def interval(self) -> timedelta | None:
        """Time between rotations; None where a cron line says when."""
        return None if self.cron else self.every or DEFAULT_EVERY

    @property
    def shortest_interval(self) -> timedelta:
        """The shortest time between two due times: what an overlap must fit into."""
        gap = parse_cron(self.cron).shortest_gap() if self.cron else None
        return gap or self.every or DEFAULT_EVERY

    @property
    def opens(self) -> Window | None:
        """The window, read; None: at any time."""
        return parse_window(self.window) if self.window else None


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

    @field_validator("max_age")
    @classmethod
    def _max_age(cls, max_age: timedelta) -> timedelta:
        if max_age == timedelta():
            raise ValueError("must be more than nothing")
        return max_age

    @field_validator("overlap")
    @classmethod
    def _overlap(cls, overlap: timedelta, info: ValidationInfo) -> timedelta:
        if overlap > LONGEST_OVERLAP:
            raise ValueError("is longer than 29d: Salesforce drops a rotated pair after 30 days")
        schedule = info.data.get("schedule")
        if isinstance(schedule, ScheduleConfig) and overlap >= schedule.shortest_interval:
            raise ValueError("must be shorter than the time between two rotations (schedule)")
        return overlap
