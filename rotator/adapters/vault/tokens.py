"""Keeps one live token for all threads, and gets another when it ends or is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rotator.adapters.vault.login import Token

MARGIN = 10.0  # seconds: a token that ends sooner would end under a call


class Tokens:
    """The present token. Only one thread logs in; the others wait for it."""

    def __init__(self, log_in: Callable[[], Token], monotonic: Callable[[], float]) -> None:
        self._log_in = log_in
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: Token | None = None

    def current(self) -> Token:
        """A token that lives; logs in where there is none. Raises what LogIn raises."""
        token = self._token
        if token is not None and not self._ending(token):
            return token
        with self._lock:
            if self._token is None or self._ending(self._token):
                self._token = self._log_in()
            return self._token

    def instead_of(self, refused: Token) -> Token | None:
        """Another token than the refused one, from another thread's login or our own; None where a login gives the
        same again. Raises what LogIn raises."""
        with self._lock:
            if self._token is refused:
                self._token = None
            if self._token is None:
                self._token = self._log_in()
            return None if self._token.secret == refused.secret else self._token

    def left(self, token: Token) -> float | None:
        """Seconds this token lives on; None where it has no end that we know of."""
        return None if token.until is None else max(0.0, token.until - self._monotonic())

    def take(self) -> Token | None:
        """Hands the token out and forgets it."""
        with self._lock:
            token, self._token = self._token, None
        return token

    def _ending(self, token: Token) -> bool:
        left = self.left(token)
        return left is not None and left < MARGIN
