"""Which requests a fault or a pause is meant for, and which of them in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rotator.simulator.wire import purpose
from rotator.simulator.wire.call import Call

TEXTS = ("site", "method", "path", "purpose", "about")


class MatchError(ValueError):
    """A fault or pause that cannot be understood."""


@dataclass
class Match:
    """`site` is `org`, `vault`, `org:NAME` or empty; `method`, `path`, `purpose` and `about` (the fingerprint of the
    key that a token request names) are regular expressions. Fires at the `nth` fit, or at each `every`-th one; with
    neither, at each."""

    site: str = ""
    method: str = ""
    path: str = ""
    purpose: str = ""
    about: str = ""
    nth: int = 0
    every: int = 0
    seen: int = 0

    def fires(self, call: Call) -> bool:
        """Count a fit, and say whether it is its turn."""
        if not self.fits(call):
            return False
        self.seen += 1
        if self.nth:
            return self.seen == self.nth
        return self.seen % (self.every or 1) == 0

    def fits(self, call: Call) -> bool:
        """Whether the request is one of those meant."""
        if self.site and self.site != call.site and self.site != call.site.split(":")[0]:
            return False
        texts = ((self.method, call.method), (self.path, call.path), (self.purpose, purpose.guess(call)),
                 (self.about, purpose.about(call) if self.about else ""))  # fmt: skip
        return all(re.search(pattern, text) is not None for pattern, text in texts)


def parse(spec: dict[str, Any]) -> Match:
    """A match from JSON: `{"match": {...}, "nth": 2}`; MatchError names what is unknown."""
    given = dict(spec.get("match") or {})
    unknown = set(given) - set(TEXTS)
    if unknown:
        raise MatchError(f"a match knows {', '.join(TEXTS)}, not {', '.join(sorted(unknown))}")
    for pattern in given.values():
        try:
            re.compile(str(pattern))
        except re.error as error:
            raise MatchError(f"not a regular expression: {pattern!r}: {error}") from None
    site, method, path, purposes, key = (str(given.get(name, "")) for name in TEXTS)
    return Match(site, method, path, purposes, key, int(spec.get("nth") or 0), int(spec.get("every") or 0))
