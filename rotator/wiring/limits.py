"""What the org itself says of how much it has been asked."""

from __future__ import annotations

from rotator.wiring.connections import Connections
from rotator.wiring.outside import Bar, in_words

RECOUNT = 600.0  # seconds after which a count is old: Salesforce counts over 24 hours that move along


def barred(connections: Connections, org: str) -> str:
    """Why routine work of this org waits, in words; "" where it does not, or where one may be tried."""
    found = connections.outside.bar(org) or too_much(connections, org)
    return found.message if found is not None and found.seconds > 0 else ""


def too_much(connections: Connections, org: str) -> Bar | None:
    """Where the org has used more of its daily API requests than routine work leaves it with. Only a call tells how it
    is now, so once the count is old `seconds` is 0, and one may be tried."""
    usage, share = connections.usage(org), connections.config.limits.api_share
    if usage is None or usage.used * 100 < usage.most * share:
        return None
    left = max(0.0, usage.read_at + RECOUNT - connections.clock.monotonic())
    return Bar("api_limit", f"{org} has used {usage.used} of its {usage.most} API requests a day, and routine work "
               f"stops at {share} %; looks again in {in_words(left)}", left)
