"""Checks of one app: its consumer, its pairs, its flow."""

from __future__ import annotations

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.scene import FLOW, AppScene
from rotator.domain.errors import ConfigError, Refused
from rotator.domain.pair import Author, SlotState, fingerprint


def org_5(scene: AppScene) -> Finding:
    """The org lets the rotator see and stage consumer secrets: seen by a harmless look at the staged slot."""
    try:
        _ = scene.primary
        scene.org.slot(scene.consumer)
    except Refused as error:
        if error.code == "secret_access":
            return failed("access to consumer secrets via REST API is off, or not for this user", error.fix)
        raise
    return passed("consumer secrets can be reached via REST API")


def app_1(scene: AppScene) -> Finding:
    """The app is there exactly once."""
    try:
        return passed(f"{scene.app} is {scene.org.app_id(scene.app)}")
    except ConfigError as error:
        return failed(error.message, error.fix)


def app_2(scene: AppScene) -> Finding:
    """The app has one consumer, or the configuration names one."""
    scene.org.app_id(scene.app)  # an app that is not there says nothing of its consumers
    try:
        consumer = scene.consumer
    except ConfigError as error:
        return failed(error.message, error.fix)
    others = f", beside {consumer.siblings} others" if consumer.siblings else ""
    return passed(f"consumer {consumer.consumer_id}{others}")


def app_3(scene: AppScene) -> Finding:
    """The live path serves the primary pair."""
    primary, live = scene.primary, scene.live.key
    if not live:
        return warned(f"Vault holds nothing at {scene.target.path}; the first rotation writes it", "nothing to do")
    if live != primary:
        return failed(f"Vault serves {fingerprint(live)}, Salesforce has {fingerprint(primary)}",
                      f"find out who rotated it; then `rotator adopt {scene.name}`")
    return passed(f"Vault serves the primary pair {fingerprint(primary)}")


def app_4(scene: AppScene) -> Finding:
    """The staged slot is free."""
    entries = scene.org.slot(scene.consumer)
    if not entries:
        return passed("the staged slot is empty")
    told = ", ".join(f"{fingerprint(e.pair.key)} ({e.state.value}, by {e.author.value})" for e in entries)
    foreign = [e for e in entries if e.state is not SlotState.ROTATED and e.author is not Author.US]
    if foreign:
        named = fingerprint(foreign[0].pair.key)
        fix = f"find out who staged it; once a rotation holds: `rotator release APP --discard-foreign {named}`"
        return failed(f"the staged slot holds {told}", fix)
    return warned(f"the staged slot holds {told}", "an open rotation owns it; else delete it in Setup")


def app_5(scene: AppScene) -> Finding:
    """The client credentials flow is on in the app's settings and in its policies."""
    app = scene.consumer.app_id[:15]
    places = {"OAuth settings": scene.place.settings, "OAuth policies": scene.place.policies}
    seen = {place: rows.get(app, {}).get(FLOW) for place, rows in places.items()}
    off = [place for place, on in seen.items() if on is False]
    if off:
        return failed(f"the client credentials flow is off in the app's {' and '.join(off)}",
                      "Setup, External Client App Manager, the app: switch it on under both Settings and Policies")
    dark = [place for place, on in seen.items() if on is not True]
    if dark:
        return unseen(f"the org does not show the app's {' and '.join(dark)}", "look in Setup; APP-6 tells by a login")
    return passed("the client credentials flow is on in settings and policies")
