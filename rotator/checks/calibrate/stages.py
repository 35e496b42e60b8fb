"""What the stages of a calibration saw."""

from __future__ import annotations

from dataclasses import dataclass

from rotator.checks.calibrate.series import Series
from rotator.domain.pair import Pair, Staged
from rotator.domain.session import Listing


@dataclass(frozen=True, slots=True)
class Minted:
    """A pair that was staged: the answer, what the slot said of it, and whether it was accepted there."""

    answer: Staged
    again: Staged
    staged: Series

    @property
    def pair(self) -> Pair:
        return self.answer.pair if self.answer.pair.secret else self.again.pair


@dataclass(frozen=True, slots=True)
class Swapped:
    """A promote: the id that the slot had before and has now, when it began, and the pair it displaced."""

    began: float
    before: str
    displaced: Staged


@dataclass(frozen=True, slots=True)
class Shown:
    """What one lever's listing shows of a fresh token, and whether the lever ended it; None: it was not tried."""

    fresh: bool
    after: Listing
    ended: bool | None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the first pair once it was displaced, and once it was deleted; and of its token. `sure`: that one
    did not die of old age."""

    displaced: Series
    deleted: Series
    token_survived: bool
    sure: bool
