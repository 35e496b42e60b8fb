"""A classic connected app under the daemon: it opens the request, takes the pair by its socket, and goes on alone."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, cast

import pytest

from rotator.control.bodies import Receive
from rotator.control.callers import Caller, Role
from rotator.control.calls import Call, receive
from rotator.domain.errors import UsageError
from tests.acceptance.operator import Operator, terminal
from tests.acceptance.scene import until
from tests.control.served import Served

if TYPE_CHECKING:
    from rotator.control.desk import Lent


def test_a_pair_is_taken_on_the_machine_of_the_daemon_alone() -> None:
    """Over TCP it is refused before anything is looked at, and not repeated: it goes to the org and to Vault only."""
    asked = Receive.model_validate({"app": "legacy", "key": "3MVG9key", "secret": "0123456789"})
    with pytest.raises(UsageError, match="machine of the daemon") as told:
        receive(cast("Lent", None), Call(Caller("ada", Role.FORCE, origin="tcp"), asked))
    assert "0123456789" not in f"{told.value.message}{told.value.fix}{asked}"


def row(scene: Served) -> dict[str, str]:
    """The open rotation of the app; nothing where none is open."""
    with sqlite3.connect(scene.database) as database:
        database.row_factory = sqlite3.Row
        found = database.execute("SELECT * FROM rotations WHERE app = 'legacy' ORDER BY number DESC LIMIT 1").fetchone()
    return dict(found) if found else {}


def test_the_daemon_asks_for_a_person_and_goes_on_when_the_terminal_dies(scene: Served) -> None:
    """It is due: the daemon opens the request. The pair goes to it over its Unix socket; then the terminal is killed.
    Apply is noticed by the daemon alone, which publishes and proves. Nothing secret stands in its log, in the database,
    or on the screen."""
    operator = Operator(scene)
    assert scene.daemon
    scene.reload(scene.daemon)
    until(lambda: row(scene).get("reason") == "receive", 120)
    new = operator.generate()
    with terminal(scene.command("rotate", "legacy")) as screen:
        typed = {"Consumer Key": new[0], "Consumer Secret": new[1], "once more": new[1], "Is that": "y"}
        for asked, answer in typed.items():
            screen.wait_for(asked)
            screen.type(answer)
        screen.wait_for("Type `applied`")
        screen.kill()
        screen.end()
    operator.apply()
    until(lambda: row(scene).get("state") == "done", 240)
    assert row(scene)["trigger"] == "scheduled"
    data = b"".join(file.read_bytes() for file in scene.folder.glob("rotator.db*"))
    told = data + scene.daemon.log.read_bytes() + screen.seen.encode()
    assert [secret for secret in scene.secrets() if secret.encode() in told] == []
    said = [e for e in scene.events("legacy") if e["evidence"].get("word") == "receive"]
    assert [e["origin"] for e in said] == ["socket"]
