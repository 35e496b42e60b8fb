"""Which mention belongs to which app: by id, else by developer name, and by a label only where one app alone has it."""

from __future__ import annotations

from datetime import UTC, datetime

from rotator.adapters.inventory import opened
from rotator.domain.inventory import AppKind, Known, Mention, Owner, Source, Standing

ID, OTHER = "0xI000000000001AAA", "0xI000000000002AAA"
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def external(source: Source, app_id: str = "", name: str = "", label: str = "",
             namespace: str | None = None) -> Mention:
    """An External Client App as a listing names it."""
    return Mention(source, AppKind.EXTERNAL, app_id, name, label, namespace)


def token(label: str, used: datetime | None = None, app_id: str = "", *, alone: bool = True) -> Mention:
    """A row of OauthToken or LoginHistory."""
    return Mention(Source.TOKENS, app_id=app_id, label=label, used=used, user="005000000000001AAA", alone=alone)


def merged(*mentions: Mention) -> tuple[list[Known], int]:
    """The union of these, by name, and how many mentions were nobody's."""
    with opened() as inventory:
        for one in mentions:
            inventory.add(one)
        return list(inventory.apps(frozenset())), inventory.doubtful


def test_ids_of_both_lengths_are_one_app() -> None:
    """Fifteen and eighteen characters name one record; what one listing does not tell another adds."""
    short = external(Source.USAGE, ID[:15], "", "Billing Sync")
    (one,), _ = merged(external(Source.APPS, ID, "Billing", "", ""), short)
    assert (one.app_id, one.name, one.label, one.owner) == (ID, "Billing", "Billing Sync", Owner.OURS)
    assert one.sources == (Source.APPS, Source.USAGE)


def test_a_name_without_an_id_belongs_to_the_app_of_that_name_and_namespace() -> None:
    """Metadata knows names alone. An app of a package is not the local app of the same name."""
    apps, _ = merged(external(Source.APPS, ID, "Billing", "", ""), external(Source.METADATA, "", "billing", "", ""),
                     external(Source.METADATA, "", "Billing", "", "pkg"))  # fmt: skip
    assert [(one.sources, one.owner) for one in apps] == [
        ((Source.APPS, Source.METADATA), Owner.OURS), ((Source.METADATA,), Owner.VENDOR),
    ]  # fmt: skip


def test_a_label_that_two_apps_have_is_nobodys() -> None:
    """A token that bears it is counted as doubtful, and makes no app look used."""
    apps, doubtful = merged(external(Source.APPS, ID, "A", "Sync"), external(Source.APPS, OTHER, "B", "Sync"),
                            token("Sync", LATE))  # fmt: skip
    assert ([one.used for one in apps], doubtful) == ([None, None], 1)


def test_a_label_of_one_app_gives_it_its_latest_use() -> None:
    """The later of two uses stays, in whatever order they come; a token that names the id needs no label."""
    (one,), _ = merged(external(Source.APPS, ID, "A", "Sync"), token("Sync", LATE), token("Sync", EARLY),
                       token("", EARLY, ID))  # fmt: skip
    assert (one.used, one.holder, one.run_as) == (LATE, "005000000000001AAA", "")


def test_what_only_tokens_name_is_an_app_and_a_browser_is_none() -> None:
    """A label that nobody else knows is an app of unknown kind, unless its login was none of an app."""
    apps, _ = merged(token("Ghost", EARLY), token("Ghost", LATE), token("Browser", LATE, alone=False))
    assert [(one.label, one.kind, one.owner, one.used) for one in apps] == [
        ("Ghost", AppKind.UNKNOWN, Owner.UNKNOWN, LATE)]  # fmt: skip


def test_a_classic_apps_developer_name_is_found_by_its_label() -> None:
    """Its listing tells a label, its metadata a name made of it: one app, unless two have that label."""
    listed = Mention(Source.CLASSIC, AppKind.CLASSIC, "0H4000000000001AAA", "", "Legacy Crm")
    named = Mention(Source.METADATA, AppKind.CLASSIC, "", "Legacy_CRM", "", "")
    (one,), _ = merged(listed, named)
    assert (one.name, one.label, one.owner) == ("Legacy_CRM", "Legacy Crm", Owner.OURS)
    second = Mention(Source.CLASSIC, AppKind.CLASSIC, "0H4000000000002AAA", "", "Legacy Crm")
    assert len(merged(listed, second, named)[0]) == 3


def test_the_pressing_ones_are_told_first_and_the_managed_ones_looked_at_first() -> None:
    """Standing before name; the given numbers before the rest."""
    with opened() as inventory:
        for name in ("A", "B", "C"):
            inventory.add(external(Source.METADATA, "", name))
        (number,) = inventory.named("c", AppKind.EXTERNAL)
        assert [one.name for one in inventory.apps(frozenset({number}))] == ["C", "A", "B"]
        for standing, name in ((Standing.VENDOR, "A"), (Standing.MANAGED, "B"), (Standing.DRIFTED, "C")):
            inventory.keep(standing, name, name)
        assert (list(inventory.kept()), len(inventory)) == (["C", "B", "A"], 3)
