"""Foreign acts: what other admins, other tools and other Vault writers do to an app behind the rotator's back."""

from __future__ import annotations

from collections.abc import Callable

from rotator.simulator.org import pairs
from rotator.simulator.org.model import App, Consumer, Entry, Org, User
from rotator.simulator.vault.kv import Mount
from rotator.simulator.watch import Watched


class Scene:
    """One consumer, its live path, and the person who acts."""

    def __init__(self, org: Org, app: App, consumer: Consumer, mount: Mount, watched: Watched) -> None:
        self.org, self.app, self.consumer, self.mount, self.watched = org, app, consumer, mount, watched

    def them(self) -> User:
        """Another admin."""
        return next(user for user in self.org.users if user.username.startswith("admin@"))

    def note(self, action: str, display: str, author: User | None = None) -> None:
        """Their act stands in the Setup audit trail, where this org keeps such acts."""
        self.org.note_pair((author or self.them()).id, action, f"{display} of {self.app.label}")

    def us(self) -> User:
        """The rotator's own user."""
        return next(user for user in self.org.users if user.username.startswith("rotator@"))

    def entry(self, state: str) -> Entry | None:
        """The slot's first entry, if in that state."""
        pairs.expire(self.org, self.consumer)
        first = self.consumer.slot[0] if self.consumer.slot else None
        return first if first and (first.state == state or not state) else None


def stage(scene: Scene, as_us: bool = False, again: bool = False) -> bool:
    """Stage a pair: as another admin, or under our own name; `again`: although the slot is taken."""
    if scene.consumer.slot and not again:
        return False
    author = scene.us() if as_us else scene.them()
    pair = pairs.new_pair(scene.org, author.id, staged=True)
    pairs.put_entry(scene.org, scene.consumer, pair, "Active", author.id)
    scene.note("stagedCredentials", "Staged credentials", author)
    return True


def swap_entry(scene: Scene, as_us: bool = False) -> bool:
    """Delete the Active entry and stage another."""
    return delete(scene, "Active") and stage(scene, as_us)


def delete(scene: Scene, state: str) -> bool:
    """Delete the entry in that state."""
    entry = scene.entry(state)
    if entry:
        pairs.bury(scene.org, scene.consumer, entry)
        scene.note("deletedCredentials", "Deleted staged credentials")
    return entry is not None


def promote(scene: Scene, state: str) -> bool:
    """Make the entry in that state primary (for Rotated: roll back)."""
    entry = scene.entry(state)
    if entry:
        pairs.swap(scene.org, scene.consumer, entry, scene.them().id)
        scene.note("rotatedCredentials", "Rotated credentials")
    return entry is not None


def stage_and_promote(scene: Scene) -> bool:
    """Replace whatever is staged, and promote the foreign pair."""
    pairs.bury(scene.org, scene.consumer, *scene.consumer.slot)
    return stage(scene) and promote(scene, "Active")


def expire(scene: Scene) -> bool:
    """The thirty days of the entry are over."""
    entry = scene.entry("")
    if entry:
        pairs.expire_entry(scene.org, scene.consumer, entry)
    return entry is not None


def replace_primary(scene: Scene) -> bool:
    """A metadata deploy mints a new primary; the old one is dead at once."""
    pairs.replace_primary(scene.org, scene.consumer, scene.them().id)
    scene.note("rotatedCredentials", "Deployed new credentials")
    return True


def write_live(scene: Scene) -> bool:
    """Write another pair to the live path."""
    pair = pairs.new_pair(scene.org, scene.them().id)
    scene.mount.write(scene.watched.path, {scene.watched.key_field: pair.key, "client_secret": pair.secret}, None)
    return True


def roll_back_live(scene: Scene) -> bool:
    """Write the newest earlier version with another key back to the live path."""
    key = scene.mount.keys.get(scene.watched.path)
    now = key.versions[key.current].data if key and key.current in key.versions else None
    if key is None or now is None:
        return False
    for number in sorted(key.versions, reverse=True):
        data = key.versions[number].data
        if data and data.get(scene.watched.key_field) != now.get(scene.watched.key_field):
            scene.mount.write(scene.watched.path, dict(data), None)
            return True
    return False


def edit_live_field(scene: Scene) -> bool:
    """Change a field of the live path that the rotator does not own."""
    found = scene.mount.read(scene.watched.path)
    if found is None or scene.mount.gone(found[2]) or found[2].data is None:
        return False
    scene.mount.write(scene.watched.path, {**found[2].data, "owner": "team-b"}, None)
    return True


def delete_live(scene: Scene) -> bool:
    """Delete the current version of the live path."""
    scene.mount.delete(scene.watched.path)
    return True


def block(scene: Scene, blocked: bool) -> bool:
    """Turn the app's OAuth plug-in off or on."""
    scene.app.oauth_plugin_enabled = not blocked
    state = "off" if blocked else "on"
    scene.org.note(scene.them().id, "changedPolicies", f"Changed policies of {scene.app.label}: OAuth plugin {state}")
    return True


ACTS: dict[str, Callable[[Scene], bool]] = {
    "stage": stage,
    "stage_as_us": lambda scene: stage(scene, as_us=True),
    "second_entry": lambda scene: stage(scene, again=True),
    "swap": swap_entry,
    "swap_as_us": lambda scene: swap_entry(scene, as_us=True),
    "delete": lambda scene: delete(scene, "Active"),
    "delete_rotated": lambda scene: delete(scene, "Rotated"),
    "promote": lambda scene: promote(scene, "Active"),
    "promote_rotated": lambda scene: promote(scene, "Rotated"),
    "stage_and_promote": stage_and_promote,
    "expire": expire,
    "replace_primary": replace_primary,
    "write_live": write_live,
    "roll_back_live": roll_back_live,
    "edit_live_field": edit_live_field,
    "delete_live": delete_live,
    "block": lambda scene: block(scene, blocked=True),
    "unblock": lambda scene: block(scene, blocked=False),
}
