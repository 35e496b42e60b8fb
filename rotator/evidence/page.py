"""The document as one page that a person reads and prints: no script, nothing loaded, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from rotator.evidence.clocks import Json
from rotator.evidence.drawing import lasting, timeline

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { --ink: #1d2430; --dim: #5c6675; --line: #d6dbe3; --good: #14764a; --bad: #b3261e; --wait: #9a6700;
--bar: #2f6db5 }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto; max-width: 62rem; padding: 2rem
1.5rem }
h1 { font-size: 1.6rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; border-bottom: 2px solid var(--ink); padding-bottom: .2rem }
h3 { font-size: .95rem; margin: 1.2rem 0 .3rem }
p { margin: .4rem 0 }
.dim { color: var(--dim) }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; font-size: .87rem }
th, td { text-align: left; vertical-align: top; padding: .28rem .6rem .28rem 0; border-bottom: 1px solid
var(--line); overflow-wrap: anywhere }
th { color: var(--dim); font-weight: 600 }
.verdict { padding: .8rem 1rem; border-left: 6px solid; margin: 1rem 0; font-weight: 600 }
.proven { color: var(--good) }
.failed { color: var(--bad) }
.unknown, .not_asked { color: var(--wait) }
.claims { display: flex; gap: .8rem; flex-wrap: wrap }
.claims div { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem; flex: 1 }
.claims b { display: block; font-size: 1.05rem }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink) }
svg text.tick { fill: var(--dim); font-size: 11px }
line.tick { stroke: var(--line) }
rect.machine { fill: var(--bar); opacity: .3 }
circle.machine { fill: var(--bar) }
rect.human { fill: var(--wait); opacity: .35 }
circle.human { fill: var(--wait) }
.note { color: var(--wait) }
@media print { body { padding: 0; max-width: none; font-size: 11px } h2 { break-after: avoid } tr, svg {
break-inside: avoid } thead { display: table-header-group } }
"""
SILENT = (None, "", "N/A", "Unknown")
FIRST = ("LoginTime", "CreatedDate", "created", "SourceIp", "Status", "DeveloperName", "Username", "place", "lever")
CLAIMS = {"refused": "old pair refused", "tokens": "its tokens dead", "vault": "nothing left in Vault",
          "slot": "staged slot empty"}  # fmt: skip


def page(document: Json) -> str:
    """The page of this document."""
    told, rotation = document["story"], document["rotation"]
    title = f"Evidence: {rotation['app']}, {told['order']['ticket'] or 'no ticket'}"
    parts = (_head(document, title), _claims(told["claims"]), _times(told), _order(told), _radius(document),
             _changes(document), _addenda(told["addenda"]), _proof(told), _people(told), _rows(document["rows"]),
             _seal(document))  # fmt: skip
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_t(title)}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n")  # fmt: skip


def _t(value: object) -> str:
    """A value as text of the page."""
    if value is None or value == "":
        return "-"
    if isinstance(value, Mapping):
        return escape(", ".join(f"{name} {one}" for name, one in value.items()) or "-")
    if isinstance(value, list | tuple):
        return escape(", ".join(map(str, value)) or "-")
    return escape(str(value))


def _at(value: object) -> str:
    """A time of the trail, to the millisecond."""
    return _t(str(value).replace("T", " ")[:23] + "Z") if value else "-"


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return '<p class="dim">none</p>'
    return f"<table><thead><tr>{''.join(f'<th>{one}</th>' for one in heads)}</tr></thead><tbody>{body}</tbody></table>"


def _notes(notes: Iterable[object]) -> str:
    return "".join(f'<p class="note">{_t(note)}</p>' for note in dict.fromkeys(map(str, notes)))


def _head(document: Json, title: str) -> str:
    rotation = document["rotation"]
    proven = rotation["state"] == "done"
    words = ("Contained, and proven" if proven else
             f"Not proven: {rotation['state']}. {rotation['message'] or ''} {rotation['fix'] or ''}")  # fmt: skip
    return (f'<h1>{_t(title)}</h1><p class="dim">rotation <code>{_t(rotation["rotation_id"])}</code>, org'
            f" {_t(rotation['org'])}, Vault path <code>{_t(rotation['vault_path'])}</code>; made"
            f" {_at(document['made_at'])} by {_t(document['made_by'])}; all times are UTC</p>"
            f'<div class="verdict {"proven" if proven else "failed"}">{_t(words)}</div>')  # fmt: skip


def _claims(claims: Mapping[str, Any]) -> str:
    boxes = (f'<div><span class="dim">{words}</span><b class="{_t(claims.get(name, "unknown"))}">'
             f"{_t(claims.get(name, 'unknown')).replace('_', ' ')}</b></div>"
             for name, words in CLAIMS.items())  # fmt: skip
    return f'<section class="claims">{"".join(boxes)}</section>'


def _times(told: Json) -> str:
    rows = ((_t(one["name"].replace("_", " ")), _t(one["words"]), _at(one["at"]), lasting(one["seconds"]),
             f"row {one['seq']}") for one in told["clocks"])  # fmt: skip
    left = f'<p class="note">not reached: {_t(told["not_reached"])}</p>' if told["not_reached"] else ""
    return (f'<h2>Timeline</h2><figure style="margin:0">{timeline(told["clocks"], told["human"])}</figure>{left}'
            + _table(("clock", "means", "at", "after the decision", "trail"), rows))


def _order(told: Json) -> str:
    order, human = told["order"], told["human"]
    words = {
        "asked by": order["actor"], "from": order["origin"], "why": order["reason"], "ticket": order["ticket"],
        "approved by": order["approver"], "break-glass": "yes, by one alone" if order["break_glass"] else "no",
        "reviewed by": order["reviewed_by"], "review": order["review"],
        "people took": f"{lasting(human['approval_s'])} to approve; held {len(human['held'])} times",
    }  # fmt: skip
    return "<h2>The decision</h2>" + _table(("", ""), ((_t(name), _t(value)) for name, value in words.items()))


def _sight(name: str, words: str, found: Json) -> str:
    """One kind of evidence: how much, where from, the newest rows, and what could not be seen."""
    counts = f"; {_t(found['counts'])}" if found.get("counts") else ""
    whole = "" if found["complete"] else " (not all could be seen)"
    since = f" since {_at(found.get('since'))}" if found.get("since") else ""
    late = "; it came late" if found.get("late") else ""
    total = found["total"] if found["complete"] or found["rows"] else "Unknown how many"
    head = f"<h3>{name}</h3><p>{_t(total)} {words}{since}{whole}{counts}{late}</p>" + _notes(found["notes"])
    columns = _telling(found["rows"])
    cells = ([_t(row.get(column)) for column in columns] for row in found["rows"])
    return head + (_table([_t(column) for column in columns], cells) if columns else "")


def _telling(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which any row says something, those first that matter most; the JSON has all."""
    said = dict.fromkeys(name for row in rows for name, value in row.items() if value not in SILENT and name != "Id")
    return sorted(said, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _radius(document: Json) -> str:
    told, anew = document["story"]["blast_radius"], document["asked_anew"]
    vault = told["vault"]
    ended = (([_at(one["at"]), _t(one["ended"]), _t(len(one["named"])), _t(one["spared"]), _t(one["refused"])])
             for one in told["ended"])  # fmt: skip
    return "".join([
        "<h2>Blast radius</h2>", f"<p>The pair logs in as user <code>{_t(told['run_as'])}</code>.</p>",
        _anew("Rights of that user", "rows", anew, "rights"),
        _sight("Logins of the app, before the first change", "logins", told["logins"]),
        _anew("Logins since the decision", "logins", anew, "logins"),
        _sight("Tokens", "listed", told["tokens"]), _sight("Sessions", "listed", told["sessions"]),
        "<h3>Ended</h3>", _table(("at", "ended, by lever", "named before", "spared", "refused"), ended),
        f"<h3>Vault</h3><p>Version {_t(vault['old_version'])} of <code>{_t(vault['path'])}</code> held the old pair,"
        f" version {_t(vault['published_version'])} the new one; destroyed: {_t(vault['destroyed'])}.</p>",
        _notes([f"Who could read it: {vault['readers']}"]),
    ])  # fmt: skip


def _anew(name: str, words: str, anew: Json, kind: str) -> str:
    """What was asked of the org when the package was made, with that time."""
    return _sight(f"{name} (asked of the org at {_at(anew['at'])})", words, anew["sights"][kind])


def _changes(document: Json) -> str:
    return "".join([
        "<h2>What changed in the org</h2>",
        _sight("Setup, before the first change", "entries", document["story"]["changes"]),
        _anew("Setup, since the decision", "entries", document["asked_anew"], "changes"),
        _anew("Apps and their policies", "rows", document["asked_anew"], "apps"),
        _anew("Staged pairs of the app", "pairs", document["asked_anew"], "staged"),
    ])  # fmt: skip


def _addenda(addenda: Sequence[Json]) -> str:
    words = "<h2>Looked at again</h2>"
    if not addenda:
        return words + '<p class="dim">not yet: it is looked at after 24 and 48 hours</p>'
    rows = ((f"{one['addendum']} h", _at(one["at"]), _t(one["verdict"]), _t(one["old_pair"]), _t(one["logins"]),
             _t(one["changes"]), _t(one["notes"])) for one in addenda)  # fmt: skip
    return words + _table(("after", "at", "", "old pair", "logins", "changes", "could not be seen"), rows)


def _proof(told: Json) -> str:
    rows = ((_at(one["at"]), _t(one["step"]), _t(one["outcome"]), _t(one["claim"]), _t(one["asked"]),
             _t(one["words"])) for one in told["probes"])  # fmt: skip
    return "<h2>Probes</h2>" + _table(("at", "step", "answer", "claim", "old pairs asked", "words"), rows)


def _people(told: Json) -> str:
    rows = ((_t(one["actor"]), _t(one["origin"]), _t(one["host"]), _t(one["rows"]), _t(one["steps"]))
            for one in told["actors"])  # fmt: skip
    return "<h2>Who did something</h2>" + _table(("actor", "from", "host", "rows", "steps"), rows)


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = ((_t(row["seq"]), _at(row["ts"]), _t(row["step"]), _t(row["phase"]), _t(row["outcome"]), _t(row["error"]),
              f"<code>{_t(row['hash'][:12])}</code>") for row in rows)  # fmt: skip
    return "<h2>The trail</h2>" + _table(("row", "at", "step", "phase", "outcome", "words", "hash"), cells)


def _seal(document: Json) -> str:
    return "<h2>Seal</h2>" + "".join(_lines(document)) + _table(
        ("section", "SHA-256"), ((_t(name), f"<code>{sum_}</code>") for name, sum_ in document["checksums"].items()))


def _lines(document: Json) -> Iterator[str]:
    chain = document["chain"]
    yield (f"<p>Rows {chain['first_seq']} to {chain['last_seq']} of a trail whose head was row {chain['head_seq']},"
           f" <code>{_t(chain['head_hash'])}</code>.</p>")  # fmt: skip
    key = document["signed_by"]
    words = f"The document is signed by key <code>{_t(key)}</code>" if key else "The document is NOT SIGNED: no key"
    yield (f"<p>{words}. Check it offline: <code>rotator evidence verify evidence-"
           f"{_t(document['rotation']['rotation_id'])}.json --public-key audit.pub.pem</code></p>")  # fmt: skip
