"""Encodings to hide a secret in, written apart from the decoders that find it: name -> how a leak would look."""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import gzip
import hashlib
import html
import json
import lzma
import quopri
import textwrap
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote, quote_plus, urlencode

Plant = Callable[[bytes], bytes]


def _each(form: str) -> Plant:
    return lambda s: "".join(form.format(c) for c in s).encode()


def _broken(encoded: bytes, width: int = 76) -> bytes:
    return "\n".join(textwrap.wrap(encoded.decode(), width)).encode()


def _uu(s: bytes) -> bytes:
    return b"begin 644 x\n" + b"".join(binascii.b2a_uu(s[i : i + 45]) for i in range(0, len(s), 45)) + b"`\nend\n"


def _basic(s: bytes, user: bytes) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(user + b":" + s)


PLANTS: Mapping[str, Plant] = MappingProxyType({
    "plain": lambda s: s,
    "lower case": bytes.lower,
    "upper case": bytes.upper,
    "first 16 characters": lambda s: s[:16],
    "last 16 characters": lambda s: s[-16:],
    "16 characters from the middle": lambda s: s[19:35],
    "reversed": lambda s: s[::-1],
    "rot13": lambda s: codecs.encode(s.decode(), "rot13").encode(),
    "in groups with dashes": lambda s: b"-".join(s[i : i + 5] for i in range(0, len(s), 5)),
    "one character a line": lambda s: b"\n".join(bytes([c]) for c in s),
    "broken after 20 characters": lambda s: _broken(s, 20),
    "a list of characters": lambda s: repr(list(s.decode())).encode(),
    "utf-16le": lambda s: s.decode().encode("utf-16-le"),
    "utf-16be": lambda s: s.decode().encode("utf-16-be"),
    "utf-16 with mark": lambda s: s.decode().encode("utf-16"),
    "utf-32": lambda s: s.decode().encode("utf-32"),
    "percent, all, lower": _each("%{:02x}"),
    "percent, all, upper": _each("%{:02X}"),
    "percent, where needed": lambda s: quote(b"/+" + s + b"=&").encode(),
    "percent twice": lambda s: _each("%25{:02X}")(s),
    "percent three times": lambda s: _each("%2525{:02X}")(s),
    "a form": lambda s: urlencode({"client_secret": b"a b+" + s}).encode(),
    "a form within a form": lambda s: quote_plus(urlencode({"client_secret": s})).encode(),
    "JSON \\u": _each("\\u{:04x}"),
    "JSON within JSON": lambda s: json.dumps(json.dumps({"s": "".join(f"\\u{c:04x}" for c in s)})).encode(),
    "JSON of HTML": lambda s: json.dumps(_each("&#x{:x};")(s).decode()).encode(),
    "Python \\U": _each("\\U{:08x}"),
    "JavaScript \\u{}": lambda s: "".join(f"\\u{{{c:06x}}}" for c in s).encode(),
    "C \\x": _each("\\x{:02x}"),
    "octal": _each("\\{:03o}"),
    "repr of bytes": lambda s: repr(s.decode().encode("utf-16-le")).encode(),
    "HTML decimal": _each("&#{};"),
    "HTML hexadecimal": _each("&#x{:X};"),
    "XML escapes": lambda s: html.escape(f"<s a='&'>{s.decode()}</s>").encode(),
    "quoted-printable": lambda s: quopri.encodestring(b"\xc3\xa9 " * 9 + s * 2),
    "quoted-printable, all": _each("={:02X}"),
    "hex, lower": lambda s: s.hex().encode(),
    "hex, upper": lambda s: s.hex().upper().encode(),
    "hex with colons": lambda s: s.hex(":").encode(),
    "hex with blanks": lambda s: s.hex(" ").encode(),
    "hex within a byte": lambda s: b"f" + s.hex().encode(),
    "hex of utf-16": lambda s: s.decode().encode("utf-16-le").hex().encode(),
    "a C array": lambda s: ", ".join(f"0x{c:02x}" for c in s).encode(),
    "a list of numbers": lambda s: repr(list(s)).encode(),
    "base64": base64.b64encode,
    "base64, one byte before": lambda s: base64.b64encode(b"\xfa" + s),
    "base64, two bytes before": lambda s: base64.b64encode(b"\xfa\xfb" + s),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(b"\xff\xfe" + s).rstrip(b"="),
    "base64, broken after 76": lambda s: _broken(base64.b64encode(b"headers and more of them, " * 3 + s)),
    "base64, broken after 12": lambda s: _broken(base64.b64encode(s), 12),
    "base64, breaks as \\n": lambda s: _broken(base64.b64encode(s), 20).replace(b"\n", b"\\n"),
    "base64 of utf-16": lambda s: base64.b64encode(s.decode().encode("utf-16-le")),
    "base64 twice": lambda s: base64.b64encode(base64.b64encode(s)),
    "base64 of JSON": lambda s: base64.b64encode(json.dumps({"secret": s.decode()}).encode()),
    "base64, percent": lambda s: quote(base64.b64encode(b"\xff" + s), safe="").encode(),
    "Basic, user of 3": lambda s: _basic(s, b"abc"),
    "Basic, user of 4": lambda s: _basic(s, b"abcd"),
    "Basic, user of 5": lambda s: _basic(s, b"abcde"),
    "base32": base64.b32encode,
    "base32, three bytes before": lambda s: base64.b32encode(b"abc" + s),
    "base32, lower": lambda s: base64.b32encode(s).lower(),
    "base32hex": base64.b32hexencode,
    "ascii85": base64.a85encode,
    "ascii85, two bytes before": lambda s: base64.a85encode(b"ab" + s, adobe=True, wrapcol=40),
    "base85": base64.b85encode,
    "base85, three bytes before": lambda s: base64.b85encode(b"abc" + s),
    "uuencode": _uu,
    "uuencode, ten bytes before": lambda s: _uu(b"0123456789" + s),
    "gzip": gzip.compress,
    "gzip, cut": lambda s: gzip.compress(s + bytes(range(256)) * 20)[:-30],
    "zlib": zlib.compress,
    "zlib, fastest": lambda s: zlib.compress(s, 1),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "base64 of gzip": lambda s: base64.b64encode(gzip.compress(s)),
    "gzip of JSON \\u": lambda s: gzip.compress(_each("\\u{:04x}")(s)),
    "JSON of broken base64 of gzip": lambda s: (
        json.dumps(_broken(base64.b64encode(gzip.compress(s))).decode()).encode()
    ),
    "md5": lambda s: hashlib.md5(s, usedforsecurity=False).hexdigest().encode(),
    "sha256": lambda s: hashlib.sha256(s).hexdigest().encode(),
    "sha256, raw": lambda s: hashlib.sha256(s).digest(),
    "sha256, its first 16 digits": lambda s: hashlib.sha256(s).hexdigest()[:16].encode(),
    "base64 of sha512": lambda s: base64.b64encode(hashlib.sha512(s).digest()),
})  # fmt: skip
