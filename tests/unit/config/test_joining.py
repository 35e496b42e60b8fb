"""conf.d: several files read as one."""

from __future__ import annotations

from pathlib import Path

from rotator import config
from tests.unit.config.given import APP, ORG, VAULT, mistakes, write


def test_conf_d_adds_orgs_apps_and_subtables(tmp_path: Path) -> None:
    """Apps from one file, facts of an org from another, the rest from the main file."""
    write(tmp_path, APP, "conf.d/10-billing.toml")
    write(tmp_path, APP.replace("illing", "ooks"), "conf.d/20-books.toml")
    write(tmp_path, '[orgs.acme.facts]\nstaged_pair_accepted = "yes"', "conf.d/30-facts.toml")
    write(tmp_path, "nonsense", "conf.d/README.txt")
    loaded = config.load(write(tmp_path, VAULT + ORG), {})
    assert list(loaded.config.apps) == ["billing", "books"]
    assert loaded.config.orgs["acme"].stated_facts() == {"staged_pair_accepted": "yes"}
    assert [file.name for file in loaded.files] == ["rotator.toml", "10-billing.toml", "20-books.toml", "30-facts.toml"]


def test_what_two_files_define_is_refused_naming_both(tmp_path: Path) -> None:
    """A table or a key may stand once; the mistake stands at the second and names the first."""
    main = write(tmp_path, 'state_dir = "/a"\n' + VAULT + ORG + APP)
    other = write(
        tmp_path, '\nstate_dir = "/b"\n[vault]\nmount = "x"\n[apps.billing]\nenabled = false', "conf.d/b.toml"
    )
    found = {m.key: m for m in mistakes(main)}
    assert {key: m.line for key, m in found.items()} == {"state_dir": 2, "vault": 3, "apps.billing": 5}
    assert all(m.file == str(other) and str(main) in m.message and "line" in m.message for m in found.values())


def test_a_table_on_one_line_and_a_header_for_it_collide(tmp_path: Path) -> None:
    """`schedule = {...}` here and `[apps.billing.schedule]` there are the same table twice."""
    main = write(tmp_path, VAULT + ORG + APP + 'schedule = { every = "60d" }')
    write(tmp_path, '[apps.billing.schedule]\nwindow = "Sun 02:00-05:00"', "conf.d/b.toml")
    (found,) = mistakes(main)
    assert (found.key, found.line) == ("apps.billing.schedule", 1)


def test_a_value_in_one_file_and_a_table_in_another_collide(tmp_path: Path) -> None:
    """No shape of two files brings the loader down or hides one of the two."""
    main = write(tmp_path, VAULT + "[orgs]\nacme = 1\n")
    write(tmp_path, ORG, "conf.d/b.toml")
    assert "orgs.acme" in {m.key for m in mistakes(main) if "keep one" in m.message}


def test_two_files_of_conf_d_are_compared_with_each_other(tmp_path: Path) -> None:
    """The third file is held against the second, not only against the first."""
    write(tmp_path, APP, "conf.d/a.toml")
    write(tmp_path, APP, "conf.d/b.toml")
    (found,) = mistakes(write(tmp_path, VAULT + ORG))
    assert found.file.endswith("b.toml")
    assert "a.toml, line 2" in found.message


def test_notify_entries_add_up_and_keep_their_lines(tmp_path: Path) -> None:
    """A mistake in the second file's first entry is found in that file, not in the first."""
    notice = '[[notify]]\nkind = "slack"\nurl_file = "u"\n'
    write(tmp_path, "\n" + notice + 'evnts = ["held"]\n', "conf.d/b.toml")
    (found,) = mistakes(write(tmp_path, VAULT + ORG + notice))
    assert (Path(found.file).name, found.line, found.key) == ("b.toml", 5, "notify[1].evnts")
