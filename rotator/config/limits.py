"""`[limits]` and `[metrics]`: what routine work may take of the far sides, and where the metrics go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt, field_validator

from rotator.config.base import Table, Text, option

_Logins = Annotated[StrictInt, Field(ge=1, le=3600)]


class LimitsConfig(Table):
    """`[limits]`: routine work waits at them; a forced rotation goes on."""

    logins_per_hour: _Logins = option(
        600, about="token requests of one process for one run-as user; Salesforce blocks the user at 3600 of all"
    )
    own_logins_per_hour: _Logins = option(120, about="the same for the rotator's own identity in each org")
    api_share: Annotated[StrictInt, Field(ge=1, le=100)] = option(
        90, about="percent of the org's API requests of 24 hours from which its routine rotations wait"
    )


class MetricsConfig(Table):
    """`[metrics]`: beside `/metrics` of the daemon."""

    textfile: Text = option(
        "", about="file for node_exporter's textfile collector, written by `run --once`; empty: none",
        example="/var/lib/node_exporter/rotator.prom",
    )  # fmt: skip

    @field_validator("textfile")
    @classmethod
    def _place(cls, textfile: str) -> str:
        if textfile and not (textfile.startswith("/") and textfile.endswith(".prom")):
            raise ValueError("must be an absolute path that ends in .prom, or empty")
        return textfile
