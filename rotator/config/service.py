"""`[timing]`, `[approval]`, `[audit]`: the rotator as a service."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import StrictBool, ValidationInfo, field_validator

from rotator.config.base import Duration, FileName, Table, Text, option

_ANCHOR = re.compile(r"file:/[^\x00-\x1f]+|journal|syslog|(webhook:)?https://[^\s@]+")


class TimingConfig(Table):
    """`[timing]`: every wait of the protocol. All may be `0s` but lease and poll."""

    propagation: Duration = option(
        timedelta(minutes=15), about="W: how long Salesforce may need to accept or refuse a pair everywhere"
    )
    verify_spread: Duration = option(timedelta(), about="the new pair is verified again over this time")
    proof_spacing: Duration = option(timedelta(seconds=30), about="between the refusals that count as proof")
    settle: Duration = option(timedelta(minutes=2), about="before a second look after an unknown outcome")
    poll: Duration = option(timedelta(seconds=2), about="between two looks of a waiting command; not 0s")
    vault_wait: Duration = option(timedelta(minutes=15), about="how long to try while Vault is down")
    lease: Duration = option(timedelta(seconds=30), about="how long a worker may be silent; 2s at least")
    tick: Duration = option(timedelta(seconds=5), about="between two looks for what is due")
    sweep: Duration = option(
        timedelta(hours=1), about="between two looks at apps that have no open rotation, for what nobody of us did;"
        " `0s`: never"
    )
    catch_up: Duration = option(
        timedelta(hours=1), about="what an outage of the daemon left undone is spread over so much; `0s`: all at once"
    )

    @field_validator("lease")
    @classmethod
    def _lease(cls, lease: timedelta) -> timedelta:
        if lease < timedelta(seconds=2):
            raise ValueError("must be 2s at least")
        return lease

    @field_validator("poll")
    @classmethod
    def _poll(cls, poll: timedelta) -> timedelta:
        if not poll:
            raise ValueError("must be more than nothing")
        return poll


class ApprovalConfig(Table):
    """`[approval]`: what a forced rotation must bring along."""

    ticket_pattern: Text = option("", about="regular expression for ticket ids; empty: any", example="INC-[0-9]+")
    second_person: StrictBool = option(False, about="true: a second person must approve")

    @field_validator("ticket_pattern")
    @classmethod
    def _pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error:
            raise ValueError("is not a regular expression") from None
        return pattern


class AuditConfig(Table):
    """`[audit]`."""

    retention: Duration = option(timedelta(days=760), about="how long rows are kept, 90d at least; `audit prune`")
    signing_key_file: FileName = option(
        "", about="Ed25519 key (PEM) that signs anchors and evidence", example="audit.pem"
    )
    transit_key: Text = option("", about="key of Vault's transit engine, in place of the file", example="rotator-audit")
    anchors: tuple[Text, ...] = option(
        ("file:/var/lib/rotator/anchors", "journal"),
        about="where signed chain heads go: `file:/folder`, `journal`, `syslog`, `webhook:https://...` (POST),"
        " `https://...` (PUT, an object each)."
        " The default's folder lies in `state_dir`",
    )
    spool: Text = option(
        "", about="folder where `force --break-glass` writes while the database is away; empty: then it does not go on",
        example="/var/lib/rotator/spool",
    )  # fmt: skip

    @field_validator("retention")
    @classmethod
    def _retention(cls, retention: timedelta) -> timedelta:
        if retention < timedelta(days=90):  # the triggers of the trail keep younger rows whatever is asked
            raise ValueError("must be 90d at least")
        return retention

    @field_validator("spool")
    @classmethod
    def _spool(cls, spool: str) -> str:
        if spool and not spool.startswith("/"):
            raise ValueError("must be an absolute path, or empty")
        return spool

    @field_validator("transit_key")
    @classmethod
    def _one_key(cls, transit_key: str, info: ValidationInfo) -> str:
        if transit_key and info.data.get("signing_key_file"):
            raise ValueError("stands beside signing_key_file: give one of the two")
        return transit_key

    @field_validator("anchors")
    @classmethod
    def _anchors(cls, anchors: tuple[str, ...]) -> tuple[str, ...]:
        if any(not _ANCHOR.fullmatch(anchor) for anchor in anchors):
            raise ValueError("must each be file:/folder, journal, syslog, webhook:https://... or https://...")
        return anchors
