"""The documented script verifies a JSON Lines export with Node, knowing nothing of rotator."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.adapters.signing import FileSigner
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.selecting import Selection
from rotator.domain.chain import canonical, row_hash
from rotator.domain.secret import Secret
from tests.audit.files import exported
from tests.contract.ledger_ports import WHO, outcome
from tests.servers.fixtures import place_of
from tests.unit.sql.support import trail_of

SCRIPT = Path(__file__).parents[2] / "docs" / "verify-export.mjs"
pytestmark = pytest.mark.needs("node")

Lines = list[str]
Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Runs the script on these lines; gives its exit code and its words."""

    def run(lines: Lines, *more: str) -> tuple[int, str]:
        file = tmp_path / "export.jsonl"
        file.write_text("".join(lines), encoding="utf-8", newline="")
        done = subprocess.run([place_of("node"), str(SCRIPT), str(file), *more], capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


@pytest.fixture
def key(tmp_path: Path) -> tuple[FileSigner, Path]:
    """A signing key, and the file of its public half."""
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, text=True, check=True)
    signer = FileSigner(Secret(made.stdout))
    public = tmp_path / "audit.pub.pem"
    public.write_bytes(signer.public.pem())
    return signer, public


def test_a_whole_export_is_confirmed(database: Database, check: Check) -> None:
    """Every row and every link, up to the end of the trail."""
    lines = exported(database)
    code, words = check(lines)
    assert code == 0, words
    last = json.loads(lines[-2])
    assert words == f"whole: {len(lines) - 2} rows, after row 0, up to row {last['seq']} {last['hash']}\n"


def test_a_part_is_confirmed_as_a_part(short: Database, check: Check) -> None:
    """A filter leaves rows out: what is there is checked row by row, and the script says that it is a part."""
    code, words = check(exported(short, Selection(app="orders")))
    assert code == 0, words
    assert " of a part, " in words


def test_a_signature_is_confirmed_by_the_right_key_only(short: Database, check: Check,
                                                        key: tuple[FileSigner, Path]) -> None:
    """Signed lines with the public key; unsigned ones, and those of another key, are refused."""
    signer, public = key
    signed = exported(short, Selection(app="orders"), signer.sign)
    assert check(signed, str(public))[0] == 0
    plain = exported(short)
    assert check(plain, str(public)) == (1, f"BROKEN: line {len(plain)} is not signed by that key\n")
    forged = [*signed[:-1], signed[-1].replace('"rows":', '"rows": ')]
    assert check(forged, str(public))[0] == 1


def edit(lines: Lines, number: int, dice: random.Random) -> Lines:
    """One value of one row is another."""
    row = json.loads(lines[number])
    name = dice.choice(sorted(set(row)))
    row[name] = row[name] + 1 if isinstance(row[name], int) else f"{row[name]}x"
    return [*lines[:number], canonical(row) + "\n", *lines[number + 1 :]]


def drop(lines: Lines, number: int, _dice: random.Random) -> Lines:
    return [*lines[:number], *lines[number + 1 :]]


def swap(lines: Lines, number: int, _dice: random.Random) -> Lines:
    other = number + 1 if number + 2 < len(lines) else number - 1
    first, second = sorted((number, other))
    return [*lines[:first], lines[second], lines[first], *lines[second + 1 :]]


def double(lines: Lines, number: int, _dice: random.Random) -> Lines:
    return [*lines[: number + 1], *lines[number:]]


def rehash(lines: Lines, number: int, _dice: random.Random) -> Lines:
    """Somebody who knows how rows are hashed makes the row agree with itself, and the last line with the others."""
    row = json.loads(lines[number])
    row["actor"] = "mallory"
    row["hash"] = row_hash(row)
    return resealed([*lines[:number], canonical(row) + "\n", *lines[number + 1 :]])


def respell(lines: Lines, number: int, _dice: random.Random) -> Lines:
    """The same JSON otherwise written, which another reader may take otherwise: a member twice."""
    return [*lines[:number], lines[number].replace("{", '{"actor":"mallory",', 1), *lines[number + 1 :]]


def cut(lines: Lines, number: int, _dice: random.Random) -> Lines:
    return lines[:number]


def resealed(lines: Lines) -> Lines:
    """The last line counts and sums what stands before it now."""
    end = json.loads(lines[-1])
    end |= {"rows": len(lines) - 2, "sha256": hashlib.sha256("".join(lines[:-1]).encode()).hexdigest()}
    return [*lines[:-1], canonical(end) + "\n"]


@pytest.mark.parametrize("plant", [edit, drop, swap, double, rehash, respell, cut])
def test_planted_edits_are_found(short: Database, check: Check, plant: Callable[..., Lines]) -> None:
    """Whatever row is touched, the script says that the file is broken, and not behind the line after the edit."""
    lines = exported(short)
    dice = random.Random(7)
    for number in dice.sample(range(1, len(lines) - 1), 3):
        code, words = check(plant(lines, number, dice))
        assert code == 1, (plant, number, words)
        line = int(words.split()[2])
        assert line == len(lines) if plant is rehash and number == len(lines) - 2 else line in (number, number + 1,
                                                                                               number + 2)  # fmt: skip


def test_a_row_that_was_taken_from_a_part_is_found(short: Database, check: Check) -> None:
    """A part has gaps of its own, so the last line's count and sum tell; computed anew they are not signed any more."""
    lines = exported(short, Selection(app="orders"))
    assert check(drop(lines, 2, random.Random(7)))[0] == 1


def test_only_the_signature_tells_who_took_a_row_from_a_part(short: Database, check: Check,
                                                             key: tuple[FileSigner, Path]) -> None:
    """What the documentation says plainly: an unsigned part proves its rows, not that they are all."""
    signer, public = key
    lines = exported(short, Selection(app="orders"), signer.sign)
    forged = resealed(drop(lines, 2, random.Random(7)))
    assert check(forged)[0] == 0
    assert check(forged, str(public)) == (1, f"BROKEN: line {len(forged)} is not signed by that key\n")


def test_rows_of_the_same_trail_may_come_later(short: Database, check: Check) -> None:
    """An export of yesterday stays whole when the trail has grown."""
    lines = exported(short)
    trail_of(short).record(outcome("check"), WHO)
    assert check(lines)[0] == 0
