"""The soak's judgement: what grows is called growing. (Its run takes as long as it is told.)"""

from __future__ import annotations

from tools.soak.measured import Sample, courses


def held(memory: float, descriptors: float, threads: float) -> list[Sample]:
    """An hour of samples that begin at 100 MB, 20 descriptors and 11 threads, and grow by so much per sample."""
    told = [(100 + memory * n, round(20 + descriptors * n), round(11 + threads * n)) for n in range(400)]
    return [Sample(float(n), *one) for n, one in enumerate(told)]


def flat(samples: list[Sample]) -> list[bool]:
    """The judgement on each figure."""
    return [course.flat for course in courses(samples)]


def test_what_stays_is_flat_and_what_grows_is_not() -> None:
    """Memory that grows by a tenth in an hour, a descriptor or a thread that is left every few minutes."""
    assert flat(held(0, 0, 0)) == [True, True, True]
    assert flat(held(0.025, 0, 0)) == [False, True, True]
    assert flat(held(0, 0.02, 0)) == [True, False, True]
    assert flat(held(0, 0, 0.02)) == [True, True, False]


def test_what_warms_up_first_is_flat() -> None:
    """Growth in the first quarter, and none later, is no leak."""
    warm = [Sample(float(n), 100 + min(n, 100) * 0.2, 20, 11) for n in range(400)]
    assert flat(warm) == [True, True, True]
