"""`[orgs.NAME]`: one Salesforce org, how to log in there, and what is known of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictStr,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from rotator.config.base import FileName, Needed, NeededFile, Table, Text, VaultPath, option
from rotator.config.durations import parse_duration
from rotator.config.hosts import my_domain, proxy
from rotator.config.pace import OwnConfig
from rotator.domain.facts import FACTS, FactKind

LEAST_API = 65  # the first version with the staged resources (reference salesforce.md, section 6; check ORG-1)


class ClientCredentials(Table):
    """The rotator's own login by client credentials: its pair from Vault, or from files."""

    grant: Literal["client_credentials"]
    vault_path: VaultPath | None = option(
        None, about="path with the fields `client_id` and `client_secret`", example="salesforce/acme/rotator"
    )
    client_id: Text = option("", about="the consumer key, which is no secret", example="3MVG9...")
    key_file: FileName = option("", about="file with the consumer key, in place of client_id", example="acme-key")
    secret_file: FileName = option("", about="file with the consumer secret", example="acme-secret")
    app: Text = option(
        "", about="the app whose pair it is, developer name or 0xI id; empty: looked for by its key", example="Rotator"
    )

    @model_validator(mode="after")
    def _one_source(self) -> ClientCredentials:
        keys = bool(self.client_id) + bool(self.key_file)
        from_files = keys == 1 and bool(self.secret_file)
        nothing_else = keys == 0 and not self.secret_file
        if not (nothing_else if self.vault_path else from_files):
            raise ValueError("needs vault_path alone, or secret_file with one of client_id and key_file")
        return self


class JwtBearer(Table):
    """The rotator's own login by a signed assertion."""

    grant: Literal["jwt_bearer"]
    client_id: Needed = option(about="the consumer key, which is no secret", example="3MVG9...")
    username: Needed = option(about="the user to log in as", example="rotator@acme.example")
    key_file: NeededFile = option(about="PEM private key of the certificate in the app", example="acme.pem")
    audience: Text = option("", about="empty: the org's host", example="https://login.salesforce.com")


Login = Annotated[ClientCredentials | JwtBearer, Field(discriminator="grant")]


def _yes_no(value: str) -> str:
    if value not in ("yes", "no", "unknown"):
        raise ValueError('must be "yes", "no" or "unknown"')
    return value


def _span(value: str) -> str:
    if value != "unknown":
        try:
            parse_duration(value)
        except ValueError as wrong:
            raise ValueError(f'{wrong}; or write "unknown"') from None
    return value


_YesNo = Annotated[StrictStr, AfterValidator(_yes_no), Field(pattern="^(yes|no|unknown)$")]
_Span = Annotated[StrictStr, AfterValidator(_span)]


def _facts_table() -> Any:
    """The table `[orgs.NAME.facts]`, made from the one table of facts (rotator.domain.facts)."""
    kinds: dict[FactKind, Any] = {FactKind.YES_NO: _YesNo, FactKind.DURATION: _Span}
    shown = {FactKind.YES_NO: "yes", FactKind.DURATION: "5m"}
    fields = {
        name: (kinds[kind], option("unknown", about=question, example=shown[kind]))
        for name, (kind, question) in FACTS.items()
    }
    return create_model("FactsConfig", __base__=Table, **fields)  # type: ignore[call-overload]


if TYPE_CHECKING:

    class FactsConfig(Table):
        """One field per fact, each `unknown` unless stated."""
else:
    FactsConfig = _facts_table()


class OrgConfig(Table):
    """`[orgs.NAME]`."""

    insecure: StrictBool = option(False, about="true permits http and hosts that are not My Domain, for tests")
    host: Text = option(about="the org's My Domain (Setup, My Domain)", example="https://acme.my.salesforce.com")
    org_id: Text = option("", about="empty: pinned on first contact", example="00D5g00000AbCdEFGH")
    api_version: Text = option("65.0", about="version of the REST API; 65.0 at least")
    admin: Login = option(
        about="the rotator's identity for credentials: client_credentials or jwt_bearer",
        example={"grant": "client_credentials", "vault_path": "salesforce/acme/rotator"},
    )
    responder: Login | None = option(
        None,
        about="identity with rights to sessions and metadata; absent: admin",
        example={"grant": "client_credentials", "client_id": "3MVG9...", "secret_file": "acme-responder-secret"},
    )
    spare: Login | None = option(
        None,
        about="second identity: it rotates the pair of `admin` and `admin` rotates its, as `ORG/admin` and `ORG/spare`",
        example={"grant": "client_credentials", "vault_path": "salesforce/acme/rotator-spare"},
    )
    own: OwnConfig = option(
        OwnConfig(), about="when the pairs of `admin` and `spare` are rotated", example={"max_age": "60d"}
    )
    egress_proxy: Text = option("", about="the only proxy that is used", example="http://proxy.example.com:3128")
    ca_file: FileName = option("", about="PEM certificates, added to the system's", example="acme-ca.pem")
    facts: FactsConfig = option(
        FactsConfig(), about="what is known of this org (protocol section 6)", example={"staged_pair_accepted": "yes"}
    )

    _proxy = field_validator("egress_proxy")(proxy)

    @field_validator("host")
    @classmethod
    def _my_domain(cls, host: str, info: ValidationInfo) -> str:
        return my_domain(host, insecure=info.data.get("insecure") is True)

    @field_validator("org_id")
    @classmethod
    def _org_id(cls, org_id: str) -> str:
        if org_id and not re.fullmatch(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", org_id, re.ASCII):
            raise ValueError("is not an org id: 00D and 12 or 15 more letters and digits")
        return org_id

    @field_validator("api_version")
    @classmethod
    def _api_version(cls, version: str) -> str:
        if not re.fullmatch(r"[1-9]\d{1,2}\.0", version, re.ASCII) or int(version[:-2]) < LEAST_API:
            raise ValueError(f"must be {LEAST_API}.0 or newer")
        return version

    def stated_facts(self) -> dict[str, str]:
        """The facts that the configuration states; `unknown` states nothing. For `Facts.merged`."""
        values: dict[str, str] = self.facts.model_dump()
        return {name: value for name, value in values.items() if value != "unknown"}

    @property
    def logins(self) -> dict[str, ClientCredentials | JwtBearer]:
        """The identities that are configured, by their key: admin, responder, spare."""
        named = {"admin": self.admin, "responder": self.responder, "spare": self.spare}
        return {key: login for key, login in named.items() if login is not None}
