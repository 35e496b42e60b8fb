"""Seeded randomness in the shapes that Salesforce and Vault use: ids, keys, secrets, tokens."""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
ALNUM = string.ascii_letters + string.digits
CHECKSUM = string.ascii_uppercase + "012345"


class Dice(random.Random):
    """One seed gives one stream; two streams with the same seed and purpose are equal."""

    def __init__(self, seed: int, purpose: str) -> None:
        super().__init__(f"{seed}:{purpose}")

    def text(self, length: int, alphabet: str = ALNUM) -> str:
        """That many characters of the alphabet."""
        return "".join(self.choices(alphabet, k=length))

    def sf_id(self, prefix: str) -> str:
        """An 18-character Salesforce id with that three-character prefix and a true checksum."""
        return long_id(prefix + self.text(15 - len(prefix)))

    def consumer_key(self) -> str:
        """A consumer key: starts `3MVG9`, 85 characters, with `.` and `_` among them."""
        return "3MVG9" + self.text(79, ALNUM + "._") + self.choice(ALNUM)

    def consumer_secret(self) -> str:
        """A consumer secret: 64 hex digits in upper case."""
        return self.text(64, "0123456789ABCDEF")

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The same items in another order."""
        copy = list(items)
        self.shuffle(copy)
        return copy


def long_id(short: str) -> str:
    """The 18-character form of a 15-character id: the three letters encode which characters are upper case."""
    groups = (short[0:5], short[5:10], short[10:15])
    return short + "".join(CHECKSUM[sum(1 << i for i, c in enumerate(g) if c.isupper())] for g in groups)


def same_id(left: str, right: str) -> bool:
    """Whether two ids, of 15 or 18 characters each, name one record (the first 15 decide, case-sensitively)."""
    return left[:15] == right[:15]


def fingerprint(key: str) -> str:
    """The first 16 hex digits of SHA-256 of a public key, as in the contract's `*_key_fp`."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
