"""What the rows of a forced rotation tell, section by section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotator.evidence.clocks import Json, Row, clocks, human, missing, sets

ANSWERS = {"asked", "claim", "missing"}  # rows of the proof that only wait have none of them
SEEN = ("sessions", "logins", "tokens", "changes")  # what is looked up before the first change


def story(rows: Sequence[Row], approvals: Sequence[Row]) -> Json:
    """Every section that can be made of the trail. `rows`: of the rotation, ascending; `approvals`: the rows of the
    request that it was approved by."""
    seen = {kind: sight(rows, kind) for kind in SEEN}
    return {
        "clocks": clocks(rows),
        "not_reached": missing(rows),
        "human": human(rows, approvals),
        "order": order(rows, approvals),
        "blast_radius": {
            "run_as": _last(rows, "run_as"),
            **{kind: seen[kind] for kind in ("logins", "tokens", "sessions")},
            "ended": ended(rows),
            "vault": vault(rows),
        },
        "changes": seen["changes"],
        "probes": probes(rows),
        "claims": claims(rows),
        "actors": actors([*approvals, *rows]),
        "addenda": addenda(rows),
    }


def order(rows: Sequence[Row], approvals: Sequence[Row]) -> Json:
    """Who asked for it, why, and who else spoke for it."""
    first = next((row for row in rows if row["step"] == "force" and row["phase"] == "decision"), rows[0])
    reviews = [row for row in rows if row["step"] == "review" and row["outcome"] == "ok"]
    request = next((row["evidence"].get("request") for row in approvals), None)
    told = {name: first[name] for name in ("actor", "origin", "reason", "ticket", "approver", "break_glass")}
    return {**told, "request": request, "reviewed_by": reviews[0]["actor"] if reviews else None,
            "review": reviews[0]["reason"] if reviews else None}  # fmt: skip


def sight(rows: Iterable[Row], kind: str) -> Json:
    """One kind of evidence as it was gathered: its parts put together; what is late or unseen is said."""
    parts = [row for row in rows if row["step"] == "force" and row["evidence"].get("evidence") == kind]
    if not parts:
        return {"seen": False, "complete": False, "notes": ["it was not looked up"], "rows": [], "total": None}
    found: Json = {"seen": False, "complete": False, "notes": [], "rows": [], "total": None, "counts": {},
                   "at": parts[-1]["ts"], "since": parts[0]["evidence"].get("since"), "late": False}  # fmt: skip
    for row in parts:
        told = row["evidence"]
        found["rows"] += told.get("rows", [])
        found["notes"] += told.get("notes", [])
        found["late"] = found["late"] or bool(told.get("late"))
        if "total" in told:
            found |= {"seen": True, "total": told["total"], "complete": told["complete"], "counts": told["counts"]}
    return found


def ended(rows: Iterable[Row]) -> list[Json]:
    """Each round that ended sessions and tokens: what was named before, how many each lever ended, what was spared."""
    rounds: list[Json] = []
    names: list[str] = []
    for row in rows:
        if row["step"] != "revoke":
            continue
        told = row["evidence"]
        names += told.get("to_end", [])
        if row["phase"] == "intent":
            rounds.append({"at": row["ts"], "seq": row["seq"], "until": told.get("until"), "named": names,
                           "spared": told.get("spared", []), "ended": {}, "refused": {}})  # fmt: skip
            names = []
        elif row["phase"] == "outcome" and rounds:
            rounds[-1] |= {"ended": told.get("ended", {}), "refused": told.get("refused", {})}
    return rounds


def vault(rows: Sequence[Row]) -> Json:
    """Versions of the live path. Who could read it stands in policies that the rotator does not see."""
    opening = next((sets(row) for row in rows if "old_version" in sets(row)), {})
    destroyed = [number for row in rows if row["step"] == "destroy" and row["phase"] == "intent"
                 for number in row["evidence"].get("versions", [])]  # fmt: skip
    return {
        "path": next((row["vault_path"] for row in rows if row["vault_path"]), None),
        "old_version": opening.get("old_version"),
        "published_version": _last(rows, "published_version"),
        "destroyed": sorted(set(destroyed)),
        "readers": "unknown: Vault tells the rotator neither the policies of others nor who has read; see Vault's audit"
        " log for reads of this path",
    }


def probes(rows: Iterable[Row]) -> list[Json]:
    """Each answer to the old pair, and each finding about its token: what the claims rest on."""
    return [
        {"at": row["ts"], "seq": row["seq"], "step": row["step"], "outcome": row["outcome"],
         "asked": row["evidence"].get("asked", []), "host": row["evidence"].get("host"),
         "not_asked": row["evidence"].get("in_neither_place", []),
         "claim": row["evidence"].get("claim"), "words": row["error"] or row["evidence"].get("missing")}
        for row in rows if row["step"] in ("refused", "prove") and row["evidence"].keys() & ANSWERS
    ]  # fmt: skip


def claims(rows: Iterable[Row]) -> Mapping[str, Any]:
    """The claims as the last row that told them left them."""
    found: Mapping[str, Any] = {}
    for row in rows:
        found = sets(row).get("claims") or found
    return found


def actors(rows: Iterable[Row]) -> list[Json]:
    """Who did something, from where, in which steps."""
    found: dict[tuple[str, str, str], Json] = {}
    for row in rows:
        key = (row["actor"], row["origin"] or "", row["host"])
        one = found.setdefault(key, {"actor": key[0], "origin": key[1] or None, "host": key[2], "rows": 0, "steps": []})
        one["rows"] += 1
        one["steps"] += [row["step"]] if row["step"] not in one["steps"] else []
    return list(found.values())


def addenda(rows: Iterable[Row]) -> list[Json]:
    """What the sweeps of the following days saw."""
    return [{"at": row["ts"], "seq": row["seq"], **row["evidence"]} for row in rows
            if row["step"] == "force" and "addendum" in row["evidence"]]  # fmt: skip


def _last(rows: Sequence[Row], name: str) -> Any:
    return next((sets(row)[name] for row in reversed(rows) if sets(row).get(name)), None)
