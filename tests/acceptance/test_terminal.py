"""What a person at a terminal sees, and the demo."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.scene import Scene, environment


def at_a_terminal(command: list[str], env: dict[str, str]) -> str:
    """Runs a command with a terminal as its output, and gives all that it wrote there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    try:
        return _read(ours, process)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
        process.wait(10)


def _read(ours: int, process: subprocess.Popen[bytes]) -> str:
    said, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    assert process.wait(10) == 0, said.decode()
    return said.decode()


def test_a_terminal_gets_a_live_list(scene: Scene) -> None:
    """Steps scroll by, what is waited for is shown and redrawn, the result stands at the end."""
    said = at_a_terminal(scene.command("rotate", "orders"), environment({"TERM": "xterm-256color"}))
    assert "\x1b[2K" in said  # a line was redrawn
    assert "publish ok" in said
    assert "waits" in said
    assert "orders: rotated, and proven" in said.rstrip().splitlines()[-3]


def test_no_color_is_obeyed(scene: Scene) -> None:
    """With NO_COLOR no colour is set; without it, it is."""
    plain = at_a_terminal(scene.command("rotate", "billing", "--dry-run"),
                          environment({"TERM": "xterm-256color", "NO_COLOR": "1"}))  # fmt: skip
    coloured = at_a_terminal(scene.command("rotate", "billing", "--dry-run"), environment({"TERM": "xterm-256color"}))
    assert ("\x1b[32m" in plain, "\x1b[32m" in coloured) == (False, True)


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo with a folder of its own for whatever it makes."""
    env = environment({"TMPDIR": str(folder), "DEMO_JSON": str(folder / "results.json"), "PATH": "/usr/bin:/bin"})
    command = [sys.executable, "-m", "rotator", "demo", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110, env=env)


def test_the_demo_needs_no_vault_and_leaves_nothing(tmp_path: Path) -> None:
    """Without a `vault`: the stand-in, said plainly. Last line `demo: ok`, results kept, nothing else left."""
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "demo: ok"
    assert "stand-in" in done.stdout.splitlines()[0]
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["ok"], results["billing"]["before"] != results["billing"]["after"]) == (True, True)
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
    assert processes_that_name(str(tmp_path)) == []


def test_a_demo_that_fails_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    """A Vault that does not start: exit is not 0, no `demo: ok`, with a fix; folder and processes are gone."""
    done = demo(tmp_path, "--vault", "/bin/false")
    assert (done.returncode != 0, "demo: ok" in done.stdout, "fix:" in done.stderr) == (True, False, True)
    assert list(tmp_path.iterdir()) == []
    assert processes_that_name(str(tmp_path)) == []


@pytest.mark.needs("vault")
def test_the_demo_takes_a_real_vault(tmp_path: Path, real_vault_binary: str) -> None:
    """With a binary: HashiCorp's own, under the shipped policy; it is ended with the demo."""
    done = demo(tmp_path, "--vault", real_vault_binary)
    assert (done.returncode, "HashiCorp Vault" in done.stdout.splitlines()[0]) == (0, True), done.stdout + done.stderr
    assert processes_that_name(str(tmp_path)) == []


def processes_that_name(text: str) -> list[str]:
    """The processes whose environment or command line names this text, but for the test itself."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        if place.name == str(os.getpid()):
            continue
        try:
            data = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in data:
            found.append(place.name)
    return found
