"""Which facts of an org nobody can find out on one app of it, and why: what a calibration may leave unknown."""

from __future__ import annotations

from rotator.simulator.org.model import Org

LEVERS = {"tokens_listed_usage": "lever_usage_ends", "tokens_listed_oauthtoken": "lever_deletetoken_ends",
          "tokens_listed_authsession": "lever_authsession_ends"}  # fmt: skip


def unobservable(org: Org) -> dict[str, str]:
    """Fact -> why it cannot be seen, as the org's switches stand."""
    dark = {lever: f"{listed} is no: no row to pull the lever on" for listed, lever in LEVERS.items()
            if not org.facts.yes(listed)}  # fmt: skip
    if not any(app.kind == "connected_app" for app in org.apps):
        dark["classic_has_staged_api"] = "the org has no classic connected app"
    return dark
