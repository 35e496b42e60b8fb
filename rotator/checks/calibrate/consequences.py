"""What the facts of an org mean for rotations and for a force, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotator.domain.facts import Facts, Tri

LISTED = {"tokens_listed_usage": "lever_usage_ends", "tokens_listed_oauthtoken": "lever_deletetoken_ends",
          "tokens_listed_authsession": "lever_authsession_ends"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consequence:
    """One question, its answer, and why."""

    question: str
    answer: str
    why: str

    @property
    def words(self) -> str:
        return f"{self.question}: {self.answer}" + (f" ({self.why})" if self.why else "")


def consequences(facts: Facts) -> tuple[Consequence, ...]:
    """All of them, in the order in which a rotation meets them. Reads facts by their one table alone."""
    return tuple(work(facts) for work in _ALL)


def _order(facts: Facts) -> Consequence:
    question = "rotations change pairs without an outage"
    if facts.yes("staged_pair_accepted"):
        return Consequence(question, "yes", "the new pair is verified and published before it is promoted")
    if facts.no("staged_pair_accepted") and facts.yes("rotated_pair_accepted"):
        return Consequence(question, "yes", "the new pair is promoted, verified, then published")
    if facts.no("staged_pair_accepted") and facts.no("rotated_pair_accepted"):
        return Consequence(question, "no", "no order is known that never serves a refused pair: rotations hold")
    return Consequence(question, "unknown", "rotations try the staged pair first, and hold where it is refused")


def _overlap(facts: Facts) -> Consequence:
    question = "readers of the old pair have the whole overlap"
    if facts.yes("rotated_pair_accepted"):
        return Consequence(question, "yes", "the old pair stays accepted in the slot until it is retired")
    return Consequence(question, "yes", "the rotator waits before the promote, which may end the old pair early")


def _crash(facts: Facts) -> Consequence:
    question = "a pair whose answer got lost is used all the same"
    why = {Tri.YES: "its secret is read again", Tri.NO: "it is deleted, and another one staged",
           Tri.UNKNOWN: "if its secret can be read again; else it is deleted, and another one staged"}  # fmt: skip
    known = facts.tri("secret_readable_again")
    return Consequence(question, known.value, why[known])


def _stranger(facts: Facts) -> Consequence:
    question = "a pair that somebody else staged is told apart by its author"
    return Consequence(question, facts.tri("created_by_given").value, "")


def tokens_dead(facts: Facts) -> Consequence:
    """A force proves by a canary of the old pair, which no lever may name; something must end it."""
    question = "force will be able to prove tokens dead"
    by_pair = facts.tri("tokens_die_with_pair")
    levers = [(facts.tri(listed), facts.tri(ends)) for listed, ends in LISTED.items()]
    if by_pair is Tri.YES:
        return Consequence(question, "yes", "they die with the pair")
    if (Tri.YES, Tri.YES) in levers:
        return Consequence(question, "yes", "they are listed, and a lever ends them")
    dark = by_pair is Tri.UNKNOWN or any(Tri.NO not in pair for pair in levers)
    if dark:
        return Consequence(question, "unknown", "what is not known stands above")
    return Consequence(question, "no", "no lever ends them: they live until they expire, and the force ends unproven")


def _shared(facts: Facts) -> Consequence:
    question = "ending the sessions of one login may end another's"
    return Consequence(question, facts.tri("session_shared_between_logins").value, "")


def _blocked(facts: Facts) -> Consequence:
    question = "force --block-first stages its pair while the app is blocked"
    known = facts.tri("stage_while_blocked")
    return Consequence(question, known.value, "" if known is Tri.YES else "else it stages first, then blocks")


def _classic(facts: Facts) -> Consequence:
    question = "classic connected apps have the staged API here"
    known = facts.tri("classic_has_staged_api")
    why = "the rotator still asks a person for them, step by step" if known is not Tri.NO else ""
    return Consequence(question, known.value, why)


_ALL: tuple[Callable[[Facts], Consequence], ...] = (
    _order, _overlap, _crash, _stranger, tokens_dead, _shared, _blocked, _classic)  # fmt: skip
