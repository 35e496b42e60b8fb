"""`audit export`: the trail as a file, streamed, and who took it stands in the trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import moment
from rotator.adapters.sql.selecting import Selection, before_first, stored
from rotator.adapters.sql.verify import head
from rotator.exports import jsonl, ocsf, table
from rotator.exports.about import About, Link, Row
from rotator.wiring.anchoring import Signer, signer_of
from rotator.wiring.asking import who
from rotator.wiring.connections import Connections
from rotator.wiring.reading import note

TOLD_EVERY = 2_000  # rows

Progress = Callable[[int], None]
Write = Callable[[str], object]


class Format(StrEnum):
    """Of the file."""

    JSONL = "jsonl"
    CSV = "csv"
    OCSF = "ocsf"


@dataclass(slots=True)
class Exported:
    """What was written. `verifiable`: by itself, without the database; `key_id`: of the key that signed it."""

    format: str
    filter: Mapping[str, str]
    head_seq: int
    rows: int = 0
    verifiable: bool = False
    key_id: str = ""


def export(connections: Connections, env: Mapping[str, str], form: Format, chosen: Selection, write: Write,
           progress: Progress | None = None, *, sign: bool = True) -> Exported:
    """Writes the chosen rows in this form, up to the end that the trail has now. Raises what reading and signing raise;
    JSON Lines are signed where a key is configured, unless `sign` is False."""
    signer = signer_of(connections) if sign and form is Format.JSONL else None
    end = Link(*head(connections.database))
    done = Exported(form, chosen.told, end.seq, verifiable=form is Format.JSONL and not chosen.told,
                    key_id=signer.public.id if signer else "")  # fmt: skip
    rows = _counted(stored(connections.database, chosen, end.seq), done, progress)
    for line in _lines(connections, form, chosen, end, rows, signer):
        write(line)
    note(connections, who(env), {"read": "audit export", "format": form.value, "filter": chosen.told, "rows": done.rows,
                                 "head": end.seq})  # fmt: skip
    return done


def _counted(rows: Iterable[Row], done: Exported, progress: Progress | None) -> Iterator[Row]:
    for row in rows:
        done.rows += 1
        if progress is not None and done.rows % TOLD_EVERY == 0:
            progress(done.rows)
        yield row


def _lines(connections: Connections, form: Format, chosen: Selection, end: Link, rows: Iterable[Row],
           signer: Signer | None) -> Iterator[str]:  # fmt: skip
    if form is Format.CSV:
        return table.lines(COLUMNS, rows)
    if form is Format.OCSF:
        return ocsf.lines(rows)
    told = connections.context
    about = About(moment(connections.now()), told.host, told.version, chosen.told,
                  Link(*before_first(connections.database)), end)  # fmt: skip
    return jsonl.lines(about, rows, signer.sign if signer else None, signer.public.id if signer else "")
