"""The life of a pair: stage, rotate, delete, expire, and which pair Salesforce accepts. No HTTP."""

from __future__ import annotations

from typing import NamedTuple

from rotator.simulator.org.model import STAGED_LIFE, App, Consumer, Entry, Grave, Org, Pair, SalesforceError

PRIMARY, GRAVE, GENERATED = "primary", "grave", "generated"


class Claim(NamedTuple):
    """Where a consumer key stands: `primary`, `generated`, the slot state, or `grave`, and since when."""

    app: App
    consumer: Consumer
    pair: Pair
    standing: str
    since: float


def new_pair(org: Org, author: str, staged: bool = False) -> Pair:
    """Mint a pair. A staged one becomes usable after propagation."""
    now = org.clock.now()
    wait = org.facts.seconds("new_pair_propagation") if staged else 0.0
    pair = Pair(org.dice.consumer_key(), org.dice.consumer_secret(), now, author, now + wait)
    org.secrets.append(pair.secret)
    return pair


def stage(org: Org, app: App, consumer: Consumer, author: str) -> Entry:
    """POST staged: mint into the slot; SalesforceError when it is taken or the app is blocked."""
    if not app.oauth_plugin_enabled and not org.facts.yes("stage_while_blocked"):
        raise SalesforceError(400, "INVALID_OPERATION", "The OAuth plugin of this external client app is disabled.")
    expire(org, consumer)
    taken = org.shapes["slot_taken"]
    if consumer.slot and taken in ("400", "409"):
        raise SalesforceError(int(taken), "DUPLICATE_VALUE", "Staged credentials already exist for this consumer.")
    if taken == "replace":
        bury(org, consumer, *consumer.slot)
    return put_entry(org, consumer, new_pair(org, author, staged=True), "Active", author)


def put_entry(org: Org, consumer: Consumer, pair: Pair, state: str, author: str, entry_id: str = "") -> Entry:
    """Put a pair into the slot in that state, under a fresh id unless one is given."""
    now = org.clock.now()
    entry = Entry(entry_id or org.dice.text(18), pair, state, now, now + STAGED_LIFE, author, now)
    consumer.slot.append(entry)
    return entry


def rotate(org: Org, consumer: Consumer, entry: Entry, author: str) -> Entry:
    """PATCH rotate: the Active entry becomes primary, the primary takes the slot as Rotated. Gives the new entry."""
    expire(org, consumer)
    answer = org.shapes["rotate_rotated"]
    if entry.state == "Expired" or (entry.state == "Rotated" and answer != "swap"):
        status = int(answer) if answer != "swap" else 400
        raise SalesforceError(status, "INVALID_OPERATION", f"Credentials in state {entry.state} can't be rotated.")
    return swap(org, consumer, entry, author)


def swap(org: Org, consumer: Consumer, entry: Entry, author: str) -> Entry:
    """The swap itself, whatever the state."""
    now = org.clock.now()
    was_usable = entry.state == "Rotated" or org.facts.yes("staged_pair_accepted")
    if not was_usable:
        entry.pair.usable_from = now + org.facts.seconds("new_pair_propagation")
    consumer.slot.remove(entry)
    old, consumer.primary = consumer.primary, entry.pair
    if not org.facts.yes("rotated_pair_accepted"):
        end_tokens_of(org, old)
    entry_id = entry.id if org.facts.yes("slot_id_survives_rotate") else ""
    return put_entry(org, consumer, old, "Rotated", author, entry_id)


def bury(org: Org, consumer: Consumer, *entries: Entry) -> None:
    """DELETE staged: the pair is gone, and with it its tokens where the org does so."""
    for entry in entries:
        consumer.slot.remove(entry)
        if usable_standing(org, entry.state):
            consumer.graves.append(Grave(entry.pair, org.clock.now()))
        elif entry.state == "Rotated":
            consumer.graves.append(Grave(entry.pair, entry.turned_at))
        end_tokens_of(org, entry.pair)


def replace_primary(org: Org, consumer: Consumer, author: str) -> Pair:
    """A metadata deploy with shouldRotateConsumerKey: the old primary dies at once (reference 5.3)."""
    old, consumer.primary = consumer.primary, new_pair(org, author)
    consumer.graves.append(Grave(old, org.clock.now()))
    end_tokens_of(org, old)
    return consumer.primary


def expire(org: Org, consumer: Consumer) -> None:
    """Turn slot entries whose thirty days are over into Expired ones."""
    for entry in consumer.slot:
        if entry.state != "Expired" and org.clock.now() >= entry.expires_at:
            expire_entry(org, consumer, entry)


def expire_entry(org: Org, consumer: Consumer, entry: Entry) -> None:
    """Make one entry Expired now; a pair that was accepted lingers as long as a deleted one."""
    if usable_standing(org, entry.state):
        consumer.graves.append(Grave(entry.pair, org.clock.now()))
    entry.state, entry.turned_at = "Expired", org.clock.now()
    end_tokens_of(org, entry.pair)


def end_tokens_of(org: Org, pair: Pair) -> None:
    """What `tokens_die_with_pair` says about the tokens that this pair minted."""
    if org.facts.yes("tokens_die_with_pair"):
        for token in org.tokens:
            token.ended = token.ended or token.key == pair.key


def usable_standing(org: Org, standing: str) -> bool:
    """Whether a pair standing there is accepted, by the org's facts."""
    known = {"Active": "staged_pair_accepted", "Rotated": "rotated_pair_accepted"}
    if standing == GENERATED:
        return org.shapes.yes("generated_accepted")
    return standing == PRIMARY or (standing in known and org.facts.yes(known[standing]))


def claim(org: Org, key: str) -> Claim | None:
    """Where that key stands now; None when the org never knew it. It is looked for where it was found last, for a key
    never moves to another consumer: with thousands of apps a look at all of them takes long."""
    home = org.homes.get(key)
    found = claim_of(org, *home, key) if home else None
    if found is not None:
        return found
    for app, consumer in org.every_consumer():
        org.homes[consumer.primary.key] = (app, consumer)
        here = claim_of(org, app, consumer, key) if found is None else None
        if here is not None:
            org.homes[key], found = (app, consumer), here
    return found


def claim_of(org: Org, app: App, consumer: Consumer, key: str) -> Claim | None:
    """Where that key stands with one consumer; None when it is not there."""
    expire(org, consumer)
    if consumer.primary.key == key:
        return Claim(app, consumer, consumer.primary, PRIMARY, 0.0)
    if consumer.generated is not None and consumer.generated.key == key:
        return Claim(app, consumer, consumer.generated, GENERATED, consumer.generated.minted_at)
    for entry in consumer.slot:
        if entry.pair.key == key:
            return Claim(app, consumer, entry.pair, entry.state, entry.turned_at)
    for grave in reversed(consumer.graves):
        if grave.pair.key == key:
            return Claim(app, consumer, grave.pair, GRAVE, grave.died_at)
    return None


def accepted_on_record(org: Org, key: str) -> bool:
    """Whether Salesforce's own record accepts the key: primary, or in the slot in an accepting state.
    Propagation and the app's switches do not count."""
    found = claim(org, key)
    return found is not None and usable_standing(org, found.standing)


def logs_in(org: Org, found: Claim) -> bool:
    """Whether a login with the pair (secret already checked) succeeds now, propagation included."""
    now = org.clock.now()
    if usable_standing(org, found.standing):
        return now >= found.pair.usable_from or flapped(org)
    dying_since = max((g.died_at for g in found.consumer.graves if g.pair.key == found.pair.key), default=None)
    if found.standing == "Rotated":
        dying_since = found.since
    if dying_since is None or now >= dying_since + org.facts.seconds("delete_propagation"):
        return False
    return not flapped(org)


def flapped(org: Org) -> bool:
    """Inside a propagation window each login may meet another server: half of them answer the other way."""
    return org.shapes["propagation"] == "flapping" and org.dice.random() < 0.5
