"""`rotator status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("app", required=False, default="")
@click.pass_context
def status(context: click.Context, app: str) -> int:
    """Shows what is open, what is due next, what is overdue and why, and the age of each secret."""
    with session(context) as here:
        from rotator.wiring.status import status as look

        daemon = here.daemon()
        told: Any = daemon.get("/status", app=app) if daemon is not None else look(here.connect(), app)
        if here.common.as_json:
            out.document(told)
        else:
            first = chain(lines(told["apps"]), waiting(told["orgs"]), outdated(told["orgs"]), second_person(told))
            alone = map(leaked, told["apps"] if app else ())
            for line in chain(first, alone, untold(told["notices"])):
                out.say(line)
    return 0


def waiting(orgs: list[Mapping[str, Any]]) -> Iterator[str]:
    """One line per org whose routine work waits, and why; what the sweep saw of the whole org."""
    for org in orgs:
        if org["waits"]:
            yield clean(f"routine work of {org['org']} waits: {org['waits']}")
        yield from drifted(org, f"{org['org']}: ")


def outdated(orgs: list[Mapping[str, Any]]) -> Iterator[str]:
    """One line per org of which something was seen too long ago."""
    for org in orgs:
        if org["facts"]["old"]:
            yield clean(f"what is known of {org['org']} is of {org['facts']['oldest_at'][:10]}, and may have changed")
            yield clean(f"  fix: `rotator calibrate {org['org']} --app CANARY` (docs/calibrate.md)")


def drifted(place: Mapping[str, Any], before: str) -> Iterator[str]:
    """What the sweep saw of an app or an org that is not as it should be."""
    for one in place["drift"]:
        yield clean(f"{before}{one['state']} ({one['look']}) since {one['since'][:16]}Z: {one['words']}")
        yield clean(f"  fix: {one['fix']}")


def leaked(app: Mapping[str, Any]) -> str:
    """What would be, if the secret of this app leaked now: as a drill or a force showed, and by its org's facts."""
    seen = app["if_leaked"]
    facts = f"a force can prove its tokens dead: {seen['expected']}" + (f" ({seen['why']})" if seen["why"] else "")
    if seen["seen_on"] is None:
        return clean(f"  if it leaked now: not known; `rotator drill` on a canary app of the org shows it; {facts}")
    what, sessions = "drill" if seen["drill"] else "force", seen["sessions_dead"]
    proven = f"proven in ~{seen['proven_s']:.0f} s" if seen["proven_s"] is not None else "not proven"
    refused = f"refused in ~{seen['refused_s']:.0f} s"
    return clean(f"  if it leaked now: {refused}, sessions provably dead: {sessions}, {proven} ({what} of"
                 f" {seen['seen_on']}, {seen['seen_at'][:16]}Z); {facts}")  # fmt: skip


def second_person(told: Mapping[str, Any]) -> Iterator[str]:
    """What waits for approval, and what one person did alone."""
    for one in told["approvals"]:
        yield clean(f"to approve: {one['action']} {', '.join(one['apps'])}, asked by {one['actor']} ({one['ticket']})")
        yield clean(f"  fix: another person runs `rotator approve {one['request_id']}` by {one['until'][:16]}Z")
    for one in told["reviews"]:
        yield clean(f"to review: {one['app']} was forced by {one['actor']} alone, {one['started_at'][:16]}Z "
                    f"({one['ticket']})")  # fmt: skip
        yield clean(f"  fix: another person runs `rotator review {one['rotation_id']}`")


def untold(channels: list[Mapping[str, Any]]) -> Iterator[str]:
    """One line per channel that could not be told something."""
    for one in channels:
        counts = [f"{one[name]} {words}" for name, words in (("waiting", "waiting"), ("given_up", "given up"))
                  if one[name]]  # fmt: skip
        yield clean(f"notices to {one['channel']}: {', '.join(counts)}" + (f"; {one['error']}" if one["error"] else ""))


def lines(apps: list[Mapping[str, Any]]) -> Iterator[str]:
    """One line per app, and two more where a rotation is open."""
    for app in apps:
        age = f"{app['secret_age_s'] // 86400} d" if app["secret_age_s"] is not None else "?"
        mark = "paused" if app["paused"] else "OVERDUE" if app["overdue"] else "open" if app["rotation"] else "ok"
        next_ = str(app["next_due_at"] or "-")[:16]
        yield f"{app['app']:<20} {mark:<8} age {age:<6} next {next_:<17} {clean(str(app['why']))}"
        yield from drifted(app, "  ")
        if app["pause"]:
            told = app["pause"]
            until = f" until {told['until'][:16]}Z" if told["until"] else ""
            yield clean(f"  paused ({told['scope']}) by {told['actor']}{until}: {told['reason'] or 'no reason given'}")
        if app["rotation"]:
            row = app["rotation"]
            yield f"  {row['state']} at {row['step']}, since {row['started_at'][:19]}Z, rotation {row['rotation_id']}"
            if row["fix"]:
                yield f"  fix: {clean(str(row['fix']))}"
