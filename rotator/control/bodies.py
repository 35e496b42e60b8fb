"""What may be asked: the bodies and queries of the calls. Unknown members are refused, and no value is repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictStr,
    ValidationError,
    WithJsonSchema,
)

from rotator.config.durations import PATTERN, parse_duration
from rotator.domain.errors import UsageError

MOST_APPS = 500


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_APP = rf"{_NAME}(/(admin|spare))?"  # the rotator's own pairs are called by their org
AppName = Annotated[StrictStr, Field(pattern=rf"^{_APP}$")]
AppNameOrNone = Annotated[StrictStr, Field(pattern=rf"^({_APP})?$")]
NameOrNone = Annotated[StrictStr, Field(pattern=rf"^({_NAME})?$")]
Id = Annotated[StrictStr, Field(pattern=r"^[0-9a-f-]{1,64}$")]
Text = Annotated[StrictStr, Field(max_length=1000), AfterValidator(_printable)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": PATTERN})]


class Asked(BaseModel):
    """A body or a query."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Nothing(Asked):
    """Neither body nor query."""


class Driven(Asked):
    """What all commands share that drive rotations."""

    reason: Text = Field("", description="why; stands in the audit trail")
    wait: StrictBool = Field(True, description="false: answer as soon as each rotation is open")
    timeout: Duration | None = Field(None, description="answer after this time; the daemon goes on")


class Rotate(Driven):
    """`rotator rotate`."""

    apps: Annotated[tuple[AppName, ...], Field(min_length=1, max_length=MOST_APPS)] = Field(description="their names")
    until: Literal["overlap", "done"] | None = Field(None, description="how far; absent: as the overlap says")
    dry_run: StrictBool = Field(False, description="stage, verify, discard")


class Abandon(Driven):
    """`rotator abandon`."""

    app: AppName
    now: StrictBool = Field(False, description="do not wait for readers of the new pair to follow back")


class Release(Driven):
    """`rotator release`."""

    app: AppName
    discard_foreign: Annotated[StrictStr, Field(pattern=r"^([0-9a-f]{16})?$")] = Field(
        "", description="fingerprint of the foreign staged pair to delete"
    )


class Applied(Driven):
    """`rotator applied`."""

    app: AppName


class Receive(Applied):
    """`rotator receive`: the pair that a person generated in Setup."""

    key: Annotated[StrictStr, Field(max_length=300)] = Field(description="the consumer key")
    secret: Annotated[SecretStr, Field(max_length=300)] = Field(description="the consumer secret; goes into Vault only")
    replace: StrictBool = Field(False, description="in place of a pair that was handed over before")


class Force(Driven):
    """`rotator force`: apps, an org, or all."""

    apps: Annotated[tuple[AppName, ...], Field(max_length=MOST_APPS)] = ()
    org: NameOrNone = ""
    all: StrictBool = False
    ticket: Text = Field("", description="the incident's ticket")
    including_users: StrictBool = Field(False, description="also end the tokens of other users than the run-as user")
    since: Annotated[StrictStr, Field(max_length=64)] = Field("", description="from when on evidence is looked up")
    break_glass: StrictBool = Field(False, description="by one person alone; flagged for a later review")
    block_first: StrictBool = Field(False, description="nobody logs in to the app until the new pair is in its place")
    stay_blocked: StrictBool = Field(False, description="hold before the new pair is published")


class Turn(Asked):
    """`rotator block` and `rotator unblock`."""

    app: AppName
    reason: Text = Field("", description="why; stands in the audit trail")
    ticket: Text = Field("", description="the incident's ticket")


class Revoke(Turn):
    """`rotator revoke`."""

    including_users: StrictBool = Field(False, description="also end the tokens of other users than the run-as user")


class Adopt(Asked):
    """`rotator adopt`: what `GET /adopt` showed."""

    app: AppName
    primary_fp: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{16}$")] = Field(description="of the pair to be taken")
    live_version: Annotated[int, Field(ge=0, le=2**53)] = Field(description="of the live path, which it replaces")
    reason: Text = Field("", description="why; stands in the audit trail")


class Resume(Asked):
    """`rotator resume`: one of the three."""

    app: AppNameOrNone = ""
    org: NameOrNone = ""
    all: StrictBool = False
    reason: Text = ""


class Pause(Resume):
    """`rotator pause`: one of the three."""

    lasting: Duration | None = Field(None, alias="for", description="it ends by itself after this time")


class Approve(Asked):
    """`rotator approve`."""

    request_id: Id = Field(description="the id that the held command named")


class Review(Asked):
    """`rotator review`."""

    rotation_id: Id
    reason: Text = Field("", description="what was found; stands in the audit trail")


class OneApp(Asked):
    """A query about one app."""

    app: AppName


class OfApp(Asked):
    """A query about one app, or all."""

    app: AppNameOrNone = ""


class History(OfApp):
    """The audit trail, a page at a time."""

    since: Annotated[StrictStr, Field(max_length=64)] = Field("", description="a time (RFC 3339), or how long ago")
    after: Annotated[int, Field(ge=0, le=2**53)] = Field(0, description="the seq of the last row that is known")
    limit: Annotated[int, Field(ge=1, le=5000)] = Field(1000, description="rows at most")


class Follow(Asked):
    """The events of a rotation."""

    after: Annotated[int, Field(ge=0, le=2**53)] = Field(0, description="the seq of the last row that is known")
    follow: bool = Field(True, description="false: what is there by now, and no more")


def parsed(kind: type[Asked], given: Any) -> Any:
    """The body or query. Raises UsageError with every mistake, and none of the values."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
    first = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {_words(one)}" for one in found[:10])
    raise UsageError(f"not what is expected here: {first}", code="bad_request", fix="see /openapi.json")


def _words(found: Any) -> str:
    words = {"extra_forbidden": "is unknown", "missing": "is missing"}
    return words.get(found["type"]) or str(found["msg"]).removeprefix("Value error, ")
