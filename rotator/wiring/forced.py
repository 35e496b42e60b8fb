"""What is told of a force, with a daemon and without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rotator.wiring import told
from rotator.wiring.force import Scope
from rotator.wiring.told import Driven, Json


def warnings(shared: Sequence[Mapping[str, object]]) -> list[str]:
    """Of apps whose sessions cannot be told apart by user."""
    found = []
    for one in shared:
        apps = one["apps"]
        names = ", ".join(map(str, apps)) if isinstance(apps, list) else ""
        found.append(f"{names} run as one user ({one['run_as']}): sessions are told apart by app and time")
    return found


def document(scope: Scope, shared: Sequence[Mapping[str, object]], errands: Sequence[Driven]) -> Json:
    """The document of `rotator force`: every configured app is accounted for. An app that was asked for and could not
    be taken needs a human."""
    left = [told.HUMAN for one in scope.skipped if one["asked"]]
    code = told.first_of([told.exit_of(errands), *left])
    return {**told.rotations(errands, scope.skipped), "ok": code == told.DONE, "exit": code, "shared": list(shared)}
