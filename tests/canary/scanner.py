"""Finds planted secrets in bytes, whatever they were encoded with: a test of invariant 12 is only as good as this.

It works backwards: the bytes are decoded in every way there is, up to `DEPTH` times over, and each view is searched
for any 16 characters in a row of a secret, with case and punctuation taken away, also mirrored and by rot13.
Where decoding is slow or ambiguous (base32, base85) the encoded forms are searched for instead. Digests count too:
no sink may hold a secret or a hash of one.

A finding says which secret, where and through which encodings, never the secret itself.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.canary.decoders import BLANKS, DECODERS, Decoder

DEPTH = 4  # e.g. JSON escapes, broken lines, base64, gzip
FRAGMENT = 16  # so many characters in a row are a leak
ENCODED_FRAGMENT = 24  # the same in base32 and base85, whose characters hold less
STRIDE = 8  # any run of 15 holds one of the pieces that start at multiples of 8
ALNUM = (string.ascii_letters + string.digits).encode()
LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
NOT_ALNUM = bytes(set(range(256)) - set(ALNUM))
DIGESTS = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b")
Z85 = bytes.maketrans(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
)


@dataclass(frozen=True)
class Finding:
    """A leak: the name of the secret, the sink, the encodings from the outside in, and the place in the last view."""

    secret: str
    where: str
    how: str
    offset: int

    def __str__(self) -> str:
        return f"{self.secret} in {self.where} at {self.offset} ({self.how})"


@dataclass(frozen=True)
class Trace:
    """A text that betrays a secret, what it is called, and how much of it in a row is a leak."""

    secret: str
    how: str
    text: bytes
    enough: int

    def find(self, data: bytes) -> int:
        """The first place of a long enough piece; -1 where there is none."""
        for start in range(0, len(self.text) - STRIDE + 1, STRIDE):
            piece, at = self.text[start : start + STRIDE], -1
            while (at := data.find(piece, at + 1)) >= 0:
                if self._reach(data, at, start) >= self.enough:
                    return at
        return -1

    def _reach(self, data: bytes, at: int, start: int) -> int:
        left = 0
        while left < min(at, start) and data[at - left - 1] == self.text[start - left - 1]:
            left += 1
        right, most = 0, min(len(data) - at, len(self.text) - start)
        while right < most and data[at + right] == self.text[start + right]:
            right += 1
        return left + right


def squeeze(data: bytes) -> bytes:
    """Letters and digits alone, in lower case: what breaks, spaces, quotes and cases a secret is gone."""
    return data.translate(LOWER, NOT_ALNUM)


def plain_traces(name: str, secret: str) -> Iterator[Trace]:
    """What is searched in a squeezed view."""
    text = squeeze(secret.encode("ascii"))
    if len(text) < FRAGMENT or len(set(text)) < 8:
        raise ValueError(f"{name}: a planted secret has 16 letters and digits at least, of 8 kinds")
    yield Trace(name, "plain", text, FRAGMENT)
    yield Trace(name, "reversed", text[::-1], FRAGMENT)
    yield Trace(name, "rot13", codecs.encode(text.decode(), "rot13").encode(), FRAGMENT)
    for kind in DIGESTS:
        digest = hashlib.new(kind, secret.encode(), usedforsecurity=False).hexdigest().encode()
        yield Trace(name, f"{kind} in hex", digest, FRAGMENT)


def encoded_traces(name: str, secret: str) -> Iterator[Trace]:
    """What is searched in a view without blanks: the secret with its punctuation, and encodings. A secret may begin
    anywhere within a group of the encoding: each alignment is one trace, made of the groups that it fills alone."""
    text = secret.encode("ascii")
    yield Trace(name, "plain", text.lower(), FRAGMENT)
    for shift in range(5):
        whole = text[-shift % 5 :]
        whole = whole[: len(whole) // 5 * 5]
        yield Trace(name, "base32", base64.b32encode(whole).lower(), ENCODED_FRAGMENT)
        yield Trace(name, "base32hex", base64.b32hexencode(whole).lower(), ENCODED_FRAGMENT)
    for shift in range(4):
        whole = text[-shift % 4 :]
        whole = whole[: len(whole) // 4 * 4]
        forms = {"ascii85": base64.a85encode(whole), "base85": base64.b85encode(whole)}
        forms["z85"] = forms["base85"].translate(Z85)
        for how, form in forms.items():
            yield Trace(name, how, form.lower(), FRAGMENT)


class Scanner:
    """Searches for these secrets (name -> text). `decoders` and `depth` are there to be weakened by tests."""

    def __init__(
        self, secrets: Mapping[str, str], *, decoders: Mapping[str, Decoder] = DECODERS, depth: int = DEPTH
    ) -> None:
        if not secrets:
            raise ValueError("no secrets to look for: the scan would prove nothing")
        self._decoders, self._depth = decoders, depth
        self._plain = [trace for item in secrets.items() for trace in plain_traces(*item)]
        self._encoded = [trace for item in secrets.items() for trace in encoded_traces(*item)]
        self._digests = [
            (name, kind, hashlib.new(kind, text.encode(), usedforsecurity=False).digest()[:12])
            for name, text in secrets.items()
            for kind in DIGESTS
        ]

    def scan(self, data: bytes, where: str) -> list[Finding]:
        """Every secret that these bytes hold, once per way in."""
        found = dict.fromkeys(
            Finding(secret, where, " > ".join((*path, how)), at)
            for path, view in self._views(data)
            for secret, how, at in self._search(view)
        )
        return list(found)

    def _views(self, data: bytes) -> Iterator[tuple[tuple[str, ...], bytes]]:
        """The bytes as they are, and all that decoding makes of them; nothing twice."""
        seen: set[bytes] = set()
        layer: list[tuple[tuple[str, ...], bytes]] = [((), data)]
        for level in range(self._depth + 1):
            fresh = []
            for path, view in layer:
                mark = hashlib.blake2b(view, digest_size=16).digest()
                if len(view) >= STRIDE and mark not in seen:
                    seen.add(mark)
                    fresh.append((path, view))
            yield from fresh
            if level < self._depth:
                layer = [((*path, name), out) for path, view in fresh for name, out in self._decode(view)]

    def _decode(self, view: bytes) -> Iterator[tuple[str, bytes]]:
        for name, decoder in self._decoders.items():
            for out in decoder(view):
                yield name, out

    def _search(self, view: bytes) -> Iterator[tuple[str, str, int]]:
        squeezed, joined = squeeze(view), view.translate(LOWER, BLANKS)
        for traces, text in ((self._plain, squeezed), (self._encoded, joined)):
            for trace in traces:
                if (at := trace.find(text)) >= 0:
                    yield trace.secret, trace.how, at
        for secret, kind, start in self._digests:
            if (at := view.find(start)) >= 0:
                yield secret, kind, at
