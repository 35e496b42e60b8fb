"""Planted mistakes of the protocol: each must be caught by the checker, or the checker is worth nothing.

A mutant is a copy of the tree in a folder of its own, with some texts replaced (each must occur just once), run as a
process of its own. The list is that of the design's saga_model.py, that of reference/models.md 3.2 (6), and what time
adds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SAGA, MODEL = "rotator/saga/", "tests/model/"


class Mutant(NamedTuple):
    """A name, the scene that finds it, and what to change: file -> (old text, new text) pairs."""

    name: str
    scene: str
    edits: dict[str, tuple[tuple[str, str], ...]]


MUTANTS = (
    Mutant("promote before escrow", "one routine", {SAGA + "steps.py": (
        ('Step("escrow", lambda s: s.staged and', 'Step("escrow", lambda s: s.promoted and'),
        ("return s.staged and (after_publish or", "return s.staged and (True or"))}),
    Mutant("publish before verify", "one routine", {SAGA + "steps.py": (
        ("return s.escrowed and s.row.verified !=", "return s.live_is_new and s.escrowed and s.row.verified !="),
        ("and s.publish_first and verified", "and s.publish_first"))}),
    Mutant("no intent before POST", "one routine", {SAGA + "mint.py": (
        ('    s = me.intent(s, "stage", posting=True)\n', ""),)}),
    Mutant("only outcomes are recorded", "one routine", {SAGA + "worker.py": (
        ('        event = Event(step, Phase.INTENT,', '        event = Event(step, Phase.OBSERVE,'),)}),
    Mutant("the publish intent does not name its version", "frozen", {SAGA + "undo.py": (
        ("me.intent(s, step, publish_cas=number,", "me.intent(s, step, publish_cas=None if before else number,"),)}),
    Mutant("POST again without a look", "one routine", {SAGA + "mint.py": (
        ("        entry = me.salesforce.stage(me.consumer)\n",
         "        try:\n            entry = me.salesforce.stage(me.consumer)\n        except OutcomeUnknown:\n"
         "            entry = me.salesforce.stage(me.consumer)\n"),
        ("import LedgerUnavailable, Refused,", "import LedgerUnavailable, OutcomeUnknown, Refused,"))}),
    Mutant("PATCH again without a look", "one routine", {SAGA + "switch.py": (
        ("        me.salesforce.promote(me.consumer, entry.id)\n",
         "        try:\n            me.salesforce.promote(me.consumer, entry.id)\n        except OutcomeUnknown:\n"
         "            me.salesforce.promote(me.consumer, entry.id)\n"),
        ("from rotator.domain.errors import must", "from rotator.domain.errors import OutcomeUnknown, must"))}),
    Mutant("no settle after an unknown outcome", "one routine", {SAGA + "undo.py": (
        ("    if s.landed:\n", "    if True:\n"),)}),
    Mutant("adopt what a lost POST seems to have left", "foreign", {SAGA + "mint.py": (
        ("    if s.slot_is_named_foreign:\n", "    if s.slot_is_lost_post:\n"
         '        return me.outcome(s, "discard", new_key=s.slot_key, posting=False)\n'
         "    if s.slot_is_named_foreign:\n"),)}),
    Mutant("no discard", "one routine", {SAGA + "steps.py": (
        ('Step("discard", discard_due,', 'Step("discard", lambda s: False,'),)}),
    Mutant("clear deletes what live serves", "operator", {SAGA + "mint.py": (
        ("    if s.live_key != s.slot_key:\n", "    if True:\n"),)}),
    Mutant("discard although the author is somebody else", "foreign", {SAGA + "seen.py": (
        (" and author is not Author.THEM", " and self.slot is not None"),)}),
    Mutant("adopt a foreign pair in the slot", "foreign", {SAGA + "seen.py": (
        ('return self.row.new_key != "" and self.slot_key == self.row.new_key',
         'return self.row.posting and self.slot is not None or self.slot_key == self.row.new_key != ""'),)}),
    Mutant("retire before the overlap is over", "one routine", {SAGA + "seen.py": (
        ("return self.row.overlap_ended or self.row.force", "return True"),)}),
    Mutant("overlap after promote where Rotated may be dead", "one routine", {SAGA + "seen.py": (
        ('return not self.facts.yes("rotated_pair_accepted")', "return False"),)}),
    Mutant("a second publish does not start the overlap anew", "foreign", {SAGA + "switch.py": (
        (', "overlap_ended": False, "overlap_until": None}', "}"),)}),
    Mutant("the overlap counts from the intent to publish", "one routine", {SAGA + "switch.py": (
        ('"overlap_until": None}', '"overlap_until": s.now + s.row.policy.overlap}'),)}),
    Mutant("an abandon does not wait for the readers", "operator", {SAGA + "undo.py": (
        ("and s.now < row.abandon_until and", "and False and"),)}),
    Mutant("no check-and-set", "foreign", {MODEL + "world.py": (
        ("        if cas != self.live_number:", "        if False:"),)}),
    Mutant("no fence before a delete", "frozen", {SAGA + "undo.py": (
        ('    if s.fence_due:\n        return fence(me, s)\n    entry', "    entry"),)}),
    Mutant("no guard before a delete", "foreign", {
        SAGA + "seen.py": (("ours = self.slot is not None and self.slot_key in self.row.old_keys", "ours = True"),
                           (" and self.slot is not None and self.slot.state is not SlotState.ACTIVE\n",
                            " and self.slot is not None\n")),
        SAGA + "holds.py": (("    if s.several:\n", "    if False:\n"),)}),
    Mutant("escrow is the live path", "one routine", {MODEL + "world.py": (
        ("        self.escrow[self.escrow_number] = content\n",
         "        self.escrow[self.escrow_number] = content\n        self.live_number += 1\n"
         "        self.live[self.live_number] = Credential(content.new or content.olds[0])\n"),)}),
    Mutant("no fence on escrow", "frozen", {SAGA + "seen.py": (
        ("return self.escrow_cas == self.pic.escrow.number", "return False"),)}),
    Mutant("escrow removed with its metadata", "frozen", {MODEL + "world.py": (
        ("self.escrow = {n: c for n, c in self.escrow.items() if n > upto}",
         "self.escrow, self.escrow_number = {}, 0"),)}),
    Mutant("a failed GET taken for an empty slot", "one routine", {SAGA + "look.py": (
        ("            slots = tuple(self._told(entry) for entry in self.salesforce.slot(self.consumer))\n",
         "            try:\n                slots = tuple(map(self._told, self.salesforce.slot(self.consumer)))\n"
         "            except Unavailable:\n                slots = ()\n"),)}),
    Mutant("any 400 counts as refused", "one routine", {SAGA + "proof.py": (
        ("            raise _no_proof(me, s, step, f\"no proof: {error.message}\", error.code, error.fix, every_one)"
         " from None", "            accepted = error is None"),)}),
    Mutant("a refusal counts without a control", "one routine", {SAGA + "proof.py": (
        ("        if not me.login(new).accepted:\n", "        if new is None:\n"),)}),
    Mutant("one refusal is proof enough", "one routine", {SAGA + "proof.py": (
        ("    if row.refusals >= IN_A_ROW and last >= retired + w:\n", "    if row.refusals:\n"),),
        MODEL + "ends.py": (('    row, old = w.row, w.row.old_keys\n',
                             '    row, old = w.row, w.row.old_keys\n'
                             '    rule(row.refusals >= 3, "PROOF too thin")\n'),)}),
    Mutant("proof without a dead canary", "one routine", {SAGA + "proof.py": (
        ("    if me.salesforce.probe(token, canary_call(s)) is not Probe.DEAD:\n", "    if Probe is None:\n"),)}),
    Mutant("the proof is skipped", "one routine", {SAGA + "steps.py": (
        ('Step("prove", lambda s: s.finished and not s.row.proven, prove)',
         'Step("prove", lambda s: s.finished and not s.row.proven,'
         ' lambda me, s: me.observe(s, "prove", proven=True))'),)}),
    Mutant("no restore", "foreign", {SAGA + "steps.py": (
        ('Step("restore", lambda s: s.rescue is not None,', 'Step("restore", lambda s: False,'),)}),
    Mutant("restore trusts an unknown fact", "foreign", {SAGA + "undo.py": (
        ("    if s.live_in_doubt and live is not None and", "    if False and live is not None and"),)}),
    Mutant("a stale epoch is accepted", "frozen", {MODEL + "ports.py": (
        ("        if lease.epoch != self.w.epoch or lease.owner != self.w.owner:\n", "        if False:\n"),)}),
    Mutant("verify and compare from memory", "one routine", {SAGA + "mint.py": (
        ('must(s.held_pair(s.row.new_key), "the new pair in Vault")',
         'me.eyes.memory or must(s.held_pair(s.row.new_key), "the new pair in Vault")'),),
        SAGA + "seen.py": ((" and known and kept != self.slot.pair:", " and False:"),)}),
    Mutant("the first refusal of a new pair decides", "one routine", {SAGA + "mint.py": (
        ("    if s.now < until:\n", "    if s.now < s.now:\n"),)}),
    Mutant("abandon after a promote intent", "operator", {SAGA + "requests.py": (
        ("    if row.promoting and not lost_to_others(row):\n", "    if False:\n"),)}),
    Mutant("an intent in spite of an abandon", "operator", {MODEL + "ports.py": (
        (" or (event.phase is Phase.INTENT and w.row.goal != seen.goal)", ""),)}),
    Mutant("a force adopts the staged pair", "operator", {SAGA + "requests.py": (
        ("parent_new=last.new_key,", "parent_new=last.new_key, new_key=last.new_key,"),)}),
    Mutant("a force leaves the old pair in Vault", "force", {SAGA + "steps.py": (
        ("s.finished and s.row.policy.destroy_old and bool(s.old_versions)", "False"),)}),
    Mutant("a force ends sessions only once", "attacked", {SAGA + "sessions.py": (
        ("    again = s.row.force and s.row.revoked == 1 + before and", "    again = False and"),)}),
    Mutant("a force ends only what was there at the first refusal", "attacked", {SAGA + "proof.py": (
        ("    until = (me.salesforce.time() or me.now()) if s.row.force else s.row.ended_before\n",
         "    until = s.row.ended_before\n"),)}),
    Mutant("an acceptance does not begin the ending of sessions anew", "one routine", {SAGA + "proof.py": (
        ('{**ANEW, "last_refusal": s.now}', '{"refusals": 0, "last_refusal": s.now}'),)}),
    Mutant("a login of unknown outcome is forgotten", "two routine", {SAGA + "undo.py": (
        ("        return {**ANEW, \"retired_at\": s.now, ", "        return {"),)}),
    Mutant("a login with the old pair has no intent", "two routine", {SAGA + "proof.py": (
        ("            s = replace(me.intent(s, step), unknown=(step,))\n", "            pass\n"),)}),
    Mutant("a second entry hides the pair that live serves", "foreign, force", {SAGA + "seen.py": (
        ("for entry in self.pic.slots if", "for entry in self.pic.slots[:1] if"),)}),
    Mutant("sessions are ended without an intent", "one routine", {SAGA + "sessions.py": (
        ('    s = me.intent(s, "revoke", evidence=evidence, listing_shown=True)\n', ""),)}),
    Mutant("what is ended is not what was written down", "one routine", {SAGA + "sessions.py": (
        ("for grant in found.doomed]\n    parts", "for grant in found.doomed[1:]] or [\"\"]\n    parts"),)}),
    Mutant("versions that were not destroyed are forgotten", "force", {SAGA + "proof.py": (
        ("    if s.old_versions:\n        return _kept", "    if False:\n        return _kept"),)}),
    Mutant("a partial listing proves that nothing is left", "force", {SAGA + "proof.py": (
        ("    if found.hidden:\n", "    if False:\n"),)}),
    Mutant("close leaves the escrow", "one routine", {SAGA + "proof.py": (
        ("    if s.escrow_left:\n        return drop_escrow(me, s)\n", ""),),
        SAGA + "steps.py": (("s.finished and s.row.proven and s.escrow_left, close)", "False, close)"),)}),
    Mutant("a refusal counts without a control, while blocked", "block-first", {SAGA + "proof.py": (
        ("        if not me.login(new).accepted:\n", "        if False:\n"),),
        SAGA + "block.py": (('return s.row.switch == "blocked" and s.finished',
                             'return s.row.switch == "blocked" and s.finished and s.row.refused_at is not None'),)}),
    Mutant("block before the canary", "block-first", {SAGA + "block.py": (
        ("return wanted and s.primary.key in s.row.old_keys", "return False"),)}),
    Mutant("old is accepted after the unblock, and nobody blocks again", "block-first", {SAGA + "proof.py": (
        ('return _block_again(me, s, "refused", retired)', "pass"),)}),
    Mutant("lifted to stage, and not blocked again", "block-first", {SAGA + "block.py": (
        ("waits_for_stage = s.stages_first and not s.escrowed and", "waits_for_stage = s.stages_first and"),)}),
)  # fmt: skip
# Tried by `make crash`.
MORE = (
    Mutant("unblock before the old pair is gone", "block-first", {SAGA + "block.py": (
        ('return s.row.switch == "blocked" and s.finished', 'return s.row.switch == "blocked" and s.live_is_new'),),
        SAGA + "steps.py": (("s.slot_is_old and s.live_is_new and s.overlap_over, retire",
                             's.slot_is_old and s.live_is_new and s.row.switch != "blocked", retire'),)}),
    Mutant("never unblock", "block-first", {SAGA + "block.py": (
        ('return s.row.switch == "blocked" and s.finished', "return False"),)}),
    Mutant("what stays blocked is published", "stay-blocked", {SAGA + "holds.py": (
        ("_foreign, _stay_blocked,", "_foreign,"),)}),
    Mutant("a force forgets that the app is blocked", "operator, block-first", {SAGA + "requests.py": (
        ('if last.switch in ("blocking", "blocked") else row', "if False else row"),)}),
    Mutant("turn the switch again without a look", "block-first", {SAGA + "block.py": (
        ("        me.salesforce.set_blocked(me.consumer, blocked)\n",
         "        try:\n            me.salesforce.set_blocked(me.consumer, blocked)\n        except OutcomeUnknown:\n"
         "            me.salesforce.set_blocked(me.consumer, blocked)\n"),
        ("from rotator.domain.words import Outcome\n",
         "from rotator.domain.errors import OutcomeUnknown\nfrom rotator.domain.words import Outcome\n"))}),
    Mutant("no intent before the block", "block-first", {SAGA + "block.py": (
        ("    s = me.intent(s, step, evidence=evidence, **before)\n", ""),)}),
)  # fmt: skip


def plant(mutant: Mutant, folder: Path) -> None:
    """A copy of what the model needs, with the mistake in it. Raises where a text does not occur just once."""
    for part in ("rotator/domain", "rotator/saga", "tests/model"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("rotator/__init__.py", "rotator/ports.py", "tests/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    for name, edits in mutant.edits.items():
        text = (folder / name).read_text()
        for old, new in edits:
            if text.count(old) != 1:
                raise ValueError(f"{mutant.name}: in {name} this occurs {text.count(old)} times: {old}")
            text = text.replace(old, new)
        (folder / name).write_text(text)


def try_mutant(mutant: Mutant, folder: Path) -> str:
    """What the checker says to this mistake; "" if it does not see it."""
    plant(mutant, folder)
    env = {**os.environ, "PYTHONPATH": str(folder)}
    ran = subprocess.run([sys.executable, "-m", "tests.model.plans", "--first", "--scene", mutant.scene],
                         cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode == 0:
        return ""
    words = ("Violation", "Invariant", "Assertion", "Attr")
    said = [line for line in ran.stdout.splitlines() if line.startswith(words)]
    return said[0] if said else f"did not run: {ran.stderr[-300:]}"
