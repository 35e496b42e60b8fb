"""Setup in a browser, as the operator of a classic connected app walks it (reference 5.1): one click after the other.

App Manager, the app's row, View, Manage Consumer Details, an identity check that holds for five minutes, Generate
(again: overwrites), Apply (confirmed twice, irreversible). No HTTP.
"""

from __future__ import annotations

from typing import Any

from rotator.simulator.org import pairs
from rotator.simulator.org.model import App, Grave, Org, Visit

Page = dict[str, Any]
VERIFIED_S = 300.0
HOME, MANAGER, ROW, VIEW, CHECK, DETAILS, SURE, SURER = (
    "Setup", "App Manager", "row", "View", "Verify Your Identity", "Manage Consumer Details", "Apply?", "Apply??",
)  # fmt: skip


class NoSuchButton(ValueError):
    """The page has no such button; says which it has."""


def start(org: Org, username: str) -> Page:
    """That user opens Setup."""
    user = next(one for one in org.users if one.username == username)
    org.visit = Visit(user.id, HOME)
    return shown(org)


def click(org: Org, button: str) -> Page:
    """One click. NoSuchButton where the page does not have it."""
    visit = org.visit
    if button not in buttons(org):
        raise NoSuchButton(f"{visit.page} has no button {button!r}; it has: {', '.join(buttons(org))}")
    if visit.page == MANAGER:
        visit.app, visit.page = next(app.id for app in org.apps if app.label == button), ROW
    elif button == "Manage Consumer Details":
        visit.page = DETAILS if verified(org) else ask_code(org)
    elif button == "Generate":
        generate(org, chosen(org), visit.user)
    elif button == "Confirm":
        visit.page = SURER if visit.page == SURE else DETAILS
        if visit.page == DETAILS:
            apply(org, chosen(org))
    else:
        visit.page = {"App Manager": MANAGER, "View": VIEW, "Apply": SURE, "Cancel": DETAILS}[button]
    return shown(org)


def enter_code(org: Org, code: str) -> Page:
    """The code of the identity check; a wrong or late one asks again."""
    visit = org.visit
    if visit.page == CHECK and code and code == visit.code and org.clock.now() < visit.code_until:
        visit.page, visit.verified_at, visit.code = DETAILS, org.clock.now(), ""
    return shown(org)


def ask_code(org: Org) -> str:
    """Mails a code; the page that waits for it."""
    org.visit.code, org.visit.code_until = org.dice.text(5, "0123456789"), org.clock.now() + VERIFIED_S
    return CHECK


def verified(org: Org) -> bool:
    """Whether the identity check still holds."""
    return org.visit.verified_at + VERIFIED_S > org.clock.now()


def chosen(org: Org) -> App:
    """The app whose page stands open."""
    return next(app for app in org.apps if app.id == org.visit.app)


def buttons(org: Org) -> list[str]:
    """What can be clicked on the present page. Who may not rotate sees neither Generate nor Apply."""
    visit = org.visit
    if visit.page == MANAGER:
        return [app.label for app in org.apps if app.kind == "connected_app"]
    if visit.page == DETAILS and not verified(org):
        return []
    may = "ClientSecretRotation" in org.user(visit.user).permissions
    staged = visit.page == DETAILS and chosen(org).consumers[0].generated is not None
    known = {HOME: ["App Manager"], ROW: ["View"], VIEW: ["Manage Consumer Details"],
             DETAILS: (["Generate"] if may else []) + (["Apply"] if may and staged else []),
             SURE: ["Confirm", "Cancel"], SURER: ["Confirm", "Cancel"]}  # fmt: skip
    return known.get(visit.page, [])


def shown(org: Org) -> Page:
    """The present page: its name, its buttons, and on the details page the pairs."""
    page: Page = {"page": org.visit.page, "buttons": buttons(org)}
    if org.visit.page == DETAILS and verified(org):
        consumer = chosen(org).consumers[0]
        staged = consumer.generated
        page |= {
            "key": consumer.primary.key,
            "secret": consumer.primary.secret,
            "staged_key": staged.key if staged else None,
            "staged_secret": staged.secret if staged else None,
        }
    return page


def generate(org: Org, app: App, author: str) -> None:
    """A staged pair beside the present one; the one that was generated before is gone."""
    app.consumers[0].generated = pairs.new_pair(org, author, staged=True)


def apply(org: Org, app: App) -> None:
    """The staged pair replaces the present one, which lingers as a deleted one does; the app's tokens end."""
    consumer, now = app.consumers[0], org.clock.now()
    if consumer.generated is None:
        raise NoSuchButton("nothing was generated")
    consumer.graves.append(Grave(consumer.primary, now))
    consumer.primary, consumer.generated = consumer.generated, None
    if not org.shapes.yes("generated_accepted"):
        consumer.primary.usable_from = now + org.facts.seconds("new_pair_propagation")
    if org.shapes.yes("apply_ends_tokens"):
        for token in org.tokens:
            token.ended = token.ended or token.app == app.id
