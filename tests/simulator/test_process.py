"""The simulator as a process, and worlds other than the default one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from rotator.simulator import Options, start
from rotator.simulator.options import load
from tests.simulator.sim import Sim


def process(*arguments: str) -> subprocess.Popen[str]:
    """`python -m rotator.simulator` with these arguments."""
    command = [sys.executable, "-m", "rotator.simulator", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", ["term", "int", "stdin"])
def test_a_process_announces_itself_and_stops_when_told(how: str) -> None:
    """One line of JSON when ready; SIGTERM, SIGINT or the end of standard input ends it with status 0."""
    with process(
        "--seed", "9", "--org", "acme", "--org", "globex", *(["--with-parent"] if how == "stdin" else [])
    ) as one:
        assert one.stdout
        assert one.stdin
        told = json.loads(one.stdout.readline())
        assert (sorted(told["org"]), told["seed"]) == (["acme", "globex"], 9)
        assert httpx.get(f"{told['org']['globex']}/services/data", trust_env=False).status_code == 200
        if how == "stdin":
            one.stdin.close()
        else:
            one.send_signal(signal.SIGTERM if how == "term" else signal.SIGINT)
        assert one.wait(10) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(told["vault"], trust_env=False)


def test_a_mistake_on_the_command_line_ends_with_a_reason() -> None:
    """An unknown fact: status 2, and the known ones on standard error."""
    with process("--fact", "sky_is_blue=yes") as one:
        _, error = one.communicate(timeout=20)
        assert (one.returncode, "staged_pair_accepted" in error) == (2, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o.toml", 'seed = 5\norgs = ["x"]\napps = 1\n[facts]\ncreated_by_given = "no"\n'),
        ("o.json", '{"seed": 5, "orgs": ["x"], "apps": 1, "facts": {"created_by_given": "no"}}'),
    ],
)
def test_options_come_from_a_file(tmp_path: Path, name: str, text: str) -> None:
    """TOML and JSON say the same; an unknown option is named."""
    (tmp_path / name).write_text(text)
    assert load(str(tmp_path / name)) == Options(seed=5, orgs=("x",), apps=1, facts={"created_by_given": "no"})
    with pytest.raises(ValueError, match="colour"):
        Options().changed(colour="red")


def test_a_world_is_repeated_by_its_seed() -> None:
    """Same seed: same ids, pairs and shapes. Another seed: others. No seed: one is drawn and told."""

    def world(seed: int) -> Any:
        with start(seed=seed) as running:
            told = httpx.get(f"{running.admin_url}/world", trust_env=False).json()
            shapes = httpx.get(f"{running.admin_url}/shapes", trust_env=False).json()
            return told["orgs"]["acme"]["org_id"], told["orgs"]["acme"]["apps"]["orders"], shapes, running.seed

    assert world(4) == world(4)
    assert world(4)[:2] != world(5)[:2]
    assert world(0)[3] > 0


def test_orgs_and_apps_can_be_added_while_it_runs(sim: Sim) -> None:
    """A new org answers on its own port, with facts of its own; a new app has its live path."""
    added = sim.admin("POST", "/orgs", {"name": "initech"})
    assert httpx.get(f"{added['url']}/services/data", trust_env=False).status_code == 200
    sim.admin("POST", "/facts", {"org": "initech", "created_by_given": "no"})
    assert sim.admin("GET", "/facts?org=acme")["created_by_given"] == "yes"
    assert sim.admin("GET", "/facts?org=initech")["created_by_given"] == "no"
    app = sim.admin("POST", "/orgs/initech/apps", {"name": "payroll", "consumers": 2})
    assert len(app["consumer_ids"]) == 2
    assert sim.vault.get(f"/v1/secret/data/{app['vault_path']}").json()["data"]["data"]["client_id"] == app["client_id"]
    sim.admin("DELETE", "/orgs/initech/apps/payroll")
    assert "payroll" not in sim.admin("GET", "/world")["orgs"]["initech"]["apps"]


def test_a_live_path_may_be_absent(sim: Sim) -> None:
    """seed_live = false leaves it empty, and the watch has nothing to say."""
    sim.reset(seed_live=False)
    assert sim.vault.get(f"/v1/secret/data/{sim.billing['vault_path']}").status_code == 404
    assert sim.invariants()["ok"]


def test_the_clock_stops_and_jumps_as_told(sim: Sim) -> None:
    """set, advance and freeze; a reset brings the wall clock back."""
    assert abs(sim.admin("POST", "/clock", {"set": 2_000_000_000})["now"] - 2_000_000_000) < 1
    frozen = sim.admin("POST", "/clock", {"freeze": True})["now"]
    assert sim.admin("GET", "/clock")["now"] == frozen
    assert sim.admin("POST", "/clock", {"advance": -100})["now"] == pytest.approx(frozen - 100)
    sim.reset()
    assert sim.admin("GET", "/clock")["now"] < 2_000_000_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/orgs/acme/apps/billing", {"secret": "x"}),
        ("PATCH", "/orgs/acme/apps/nothing", {}),
        ("PATCH", "/orgs/nowhere", {}),
        ("POST", "/strangers", {"act": "dance", "app": "billing"}),
        ("POST", "/reset", {"colour": "red"}),
        ("PATCH", "/vault", {"tokens": {}}),
    ],
)
def test_the_door_explains_what_it_refuses(sim: Sim, method: str, path: str, body: Any) -> None:
    """A mistake is a 400 or 404 with an `error`, never a 500."""
    reply = sim.door.request(method, path, json=body)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]
