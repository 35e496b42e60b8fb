"""Ed25519 (RFC 8032): signs with a key file, verifies with the public key alone."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rotator.domain.errors import ConfigError
from rotator.domain.secret import Secret

_MAKE = "openssl genpkey -algorithm ed25519 -out audit.pem"
_PUBLIC = "openssl pkey -in audit.pem -pubout -out audit.pub.pem"


class PublicKey:
    """The half that an auditor has."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """Raises ConfigError where it is no Ed25519 public key."""
        try:
            found = serialization.load_pem_public_key(pem)
        except ValueError:
            found = None
        if not isinstance(found, Ed25519PublicKey):
            raise ConfigError("not an Ed25519 public key (PEM)", fix=f"`{_PUBLIC}`", where="--public-key")
        return cls(found)

    @classmethod
    def from_raw(cls, raw: bytes) -> PublicKey:
        """From the 32 bytes of RFC 8032, as Vault's transit engine gives them."""
        return cls(Ed25519PublicKey.from_public_bytes(raw))

    @property
    def id(self) -> str:
        """Names the key: the first 16 hex digits of SHA-256 of its 32 bytes."""
        raw = self._key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return hashlib.sha256(raw).hexdigest()[:16]

    def pem(self) -> bytes:
        """For the auditor's file."""
        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def made(self, signature: str, data: bytes) -> bool:
        """Whether this key signed the data; `signature` is base64."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


class FileSigner:
    """Signs with a private key in PEM. Raises ConfigError where it is none of Ed25519."""

    def __init__(self, pem: Secret) -> None:
        try:
            found = serialization.load_pem_private_key(pem.reveal().encode(), password=None)
        except (ValueError, TypeError):
            found = None
        if not isinstance(found, Ed25519PrivateKey):
            raise ConfigError("not an Ed25519 private key (PEM, without a passphrase)", fix=f"`{_MAKE}`",
                              where="audit.signing_key_file")  # fmt: skip
        self._key = found
        self.public = PublicKey(found.public_key())

    def sign(self, data: bytes) -> str:
        """The signature, base64."""
        return base64.b64encode(self._key.sign(data)).decode()
