"""Another person at the same machine."""

from __future__ import annotations

import os
import subprocess

from tests.acceptance.scene import Done, Scene, environment

OTHER, OTHERS_UID = "ada", 4242


def as_other(scene: Scene, *words: str, uid: int = OTHERS_UID) -> Done:
    """The program, run by somebody else: root acts for others by sudo. Who is not root is it in a user namespace of his
    own."""
    prefix = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
    done = subprocess.run([*prefix, *scene.command("--json", *words)], capture_output=True, text=True, check=False,
                          timeout=60, env=environment({"SUDO_USER": OTHER, "SUDO_UID": str(uid)}))  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)
