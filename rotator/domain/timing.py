"""The waits of the protocol (contract.md: `[timing]`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what. Read from the configuration at each run: a resumed rotation uses today's values."""

    propagation: timedelta = timedelta(minutes=15)  # W
    verify_spread: timedelta = timedelta(0)
    proof_spacing: timedelta = timedelta(seconds=30)
    settle: timedelta = timedelta(minutes=2)
    vault_wait: timedelta = timedelta(minutes=15)  # failing for longer than this is told as `waiting`
    lease: timedelta = timedelta(seconds=30)
