"""`[[notify]]`: who is told when a human is needed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, ValidationInfo, field_validator, model_validator

from rotator.config.base import FileName, Needed, NeededFile, Table, Text, option
from rotator.config.hosts import origin, web_address
from rotator.config.hosts import proxy as proxy_address
from rotator.domain.notice import Topic

HOOKS = "hook"  # the outbox knows hooks as a channel of this name
Event = Literal["held", "unproven", "failed", "overdue", "force", "drift", "failing", "hook", "approval", "published"]
_USUAL: tuple[Event, ...] = ("held", "unproven", "failed", "overdue", "force", "drift", "failing", "hook", "approval")


class _Channel(Table):
    """What the channels share. `kind` is declared by each."""

    name: Text = option("", about="a name of its own; empty: its kind (slack, slack-2)", example="oncall")
    events: tuple[Event, ...] = option(
        _USUAL, about="what is told; `published` (a new pair is live) only where it is asked for"
    )
    orgs: tuple[StrictStr, ...] = option((), about="of these orgs only; empty: of all", example=["acme"])
    apps: tuple[StrictStr, ...] = option((), about="of these apps only; empty: of all", example=["billing"])
    ca_file: FileName = option("", about="PEM certificates, added to the system's", example="internal-ca.pem")

    @field_validator("name")
    @classmethod
    def _not_hook(cls, name: str) -> str:
        if name == HOOKS:
            raise ValueError(f"may not be {HOOKS}: that is how the outbox calls the hooks of apps")
        return name

    def wants(self, topic: Topic, org: str, app: str) -> bool:
        """Whether it is told of this; what concerns no org or app is told to all."""
        told = topic is Topic.TEST or topic.value in self.events
        about = ((self.orgs, org), (self.apps, app))
        return told and all(not asked or not name or name in asked for asked, name in about)


class _Web(_Channel):
    proxy: Text = option("", about="the only proxy that is used", example="http://proxy.example.com:3128")

    _proxy = field_validator("proxy")(proxy_address)


class WebhookChannel(_Web):
    """A signed POST to an address of your own."""

    kind: Literal["webhook"]
    url: Text = option("", about="address (https), where it is no secret", example="https://hooks.example.com/rotator")
    url_file: FileName = option("", about="file with the address, where it is one", example="webhook-url")
    secret_file: FileName = option("", about="file with the key that signs the body (HMAC)", example="webhook-key")

    _url = field_validator("url")(web_address)

    @model_validator(mode="after")
    def _one_address(self) -> WebhookChannel:
        if bool(self.url) == bool(self.url_file):
            raise ValueError("needs one of url and url_file")
        return self


class SlackChannel(_Web):
    """A Slack incoming webhook; its address is a secret."""

    kind: Literal["slack"]
    url_file: NeededFile = option(about="file with the webhook's address", example="slack-url")


class PagerDutyChannel(_Web):
    """PagerDuty Events API v2."""

    kind: Literal["pagerduty"]
    routing_key_file: NeededFile = option(about="file with the integration key", example="pagerduty-key")
    endpoint: Needed = option(
        "https://events.pagerduty.com", about="where it lives", example="https://events.eu.pagerduty.com"
    )

    @field_validator("endpoint")
    @classmethod
    def _origin(cls, endpoint: str) -> str:
        return origin(endpoint, insecure=False)

    @field_validator("events")
    @classmethod
    def _lasting(cls, events: tuple[Event, ...]) -> tuple[Event, ...]:
        if "published" in events:
            raise ValueError("may not hold published: nothing would ever resolve that incident")
        return events


class SmtpChannel(_Channel):
    """Mail."""

    kind: Literal["smtp"]
    host: Needed = option(about="mail server", example="mail.example.com")
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = option(587, about="its port")
    tls: Literal["starttls", "tls", "none"] = option("starttls", about="how the connection is protected")
    sender: Needed = option(about="address the mail comes from", example="rotator@example.com")
    to: Annotated[tuple[Needed, ...], Field(min_length=1)] = option(
        about="addresses it goes to", example=["oncall@example.com"]
    )
    username: Text = option("", about="login, where the server wants one; not without TLS", example="rotator")
    password_file: FileName = option(
        "", about="file with its password", example="smtp-password", validate_default=True
    )

    @field_validator("password_file")
    @classmethod
    def _whole_login(cls, file: str, info: ValidationInfo) -> str:
        if bool(file) != bool(info.data.get("username")):
            raise ValueError("and username belong together: give both or none")
        if file and info.data.get("tls") == "none":
            raise ValueError("may not be sent without TLS: set tls to starttls or tls")
        return file


Channel = Annotated[WebhookChannel | SlackChannel | PagerDutyChannel | SmtpChannel, Field(discriminator="kind")]


def named(channels: Iterable[Channel]) -> dict[str, Channel]:
    """The channels by their names; one without is called by its kind: slack, slack-2, ..."""
    given = list(channels)
    found: dict[str, Channel] = {channel.name: channel for channel in given if channel.name}
    for channel in (channel for channel in given if not channel.name):
        others = (f"{channel.kind}-{number}" for number in count(2))
        found[next(name for name in chain([channel.kind], others) if name not in found)] = channel
    return found
