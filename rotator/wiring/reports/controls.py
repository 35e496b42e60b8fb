"""Controls of SOC 2, ISO 27001 and PCI DSS, each with the evidence that the trail holds for it now.

A verdict is about this evidence alone: `shown` where rows say so, `not shown` where they speak against it, `nothing
yet` where nothing of the kind happened. No control is met by one tool; the rest is the auditor's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from rotator.domain.words import Claim
from rotator.reports.report import Report, words
from rotator.wiring.reports.ask import Ask
from rotator.wiring.reports.facts import Facts, gathered

SHOWN, AGAINST, NOTHING = "shown", "not shown", "nothing yet"
YEAR = timedelta(days=365)
Said = tuple[str, str]  # verdict, evidence in words


@dataclass(frozen=True, slots=True)
class Control:
    """A control, what it asks, and the query that answers."""

    id: str
    asks: str
    look: Callable[[Facts], Said]


def _judged(good: bool, told: str, *, any_: bool = True) -> Said:
    return (SHOWN if good else AGAINST) if any_ else NOTHING, told


def secrets_in_policy(facts: Facts) -> Said:
    within = sum(one.verdict == "within" for one in facts.ages)
    return _judged(within == len(facts.ages), f"{within} of {len(facts.ages)} apps have a secret within its max_age",
                   any_=bool(facts.ages))  # fmt: skip


def old_refused(facts: Facts) -> Said:
    proven = sum(one.claims.get("refused") is Claim.PROVEN for one in facts.done)
    return _judged(proven == len(facts.done), f"{proven} of {len(facts.done)} completed rotations prove that the old"
                   " pair is refused", any_=bool(facts.done))  # fmt: skip


def sessions_ended(facts: Facts) -> Said:
    asked = [one for one in facts.done if one.policy.sessions]
    proven = sum(one.claims.get("tokens") is Claim.PROVEN for one in asked)
    return _judged(proven == len(asked), f"{proven} of {len(asked)} completed rotations that end sessions prove that"
                   " the tokens are dead", any_=bool(asked))  # fmt: skip


def watched(facts: Facts) -> Said:
    swept = [at for at in facts.swept.values() if at]
    late = sum(one.standing.overdue for one in facts.ages)
    told = f"{len(swept)} of {len(facts.swept)} orgs were swept, last {words(max(swept, default=None))}"
    more = f"{facts.rows('drift')} rows of drift; {late} apps are overdue"
    return _judged(late == 0, f"{told}; {more}", any_=bool(swept))


def events_decided(facts: Facts) -> Said:
    solved = sum(one.end is not None for one in facts.holds)
    return _judged(solved == len(facts.holds), f"{solved} of {len(facts.holds)} holds were ended by a decision",
                   any_=bool(facts.holds))  # fmt: skip


def responded(facts: Facts) -> Said:
    ticketed = sum(bool(one.who.ticket and one.who.reason) for one in facts.forced)
    times = [one.refused_at - one.started_at for one in facts.forced if one.refused_at and one.started_at]
    slowest = f"; the slowest refusal of an old pair took {words(max(max(times), timedelta(0)))}" if times else ""
    return _judged(ticketed == len(facts.forced), f"{ticketed} of {len(facts.forced)} forced rotations name a ticket"
                   f" and a reason{slowest}", any_=bool(facts.forced))  # fmt: skip


def recovered(facts: Facts) -> Said:
    ended = sum(one.ended for one in facts.forced)
    return _judged(ended == len(facts.forced), f"{ended} of {len(facts.forced)} forced rotations have ended;"
                   f" {facts.rows('lease')} rotations were taken over from a worker that died",
                   any_=bool(facts.forced or facts.rows("lease")))  # fmt: skip


def planned(facts: Facts) -> Said:
    config = facts.ask.connections.config
    routes, anchors = len(config.notify), len(config.audit.anchors)
    return _judged(routes > 0 and anchors > 0, f"{routes} channels are told of incidents, {anchors} places keep"
                   " anchors")  # fmt: skip


def reviewed(facts: Facts) -> Said:
    glass = sum(one.who.break_glass for one in facts.forced)
    return _judged(facts.unreviewed == 0, f"{glass - facts.unreviewed} of {glass} break-glass forces were reviewed",
                   any_=bool(glass))  # fmt: skip


def evidence_collected(facts: Facts) -> Said:
    rows = facts.rows("force", phase="observe")
    return _judged(rows > 0, f"{rows} rows of evidence were kept before and in {len(facts.forced)} forced rotations",
                   any_=bool(facts.forced))  # fmt: skip


def chain_whole(facts: Facts) -> Said:
    chain = facts.chain
    if not chain.ok:
        return AGAINST, f"the chain is broken at row {chain.first_bad_seq}: {chain.reason}"
    anchored = f"anchored to row {chain.anchored_to_seq}" if chain.anchored_to_seq else "no row is anchored"
    return SHOWN, f"the chain of {chain.rows} rows was verified now; {anchored}"


def protected(facts: Facts) -> Said:
    gone = ", ".join(facts.unprotected)
    return _judged(not gone, f"triggers are missing: {gone}" if gone else "every append-only trigger is in place")


def logged(facts: Facts) -> Said:
    newest = facts.newest()
    return _judged(True, f"{facts.rows()} rows, the newest {words(newest)}", any_=newest is not None)


def access_logged(facts: Facts) -> Said:
    return _judged(True, f"{facts.rows('read')} readings of the trail stand in the trail", any_=facts.rows("read") > 0)


def complete_rows(facts: Facts) -> Said:
    return _judged(facts.incomplete == 0, f"{facts.incomplete} rows lack who, what, when or the result")


def backed_up(facts: Facts) -> Said:
    kept, lost = facts.rows("anchor", outcome="ok"), facts.rows("anchor", outcome="failed")
    return _judged(lost == 0, f"{kept} anchors were kept outside the database, {lost} by no place; the newest"
                   f" {words(facts.newest('anchor', outcome='ok'))}", any_=kept + lost > 0)  # fmt: skip


def retained(facts: Facts) -> Said:
    keeps = facts.ask.connections.config.audit.retention
    return _judged(keeps >= YEAR, f"retention is {words(keeps)}; the oldest row is of {words(facts.oldest)}")


def failures_seen(facts: Facts) -> Said:
    held, failed = facts.rows("anchor", outcome="held"), facts.rows("anchor", outcome="failed")
    return _judged(held == 0, f"{failed} anchors failed, {held} times the database was older than its last anchor")


CONTROLS = (
    Control("SOC 2 CC6.1", "Credentials are protected and renewed", secrets_in_policy),
    Control("SOC 2 CC6.2, CC6.3", "Access that is no longer wanted is taken away", old_refused),
    Control("SOC 2 CC6.3", "Sessions of a replaced credential end", sessions_ended),
    Control("SOC 2 CC7.2", "Anomalies are looked for", watched),
    Control("SOC 2 CC7.3", "Security events are evaluated", events_decided),
    Control("SOC 2 CC7.4", "Incidents are answered", responded),
    Control("SOC 2 CC7.5", "Recovery from incidents", recovered),
    Control("ISO 27001 A.5.17", "Authentication information is managed", secrets_in_policy),
    Control("ISO 27001 A.5.24", "Incident management is prepared", planned),
    Control("ISO 27001 A.5.25", "Events are assessed and decided on", events_decided),
    Control("ISO 27001 A.5.26", "Incidents are responded to", responded),
    Control("ISO 27001 A.5.27", "Incidents are learned from", reviewed),
    Control("ISO 27001 A.5.28", "Evidence is collected", evidence_collected),
    Control("ISO 27001 A.8.15", "Activities are logged, and the log is protected", chain_whole),
    Control("PCI DSS 10.2.1", "Audit logs are active", logged),
    Control("PCI DSS 10.2.1.3", "Access to audit logs is logged", access_logged),
    Control("PCI DSS 10.2.2", "Entries tell who, what, when, result", complete_rows),
    Control("PCI DSS 10.3.2", "Logs cannot be changed", protected),
    Control("PCI DSS 10.3.3", "Logs are backed up elsewhere", backed_up),
    Control("PCI DSS 10.3.4", "Changes of logs are detected", chain_whole),
    Control("PCI DSS 10.5.1", "Logs are kept for 12 months", retained),
    Control("PCI DSS 10.7", "Failures of logging are detected", failures_seen),
)


def controls(ask: Ask, progress: Callable[[int], None] | None = None) -> Report:
    """Every control with its evidence of this moment."""
    facts = gathered(ask, progress)
    said = [(one, *one.look(facts)) for one in CONTROLS]
    rows = tuple({"control": one.id, "asks": one.asks, "verdict": verdict, "evidence": told}
                 for one, verdict, told in said)  # fmt: skip
    columns = {"control": "Control", "asks": "Asks", "verdict": "Here", "evidence": "Evidence, of now"}
    figures = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in (SHOWN, AGAINST, NOTHING)}
    return Report("controls", "Controls, and what the trail shows for each", "Each line is a query over the trail, the"
                  " rotations and the configuration, made now. No control is met by one tool alone.", ask.at, columns,
                  rows, figures, ask.org, ask.since)  # fmt: skip
