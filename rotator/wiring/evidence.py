"""The evidence of one forced rotation: from the trail, with a few questions to the org, signed, as two files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rotator.adapters.signing import PublicKey
from rotator.adapters.sql import verify as chain
from rotator.adapters.sql.database import instant
from rotator.domain.chain import canonical
from rotator.domain.errors import ConfigError, NotFound, Refused, RotatorError, UsageError
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.sight import Kind, Sight
from rotator.evidence import package
from rotator.evidence.clocks import Json, Row
from rotator.evidence.page import page
from rotator.evidence.story import story
from rotator.ports import Salesforce
from rotator.wiring import told
from rotator.wiring.anchoring import public_key, signer_of
from rotator.wiring.connections import Connections
from rotator.wiring.force import USUAL_PAST
from rotator.wiring.reading import note
from rotator.wiring.rotate import way_of_open

ASKED = (Kind.RIGHTS, Kind.LOGINS, Kind.CHANGES, Kind.APPS)
BEFORE = timedelta(hours=1)  # how long before the decision the rows of its approval may stand


def made(connections: Connections, rotation_id: str, who: Who, since: datetime | None) -> Json:
    """The sealed document. What the org is asked anew is bounded by its own time-outs, and never fails it.

    Raises NotFound for an unknown rotation, Refused for one that was not forced, and what reading the trail raises.
    """
    row = forced(connections, rotation_id)
    rows = list(connections.trail.history(rotation_id=rotation_id))
    approvals = _approvals(connections, row)
    now = connections.now()
    document = package.sealed({
        "made_at": told.moment(now), "made_by": who.actor,
        "made_with": {"version": connections.context.version, "host": connections.context.host},
        "rotation": told.rotation(row), "story": story(rows, approvals),
        "asked_anew": asked_anew(connections, row, since, now),
        "chain": package.chain_of(rows, chain.head(connections.database)), "rows": rows, "approvals": approvals,
    })  # fmt: skip
    note(connections, who, {"read": "evidence", "rotation": rotation_id, "rows": len(rows)})
    return json.loads(canonical(document))  # type: ignore[no-any-return] # as a reader of the file has it


def forced(connections: Connections, rotation_id: str) -> Rotation:
    """The rotation. Raises NotFound, and Refused for one that was not forced."""
    row = connections.ledger.rotation(rotation_id)
    if row is None:
        raise NotFound("there is no rotation of this id", code="no_rotation", fix="see `rotator status`")
    if not row.force:
        raise Refused(f"the rotation of {row.app} was not forced", code="not_forced",
                      fix=f"its rows are in `rotator history {row.app}`")
    return row


def _approvals(connections: Connections, row: Rotation) -> list[Row]:
    """The rows of the request that it was approved by."""
    if not row.who.approver or row.started_at is None:
        return []
    near = connections.trail.history(row.app, row.started_at - BEFORE)
    return [one for one in near if one["step"] == "approve" and one["ticket"] == row.who.ticket
            and instant(one["ts"]) <= row.started_at]  # fmt: skip


# --- asked of the org


def asked_anew(connections: Connections, row: Rotation, since: datetime | None, now: datetime) -> Json:
    """What the responder sees of the org now, each with what could not be seen. Raises nothing."""
    start = since or row.started_at or now - USUAL_PAST
    try:
        salesforce = way_of_open(connections, row).ports.salesforce
    except RotatorError as error:
        salesforce, words = None, error.message
    with ThreadPoolExecutor(len(ASKED) + 1, thread_name_prefix="evidence") as pool:
        if salesforce is not None:
            looks = {kind.value: pool.submit(look_at, salesforce, row, kind, start) for kind in ASKED}
            looks["staged"] = pool.submit(staged, salesforce, row)
            sights = {name: look.result() for name, look in looks.items()}
        else:
            names = [*(kind.value for kind in ASKED), "staged"]
            sights = {name: _blind(words) for name in names}
    begins = {"logins": start, "changes": start}
    return {"at": told.moment(now), "since": told.moment(start),
            "sights": {name: {**sight, "since": told.moment(begins.get(name))} for name, sight in sights.items()}}


def look_at(salesforce: Salesforce, row: Rotation, kind: Kind, since: datetime) -> Json:
    """One kind of evidence as it is now; what could not be seen is said."""
    try:
        return as_json(salesforce.sight(row.consumer, row.run_as, kind, since))
    except RotatorError as error:
        return _blind(error.message)


def staged(salesforce: Salesforce, row: Rotation) -> Json:
    """The primary and the staged pair as they are now, each told as ours, old, or another's."""
    try:
        pairs = [("primary", salesforce.primary(row.consumer).key), *(
            (f"staged, {entry.state}", entry.pair.key) for entry in salesforce.slot(row.consumer))]
    except RotatorError as error:
        return _blind(error.message)
    rows = [{"place": place, "key_fp": fingerprint(key), "is": whose(row, key)} for place, key in pairs]
    return {"seen": True, "complete": True, "notes": [], "rows": rows, "total": len(rows), "counts": {}}


def whose(row: Rotation, key: str) -> str:
    """The new pair of this rotation, an old one, or another."""
    return "new" if key == row.new_key else "old" if key in row.old_keys else "another"


def as_json(sight: Sight) -> Json:
    """A sight as a section."""
    return {"seen": True, **{name: value for name, value in asdict(sight).items() if name != "kind"}}


def _blind(words: str) -> Json:
    return {"seen": False, "complete": False, "notes": [f"could not be asked: {words}"], "rows": [], "total": None,
            "counts": {}}  # fmt: skip


# --- the files


def written(connections: Connections, document: Json, out: Path | None) -> Json:
    """Signs the document and writes it and its page; gives the answer of the command.

    `out`: where the JSON goes; the page stands beside it. Raises ConfigError where a file cannot be written, and what
    the signer raises.
    """
    place = out or Path(f"evidence-{document['rotation']['rotation_id']}.json")
    beside = place.with_suffix(".html")
    if beside == place:
        raise UsageError("--out names the JSON file; the page stands beside it as .html", fix="--out incident.json")
    signer = signer_of(connections)
    whole = {**document, "signed_by": signer.public.id if signer else None}
    drawn = page(whole).encode()
    whole = {**whole, "page": {"file": beside.name, "sha256": hashlib.sha256(drawn).hexdigest()}}
    value = signer.sign(package.signed_part(whole)) if signer else None
    signature = {"algorithm": "Ed25519", "key_id": signer.public.id if signer else None, "value": value}
    _write(place, (json.dumps({**whole, "signature": signature}, indent=1, ensure_ascii=False) + "\n").encode())
    _write(beside, drawn)
    return {"ok": True, "exit": 0, "file": str(place), "page": str(beside), "signed_by": whole["signed_by"]}


def _write(place: Path, content: bytes) -> None:
    try:
        place.write_bytes(content)
        place.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror}", fix="name a place that can be written with --out") from None


def verified(file: Path, key: PublicKey) -> Json:
    """What is wrong with a package, offline; its page is looked at where it stands beside it. Raises ConfigError for a
    file that cannot be read, Unintelligible for something else."""
    document = package.read_package(_read(file).decode("utf-8", "replace"))
    beside = file.with_suffix(".html")
    found = package.wrong(document, key, _read(beside) if beside.exists() else None)
    return {"ok": not found, "exit": 1 if found else 0, "file": str(file), "key_id": key.id, "wrong": found,
            "page": str(beside) if beside.exists() else None, "rotation_id": _id_of(document)}  # fmt: skip


def _id_of(document: Mapping[str, Any]) -> object:
    rotation = document.get("rotation")
    return rotation.get("rotation_id") if isinstance(rotation, Mapping) else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", fix="name a file that can be read here") from None


def key_from(file: Path) -> PublicKey:
    """The public key of this file. Raises ConfigError."""
    return PublicKey.from_pem(_read(file))


def own_key(connections: Connections) -> PublicKey:
    """The configured key's public half. Raises ConfigError where none is configured."""
    found = public_key(connections, None)
    if found is None:
        raise ConfigError("no key is configured, and none was named", fix="--public-key audit.pub.pem",
                          where="audit.signing_key_file")  # fmt: skip
    return found


