"""A secret that cannot be printed, formatted, pickled, logged or put in JSON by accident."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, final

MASK = "<secret>"


@final
class Secret:
    """Holds one secret text. Only `reveal()` gives it out, and only an adapter should call that."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself, for the call that sends it to its own host."""
        text: str = object.__getattribute__(self, "_text")
        return text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        """Constant time, so that nobody learns a prefix from a clock."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError("a Secret cannot be changed")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __iter__(self) -> NoReturn:
        raise TypeError("a Secret cannot be iterated")

    def __len__(self) -> NoReturn:
        raise TypeError("a Secret does not tell its length")
