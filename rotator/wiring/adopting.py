"""`adopt`: onboarding without a rotation, and the answer to drift. Shown first, then done under the lease."""

from __future__ import annotations

from dataclasses import dataclass

from rotator.adapters.sql.adoptions import Adoptions
from rotator.config import AppConfig, OwnApp
from rotator.domain.errors import Refused, UsageError
from rotator.domain.pair import Consumer, fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase, State
from rotator.saga.adopt import Adopted, Place, Sketch, adopt, sketch
from rotator.saga.opening import own_consumer
from rotator.saga.worker import Ports
from rotator.wiring import own, told
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Patience
from rotator.wiring.responding import Case, leased, open_row
from rotator.wiring.settings import target_of

Json = dict[str, object]
GOES_ON = ("drift", "live_behind", "live_garbled", "restored", "live_unexpected")  # holds whose pair it still is


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person agreed to: the primary pair of this fingerprint over this version of the live path."""

    primary_fp: str
    live_version: int


def plan(connections: Connections, name: str, who: Who) -> Json:
    """What an adoption would do: nothing is changed, Salesforce is asked for no secret. Raises UsageError for an
    unknown app, Refused where a rotation is at work, and what reads raise."""
    case, ports, place = _case(connections, name, who)
    held, seen = _held(case), sketch(ports, place)
    if seen.primary in own.untouchable(connections, connections.app(name)):
        raise own_consumer(name, case.org)
    return _planned(case, place, seen, held)


def take(connections: Connections, patience: Patience, name: str, who: Who, wish: Wish) -> Json:
    """Does it. Raises as `plan` and as `saga.adopt`, and LeaseTaken where another worker does not let go."""
    case, ports, place = _case(connections, name, who)
    with leased(case, patience, presses=False) as lease:
        held = _held(case)
        book = Adoptions(connections.ledger, lease, who, name, case.org, place.target)
        try:
            done = adopt(ports, book, place, (wish.primary_fp, wish.live_version))
        except Refused as error:
            case.record("refused_command", Phase.DECISION, Outcome.REFUSED, error=error, command="adopt")
            raise
    return _done(case, place, done, held)


def _case(connections: Connections, name: str, who: Who) -> tuple[Case, Ports, Place]:
    app = connections.app(name)
    if app.kind != "external_client_app":
        raise UsageError(f"{name} is a classic connected app: Salesforce does not tell its pair",
                         fix=f"`rotator rotate {name}` asks for the pair that you generate in Setup")  # fmt: skip
    ports = own.ports_for(connections, name, app.org)
    consumer = _consumer(connections, name, app, ports)
    connections.met(app.org, consumer.org_id, who)
    target = target_of(name, app, connections.config.orgs[app.org].host)
    case = Case(connections, name, app.org, connections.org(app.org, by=own.rotates(name)), consumer, who)
    return case, ports, Place(consumer, target, app.probe)


def _consumer(connections: Connections, name: str, app: AppConfig, ports: Ports) -> Consumer:
    """The app's consumer. That of an own pair is looked for by the key in Vault, which is the wrong one where it
    drifted: so the last rotation is asked first, or the app that its login names."""
    last = connections.ledger.rotations(open_only=False, app=name) if isinstance(app, OwnApp) else ()
    if last:
        return last[-1].consumer
    if isinstance(app, OwnApp) and app.app:
        return ports.salesforce.find(app.app, app.consumer)
    return own.find(connections, name, app, ports)


def _held(case: Case) -> Rotation | None:
    """The open rotation, which a human holds in his hands. Raises Refused where one is at work."""
    row = open_row(case)
    if row is None or row.state is State.HELD:
        return row
    raise Refused(f"the rotation {row.id} of {case.name} is {row.state}, and serves the same path",
                  code="rotation_open", fix=f"let it finish, or `rotator abandon {case.name}`")  # fmt: skip


def _planned(case: Case, place: Place, seen: Sketch, held: Rotation | None) -> Json:
    over = f"{fingerprint(seen.live)} (version {seen.version})" if seen.live else "nothing"
    same = seen.live == seen.primary
    key, path = fingerprint(seen.primary), place.target.path
    words = (f"{case.name}: {path} serves the key of the primary pair, {key}, already" if same else
             f"{case.name}: the primary pair {key} would replace {over} at {path}")
    slot: list[Json] = [{"key_fp": fingerprint(one.pair.key), "state": one.state.value} for one in seen.slot]
    named = ", ".join(f"{one['key_fp']} ({one['state']})" for one in slot)
    words += f"; the staged slot holds {named}" if slot else ""
    return {
        "ok": True, "exit": 0, "app": case.name, "org": case.org, "vault_path": path,
        "primary_fp": key, "live_fp": fingerprint(seen.live) or None,
        "live_version": seen.version, "same": same, "slot": slot,
        "rotation": told.rotation(held) if held is not None else None, "message": words,
    }  # fmt: skip


def _done(case: Case, place: Place, done: Adopted, held: Rotation | None) -> Json:
    change, path = done.change, place.target.path
    how = f"version {done.version} of {path} serves" if done.written else f"{path} serves, as before,"
    words = f"{case.name}: {how} the primary pair {fingerprint(change.new)}, which logs in as {change.user}"
    return {
        "ok": True, "exit": 0, "app": case.name, "org": case.org, "vault_path": path, "vault_version": done.version,
        "written": done.written, "old_key_fp": fingerprint(change.old) or None, "new_key_fp": fingerprint(change.new),
        "run_as": change.user, "next": _next(case.name, held), "message": words,
    }  # fmt: skip


def _next(name: str, held: Rotation | None) -> str | None:
    """What is to be said to the rotation that is held still."""
    if held is None:
        return None
    if held.force and held.reason not in GOES_ON:
        return f"`rotator force {name}` with another reason: the forced rotation {held.id} cannot go on"
    return f"`rotator {'release' if held.reason in GOES_ON else 'abandon'} {name}`: the rotation {held.id} is held"
