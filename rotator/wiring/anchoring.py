"""Anchors of the audit trail: made, sent to where the configuration says, and looked at when a process begins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from rotator import log
from rotator.adapters.anchors import Folder, Sink, read_file, sink_of
from rotator.adapters.signing import FileSigner, PublicKey
from rotator.adapters.sql.database import moment
from rotator.adapters.sql.verify import hash_at
from rotator.adapters.tls import tls_context
from rotator.adapters.vault import VaultClient, transit_public, transit_sign
from rotator.config import read_secret_file
from rotator.domain.anchor import Anchor
from rotator.domain.errors import ConfigError, RotatorError, Unavailable, Unintelligible
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase
from rotator.wiring.connections import Connections
from rotator.wiring.settings import file_or_none

LOG = log.get("anchor")
T = TypeVar("T")
EVERY = timedelta(hours=1)
OLDER = "database_older"  # the reason of a hold


class Signer(Protocol):
    """What signs."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, data: bytes) -> str: ...


@dataclass(frozen=True, slots=True)
class TransitSigner:
    """Vault's transit engine signs."""

    client: VaultClient
    key: str
    public: PublicKey

    def sign(self, data: bytes) -> str:
        return transit_sign(self.client, self.key, data)


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor, and what became of it: the name of each place, with the error where it did not take it."""

    anchor: Anchor
    kept: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether any place has it."""
        return not all(self.kept.values())


def signer_of(connections: Connections) -> Signer | None:
    """The key of the configuration; None where it names none. Raises ConfigError and what Vault raises."""
    told, places = connections.config.audit, connections.loaded.places
    if told.signing_key_file:
        return FileSigner(read_secret_file(told.signing_key_file, places))
    if not told.transit_key:
        return None
    public = PublicKey.from_raw(transit_public(connections.vault, told.transit_key))
    return TransitSigner(connections.vault, told.transit_key, public)


def sinks_of(connections: Connections) -> list[Sink]:
    """The places of the configuration."""
    tls = tls_context(file_or_none(connections.config.vault.ca_file, connections.loaded.places))
    return [sink_of(written, tls) for written in connections.config.audit.anchors]


def anchor(connections: Connections, who: Who, why: str) -> Anchored:
    """Signs the end of the trail and sends it to every place, with a row before and a row after it.

    Raises ConfigError for a wrong key, Unavailable where Vault does not sign or the database takes no row. A place that
    fails is told in the result, in the log and in the trail.
    """
    signer, sinks = signer_of(connections), sinks_of(connections)
    begun = Event("anchor", Phase.INTENT, evidence={"why": why, "places": [sink.name for sink in sinks]})
    seq = connections.trail.record(begun, who)
    made = Anchor(seq, hash_at(connections.database, seq), moment(connections.now()), why, connections.context.host,
                  connections.context.version, signer.public.id if signer else "")  # fmt: skip
    made = made.signed(signer.sign(made.body)) if signer else made
    done = Anchored(made, {sink.name: _put(sink, made) for sink in sinks})
    evidence = {"anchor": made.id, "seq": made.seq, "key_id": made.key_id, "kept": done.kept}
    outcome = Outcome.OK if done.ok else Outcome.FAILED
    connections.trail.record(Event("anchor", Phase.OUTCOME, outcome, evidence=evidence), who)
    return done


def _put(sink: Sink, made: Anchor) -> str:
    try:
        sink.put(made)
    except RotatorError as error:
        LOG.warning(log.Word.ANCHOR_FAILED, error=error)
        return error.message
    return ""


def anchor_if_due(connections: Connections, who: Who) -> Anchored | None:
    """The hourly one, by whoever looks first; None where the last one is younger, or no place is configured."""
    if not connections.config.audit.anchors:
        return None
    last = connections.trail.last("anchor")
    if last is not None and connections.now() - last < EVERY:
        return None
    return anchor(connections, who, "hourly")


def anchor_at_force(connections: Connections, row: Rotation) -> None:
    """Where a forced rotation has ended; nothing for a routine one. Never fails: what was done is done."""
    with suppress(RotatorError):
        if row.force and connections.config.audit.anchors:
            anchor(connections, row.who, "force")


def anchor_beside(connections: Connections, row: Rotation) -> None:
    """The same where a force opens, in a thread of its own: no second is lost to a place that does not answer. It
    outlives the command by that place's time at most."""
    if row.force:
        threading.Thread(target=anchor_at_force, args=(connections, row), name="anchor").start()


def hold_if_older(connections: Connections, who: Who) -> Anchor | None:
    """Compares the trail with the last anchor that can be read here. Where the database is older, or another one, every
    open rotation is held until `release`; gives that anchor, once. It may have been restored from a backup, or
    replaced: what it says of the world is not believed (protocol section 4)."""
    last = last_anchor(connections)
    if last is None or hash_at(connections.database, last.seq) == last.hash:
        return None
    event_id = f"older-{last.id}"
    if connections.trail.known(event_id):
        return None
    words = f"the database is older than its last anchor (row {last.seq} of {last.at}), or another one"
    for row in connections.ledger.rotations():
        fix = f"compare Setup and Vault with `rotator status {row.app}`, then `rotator release {row.app}`"
        connections.ledger.hold(row.id, who, code=OLDER, message=words, fix=fix)
    evidence = {"anchor": last.id, "seq": last.seq, "at": last.at}
    connections.trail.record(
        Event("anchor", Phase.OBSERVE, Outcome.HELD, error=words, evidence=evidence, id=event_id), who
    )
    LOG.error(log.Word.DATABASE_OLDER, message=words)
    return last


def last_anchor(connections: Connections) -> Anchor | None:
    """The newest anchor in the folders of the configuration whose signature is ours; None where there is none."""
    folders = [folder for folder in _folders(connections) if folder.files()]
    public = None
    with suppress(ConfigError, Unavailable):
        public = public_key(connections, None) if folders else None

    def ours(one: Anchor) -> bool:
        return public is None or public.made(one.signature, one.body)

    newest = (next(filter(ours, folder.newest_first()), None) for folder in folders)
    return max((one for one in newest if one is not None), key=lambda one: one.at, default=None)


def known_anchors(connections: Connections, files: Sequence[Path], public: PublicKey | None) -> list[Anchor]:
    """All anchors for a verification: of these files, else of the folders of the configuration. With a public key each
    must be signed by it. Raises Unintelligible for a damaged or forged one, ConfigError for a file that is absent."""
    chosen = list(files) or [file for folder in _folders(connections) for file in folder.files()]
    return [anchor for file in chosen for anchor in _checked(_read(file), file, public)]


def public_key(connections: Connections, file: Path | None) -> PublicKey | None:
    """The key of this file, else the public half of the configured one, else None: then no signature is looked at."""
    if file is not None:
        return _readable(file, lambda: PublicKey.from_pem(file.read_bytes()))
    signer = signer_of(connections)
    return signer.public if signer else None


def _folders(connections: Connections) -> Iterable[Folder]:
    written = connections.config.audit.anchors
    return [Folder(Path(one.removeprefix("file:"))) for one in written if one.startswith("file:")]


def _read(file: Path) -> list[Anchor]:
    return _readable(file, partial(read_file, file))


def _checked(anchors: Iterable[Anchor], file: Path, public: PublicKey | None) -> Iterable[Anchor]:
    for one in anchors:
        if public is not None and not public.made(one.signature, one.body):
            raise Unintelligible(f"{file}: the anchor of row {one.seq} is not signed by key {public.id}", code="anchor",
                                 fix="keep the file, and find out who wrote that line")  # fmt: skip
        yield one


def _readable(file: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", fix="name a file that can be read here") from None
