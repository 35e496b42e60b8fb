"""Durations on the command line: `30s`, `15m`, as in the configuration."""

from __future__ import annotations

from datetime import timedelta

import click


class DurationType(click.ParamType[timedelta]):
    """`500ms`, `30s`, `15m`, `24h`, `30d`."""

    name = "duration"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "T"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from rotator.config.durations import parse_duration

        try:
            return parse_duration(value)
        except ValueError as wrong:
            self.fail(f"{wrong}, such as 30s", param, ctx)


DURATION = DurationType()
