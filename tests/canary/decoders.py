"""Ways back from an encoding. A decoder takes bytes and gives what they may have been before they were encoded.

A decoder never judges: noise decoded to noise is searched like anything else and holds nothing. What it finds in
several places it joins into one view, so that the number of views stays small.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import html
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Protocol

Decoder = Callable[[bytes], Iterable[bytes]]
UNPACKED_CAP = 64 << 20  # bytes from one packed stream
BLANKS = b" \t\r\n\v\f\0"
WORDS = re.compile(rb"[!-~]+")


def unwrapped(data: bytes) -> Iterator[bytes]:
    """Broken over lines, or wide characters (UTF-16 and UTF-32 of ASCII are ASCII with NULs between)."""
    yield data.translate(None, BLANKS)


def _words_with(mark: re.Pattern[bytes], data: bytes, decode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    yield b"\n".join(decode(word) for word in WORDS.findall(data) if mark.search(word))


PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def percent(data: bytes) -> Iterator[bytes]:
    """URLs and forms; percent-encoded twice needs it twice."""
    yield from _words_with(PERCENT, data, lambda word: PERCENT.sub(lambda m: bytes([int(m[1], 16)]), word))


ESCAPE = re.compile(rb"\\(?:u\{?([0-9A-Fa-f]{4,6})\}?|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-7]{1,3})|([^0-7]))")
LETTERS: Mapping[bytes, bytes] = MappingProxyType({b"n": b"\n", b"r": b"\r", b"t": b"\t"})


def backslash(data: bytes) -> Iterator[bytes]:
    r"""JSON, Python and C: \u0041, \u{41}, \U00000041, \x41, \101, \n, \/."""

    def one(m: re.Match[bytes]) -> bytes:
        wide, octal, letter = m[1] or m[2], m[4], m[5]
        if wide:
            return chr(min(int(wide, 16), 0x10FFFF)).encode("utf-8", "surrogatepass")
        if m[3] or octal:
            return bytes([int(m[3], 16) if m[3] else int(octal, 8) & 255])
        return LETTERS.get(letter, letter)

    yield from _words_with(ESCAPE, data, lambda word: ESCAPE.sub(one, word))


ENTITY = re.compile(rb"&#?[A-Za-z0-9]{2,31};")


def entities(data: bytes) -> Iterator[bytes]:
    """HTML and XML: &#65; &#x41; &amp; &plus;"""
    yield from _words_with(ENTITY, data, lambda word: html.unescape(word.decode("latin-1")).encode("utf-8", "replace"))


QUOTED = re.compile(rb"=[0-9A-Fa-f]{2}")


def quoted_printable(data: bytes) -> Iterator[bytes]:
    """Mail: =41, and soft line breaks."""
    joined = re.sub(rb"=\r?\n", b"", data)
    yield from _words_with(QUOTED, joined, binascii.a2b_qp)


HEX = re.compile(rb"[0-9A-Fa-f](?:[\s:,_-]{0,2}[0-9A-Fa-f]){23,}")


def hexed(data: bytes) -> Iterator[bytes]:
    """Hex digits, also with blanks or colons between; the run may begin within a byte."""
    runs = [re.sub(rb"[^0-9A-Fa-f]", b"", run) for run in HEX.findall(data)]
    for start in (0, 1):
        yield b"\n".join(binascii.unhexlify(run[start : start + (len(run) - start) // 2 * 2]) for run in runs)


HEX_NUMBERS = re.compile(rb"(?:0[xX][0-9A-Fa-f]{1,2}[\s,;]*){12,}")
NUMBERS = re.compile(rb"\d{1,3}(?:[\s,;]+\d{1,3}){11,}")


def numbers(data: bytes) -> Iterator[bytes]:
    """Lists of bytes as numbers: [104, 118, 115] and {0x68, 0x76}."""
    runs = [[int(n, 16) for n in re.findall(rb"0[xX]([0-9A-Fa-f]{1,2})", run)] for run in HEX_NUMBERS.findall(data)]
    runs += [[int(n) for n in re.findall(rb"\d+", run)] for run in NUMBERS.findall(data)]
    yield b"\n".join(bytes(n for n in run if n < 256) for run in runs)


BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def base64ed(data: bytes) -> Iterator[bytes]:
    """Both alphabets; the run may begin anywhere within a group of four, and lack its padding."""
    runs = [run.translate(TO_STANDARD) for run in BASE64.findall(data)]
    for start in range(4):
        yield b"\n".join(base64.b64decode(run[start:] + b"A" * (-len(run[start:]) % 4)) for run in runs)


UU_LINE = re.compile(rb"^[!-M][ -`]+(?=\r?$)", re.M)


def uuencoded(data: bytes) -> Iterator[bytes]:
    """uuencode: a line's first character tells its length."""

    def lines() -> Iterator[bytes]:
        for line in UU_LINE.findall(data):
            if len(line) - 1 == ((line[0] - 32) + 2) // 3 * 4:
                with suppress(binascii.Error):  # a line of noise of the right length
                    yield binascii.a2b_uu(line)

    yield b"".join(lines())


class Unpacker(Protocol):
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


PACKED: Mapping[bytes, Callable[[], Unpacker]] = MappingProxyType({
    rb"\x1f\x8b\x08": lambda: zlib.decompressobj(31),
    rb"\x78[\x01\x5e\x9c\xda]": zlib.decompressobj,
    rb"BZh[1-9]1AY": bz2.BZ2Decompressor,
    rb"\xfd7zXZ\x00": lzma.LZMADecompressor,
})  # fmt: skip


def unpacked(data: bytes) -> Iterator[bytes]:
    """gzip, zlib, bzip2 and xz streams, wherever they begin, whole or cut."""
    for magic, unpacker in PACKED.items():
        for start in re.finditer(magic, data):
            yield _unpack(unpacker(), data[start.start() :])


def _unpack(unpacker: Unpacker, data: bytes) -> bytes:
    """In small bites, so that what came out before a broken place is kept."""
    found, at = bytearray(), 0
    try:
        while at < len(data) and len(found) < UNPACKED_CAP and not getattr(unpacker, "eof", False):
            found += unpacker.decompress(data[at : at + 256], UNPACKED_CAP)
            at += 256
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        pass
    return bytes(found)


DECODERS: Mapping[str, Decoder] = MappingProxyType({
    "unwrapped": unwrapped,
    "percent": percent,
    "backslash": backslash,
    "entities": entities,
    "quoted-printable": quoted_printable,
    "hex": hexed,
    "numbers": numbers,
    "base64": base64ed,
    "uuencode": uuencoded,
    "packed": unpacked,
})  # fmt: skip
