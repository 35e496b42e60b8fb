"""What a process holds, over time, and whether that is flat."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MORE_MB, MORE_SHARE = 3.0, 0.03  # what memory may have grown by between the second and the last quarter
MORE = 2.0  # the same for descriptors and threads, which come and go


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the begin, resident memory in MB of 1024² bytes, open descriptors, threads."""

    at: float
    memory_mb: float
    descriptors: int
    threads: int


def sample(pid: int, at: float) -> Sample:
    """Looks at a process of ours (proc(5))."""
    place = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    memory = int(status["VmRSS"].split()[0]) / 1024
    return Sample(at, memory, len(list((place / "fd").iterdir())), int(status["Threads"]))


@dataclass(frozen=True, slots=True)
class Course:
    """How one figure went: its median in the second quarter of the time, when all is warm, and in the last."""

    name: str
    early: float
    late: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.late - self.early <= self.allowed

    def __str__(self) -> str:
        return f"{self.name} {'flat' if self.flat else 'GROWS'} ({self.early:.1f} -> {self.late:.1f})"


def courses(samples: Sequence[Sample]) -> tuple[Course, ...]:
    """Memory, descriptors and threads. Needs eight samples."""
    quarter = len(samples) // 4
    assert quarter >= 2, "too short to say anything"
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]

    def median(of: Sequence[Sample], name: str) -> float:
        return statistics.median(float(getattr(one, name)) for one in of)

    memory = median(early, "memory_mb")
    return (
        Course("memory, MB", memory, median(late, "memory_mb"), max(MORE_MB, memory * MORE_SHARE)),
        *(Course(name, median(early, name), median(late, name), MORE) for name in ("descriptors", "threads")),
    )
