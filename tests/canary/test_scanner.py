"""The scanner finds what is planted, and nothing where nothing is."""

from __future__ import annotations

import base64
import json
import random
import string
import zlib
from collections.abc import Iterator

import pytest

from tests.canary.decoders import DECODERS
from tests.canary.plants import PLANTS
from tests.canary.scanner import Scanner

# One secret of each shape that the rotator handles; the values are made up.
SECRETS = {
    "consumer secret": "7C4E19D05B83FA26E1D7490CBA5862F3918D4E07A6BC35F2084EB97D16C3A5F0",
    "session id": "00D5g00000KqXyz!AQEAQPm7Jt3xWv_8hZb2Ks.LdQy6Rf0NcGu1TeYo4IaVj9DwXn5MpSlEzHrBkUq_tCgFvA3",
    "vault token": "hvs.CAESIPx7Kq2mWv9Lr4TzYb8Nc3HdJf6GsUe1QaXo5RiMk0ZtGh4KHGh2cy5BbDlFc1V",
    "old consumer secret": "4803187612905573418",
}
PLAIN_NOISE = b'{"ts": "2026-11-24T08:00:00Z", "event": "step", "app": "billing", "duration_ms": 12}\n'


def noise(seed: int, size: int) -> Iterator[tuple[str, bytes]]:
    """What sinks hold when all is well: binary, digits, text, logs, digests, packed pages."""
    dice = random.Random(seed)
    words = ["".join(dice.choices(string.ascii_letters, k=dice.randint(2, 12))) for _ in range(400)]
    rows = [
        {"app": dice.choice(words), "hash": dice.randbytes(32).hex(), "n": dice.random()} for _ in range(size // 120)
    ]
    log = "\n".join(json.dumps(row) for row in rows).encode()
    yield "binary", dice.randbytes(size)
    yield "hex", dice.randbytes(size // 2).hex().encode()
    yield "upper hex", dice.randbytes(size // 2).hex().upper().encode()
    yield "base64", base64.b64encode(dice.randbytes(size * 3 // 4))
    yield "printable", "".join(dice.choices(string.printable, k=size)).encode()
    yield "text", " ".join(dice.choices(words, k=size // 7)).encode()
    yield "log", log
    yield "packed", zlib.compress(log) + log


def found(scanner: Scanner, data: bytes) -> set[str]:
    return {finding.secret for finding in scanner.scan(data, "sample")}


@pytest.mark.parametrize("encoding", PLANTS)
def test_a_planted_secret_is_found(encoding: str) -> None:
    """A consumer secret is found in this encoding, at the start, in the midst and at the end of a sink."""
    leak = PLANTS[encoding](SECRETS["consumer secret"].encode())
    scanner = Scanner({"consumer secret": SECRETS["consumer secret"]})
    for sink in (leak, PLAIN_NOISE + leak, leak + b"\n" + PLAIN_NOISE, PLAIN_NOISE * 3 + leak + b'"}\n' + PLAIN_NOISE):
        assert found(scanner, sink) == {"consumer secret"}


@pytest.mark.parametrize("name", ["session id", "vault token"])
@pytest.mark.parametrize("encoding", PLANTS)
def test_tokens_are_found_as_well(encoding: str, name: str) -> None:
    """Session ids and Vault tokens hold letters of both cases and punctuation; they are found all the same."""
    assert found(Scanner(SECRETS), PLAIN_NOISE + PLANTS[encoding](SECRETS[name].encode()) + b"\n") == {name}


def test_there_are_at_least_25_encodings() -> None:
    """The contract asks for 25 encodings, each with a form of its own."""
    forms = {plant(SECRETS["vault token"].encode()) for plant in PLANTS.values()}
    assert len(forms) == len(PLANTS) >= 25


@pytest.mark.parametrize("decoder", DECODERS)
def test_each_decoder_is_needed(decoder: str) -> None:
    """Without this decoder a planted secret stays hidden: the tests above can fail, and no decoder is idle."""
    weaker = {name: decode for name, decode in DECODERS.items() if name != decoder}
    scanner = Scanner({"s": SECRETS["consumer secret"]}, decoders=weaker)
    leaks = [plant(SECRETS["consumer secret"].encode()) for plant in PLANTS.values()]
    assert any(not scanner.scan(leak, "sample") for leak in leaks)


def test_depth_is_needed() -> None:
    """A scanner that decodes just once misses what is encoded twice."""
    shallow = Scanner({"s": SECRETS["consumer secret"]}, depth=1)
    assert not shallow.scan(PLANTS["base64 of gzip"](SECRETS["consumer secret"].encode()), "sample")


@pytest.mark.parametrize("sample", [name for name, _ in noise(0, 1200)])
def test_a_clean_sink_is_clean(sample: str) -> None:
    """No secret is seen in 100 kB of each kind of noise that a sink may hold."""
    data = dict(noise(20261124, 100_000))[sample]
    assert Scanner(SECRETS).scan(data, sample) == []


def test_a_needle_in_a_haystack() -> None:
    """One secret within each kind of noise is found, and only that one."""
    for kind, data in noise(7, 20_000):
        middle = len(data) // 2
        leak = b"\n" + base64.b64encode(SECRETS["vault token"].encode()) + b"\n"
        assert found(Scanner(SECRETS), data[:middle] + leak + data[middle:]) == {"vault token"}, kind


def test_fifteen_characters_are_no_leak() -> None:
    """Shorter pieces than 16 characters are not reported: a masked tail such as `...16C3A5F0` is allowed."""
    assert Scanner(SECRETS).scan(SECRETS["consumer secret"][-15:].encode(), "sample") == []


def test_every_run_of_sixteen_characters_is_a_leak() -> None:
    """Wherever a piece of 16 characters was cut from the secret, it is found."""
    secret = SECRETS["consumer secret"]
    scanner = Scanner({"s": secret})
    missed = [i for i in range(len(secret) - 15) if not scanner.scan(f"x {secret[i : i + 16]} y".encode(), "sample")]
    assert missed == []


def test_short_pieces_before_it_do_not_hide_a_leak() -> None:
    """Harmless pieces of the secret stand before the leak: the search goes on behind them."""
    secret = SECRETS["consumer secret"]
    pieces = " . ".join(secret[i : i + 10] for i in range(0, 60, 8))
    scanner = Scanner({"s": secret})
    assert scanner.scan(f"{pieces} . {secret}".encode(), "sample")
    assert not scanner.scan(pieces.encode(), "sample")


def test_a_finding_does_not_hold_the_secret() -> None:
    """What the scanner reports may itself be printed."""
    secret = SECRETS["consumer secret"]
    report = "".join(f"{f} {f!r}" for f in Scanner({"s": secret}).scan(secret.encode(), "sample"))
    assert "s in sample" in report
    assert not Scanner({"s": secret}).scan(report.encode(), "report")


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaaaaaaaaaaaaaa", "------------------------"])
def test_a_secret_that_proves_nothing_is_refused(weak: str) -> None:
    """A planted secret is long and varied enough that a hit cannot be chance."""
    with pytest.raises(ValueError, match="a planted secret"):
        Scanner({"weak": weak})


def test_a_scan_for_nothing_is_refused() -> None:
    """A scan without secrets would pass always."""
    with pytest.raises(ValueError, match="no secrets"):
        Scanner({})
