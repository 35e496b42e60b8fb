"""A difficult Salesforce and a small Vault, for tests and the demo. Shares no code with the product.

Under construction: see below.
"""

from __future__ import annotations

from rotator.simulator.options import Options
from rotator.simulator.running import Running, start

__all__ = ["Options", "Running", "start"]
