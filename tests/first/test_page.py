"""docs/first-steps.md: its commands work as they stand there, and it passes over no sentence of the prerequisites."""

from __future__ import annotations

import re
import shlex

from tests.acceptance.scene import Scene
from tests.first.test_init import answers_of, flags
from tests.project.files import ROOT

PAGE = (ROOT / "docs" / "first-steps.md").read_text()
# Words of the page of prerequisites (docs/checks.md has all of it), in its order.
SAID = (
    "gets a token", "periodically", "Spring '26", "external client apps are recommended", "packaged", "subscribers",
    "Allow consumer key and secret rotation", "basic information", "OAuth settings", "Enable Client Credentials Flow",
    "accept the warning", "execution user", "Run As", "Permitted Users", "API Only User", "revokes none",
)  # fmt: skip


def commands() -> list[list[str]]:
    """Every command of the page, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line]


def test_the_commands_of_the_page_lead_to_a_rotation_that_is_proven(scene: Scene) -> None:
    """In their order, with the answers of the simulated world; each succeeds, and the last rotation is done."""
    scene.config.unlink()
    found = commands()
    assert {words[0] for words in found} == {"rotator"}
    assert ["rotate", "billing"] in [words[1:] for words in found]
    for _, *words in found:
        more = ["--insecure", *flags(answers_of(scene))] if words == ["init"] else []
        done = scene.run(*words, *more)
        assert done.code == 0, (words, done.out, done.err)
        if words == ["init"]:
            hasten(scene)
    assert scene.json("status", "billing").told["apps"][0]["rotation"] is None
    assert scene.truth()["slot"] == []
    scene.settle()


def hasten(scene: Scene) -> None:
    """The waits of minutes and hours are none, for a test."""
    text = scene.config.read_text().replace("[apps.billing]", '[apps.billing]\noverlap = "0s"')
    waits = "".join(f'{name} = "0s"\n' for name in ("propagation", "proof_spacing", "settle"))
    scene.config.write_text(f'{text}\n[timing]\npoll = "100ms"\n{waits}')


def test_the_page_answers_the_prerequisites_in_their_order() -> None:
    """None of the page's subjects is left out."""
    places = [PAGE.find(words) for words in SAID]
    assert -1 not in places, [words for words, place in zip(SAID, places, strict=True) if place < 0]
    assert places == sorted(places)
