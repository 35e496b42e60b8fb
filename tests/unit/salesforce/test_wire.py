"""From JSON to the domain: every ambiguity of reference section 12, and what must not be tolerated."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.adapters.salesforce import wire
from rotator.adapters.salesforce.ids import is_id, last_segment, long_id, opaque, plain, same
from rotator.domain.errors import RotatorError, Unavailable, Unintelligible
from rotator.domain.pair import Author, Consumer, SlotState, Staged
from tests.unit.salesforce.org import CONSUMER, USER, Org, error, port, says

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stagedCredentials", "key", "secret", "id", "state", "createdBy", "url", "records", "Id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "body",
    [
        {"stagedCredentials": [{"id": "SC1", "key": "k", "state": "Active"}], "url": "u"},
        {"stagedCredentials": {"id": "SC1", "key": "k", "state": "Active"}},
        [{"id": "SC1", "key": "k", "state": "Active"}],
        {"id": "SC1", "key": "k", "state": "Active"},
        {"stagedCredentialId": "SC1", "consumerKey": " k\n", "status": "ACTIVE", "secret": None},
        {
            "key": "k",
            "state": "active",
            "stagedCredentialsUrl": "/services/data/v66.0/apps/oauth/credentials/a/b/staged/SC1",
        },
        {"key": "k", "state": "Active", "stagedCredentialsURL": "https://na1.example/x/staged/SC1/?a=b"},
        {"key": "k", "state": "Active", "url": "/services/data/v66.0/apps/oauth/credentials/a/b/staged/SC1"},
    ],
)
def test_every_reported_shape_of_a_staged_entry_reads_the_same(body: object) -> None:
    """Collection, wrapped, bare, flat; either name of each member; the id from the URL where it has none."""
    (entry,) = port(Org(says(body))).slot(CONSUMER)
    assert (entry.id, entry.pair.key, entry.state, entry.pair.secret) == ("SC1", "k", SlotState.ACTIVE, None)


@pytest.mark.parametrize("body", [[], {"stagedCredentials": []}])
def test_an_empty_list_means_that_nothing_is_staged(body: object) -> None:
    """With a 404, the only two ways to say so."""
    assert port(Org(says(body))).slot(CONSUMER) == ()
    assert port(Org(error("NOT_FOUND", "", 404))).slot(CONSUMER) == ()


@pytest.mark.parametrize(
    "body", [{}, {"stagedCredentials": None}, None, "", [None], [{}], [{"id": "SC1"}], {"url": "u"}]
)
def test_anything_else_never_means_that_nothing_is_staged(body: object) -> None:
    """Invariant 7: what cannot be read is a failure."""
    with pytest.raises(Unintelligible):
        port(Org(says(body))).slot(CONSUMER)


@pytest.mark.parametrize("state", ["Frozen", "", None, 7])
def test_an_unknown_or_missing_state_is_not_guessed(state: object) -> None:
    """A read leaves it unknown, so that the saga stops; only the answer to our own POST means Active."""
    row = {"id": "SC1", "key": "k", "state": state}
    assert port(Org(says([row]))).slot(CONSUMER)[0].state is SlotState.UNKNOWN
    fresh = port(Org(says({"id": "SC1", "key": "k"}, 201))).stage(CONSUMER)
    assert (fresh.state, fresh.author) == (SlotState.ACTIVE, Author.US)


@pytest.mark.parametrize(
    ("created_by", "author"),
    [(USER, Author.US), (USER[:15], Author.US), ("005EX0000000099UAA", Author.THEM), (None, Author.UNKNOWN),
     ("rotator@acme.example", Author.US), ("Rotator", Author.US), ("admin@acme.example", Author.THEM)],
)  # fmt: skip
def test_the_author_is_known_by_id_or_by_name(created_by: object, author: Author) -> None:
    """createdBy may be an id of either length, a user name, a display name, or missing."""
    user = {"records": [{"Username": "Rotator@acme.example", "Name": "Rotator"}], "done": True, "totalSize": 1}
    sf = port(Org(says([{"key": "k", "id": "x", "createdBy": created_by}]), says(user)))
    assert sf.slot(CONSUMER)[0].author is author


def test_an_author_by_name_is_unknown_where_our_own_name_is() -> None:
    """Where the org does not let us read our user, nobody is accused; it is asked again next time."""
    sf = port(Org(says([{"key": "k", "id": "x", "createdBy": "Someone"}]), error("X", "", 403)))
    assert sf.slot(CONSUMER)[0].author is Author.UNKNOWN


def test_an_author_whom_the_org_cannot_look_up_now_is_looked_up_later() -> None:
    """A fault while our own user is read fails the look at the slot, and is not remembered as "nobody": calibrate would
    take it for an org that names no authors."""
    slot = says([{"key": "k", "id": "x", "createdBy": "Rotator"}])
    user = says({"records": [{"Username": "r@acme.example", "Name": "Rotator"}], "done": True, "totalSize": 1})
    sf = port(Org(slot, error("X", "", 503), slot, user))
    with pytest.raises(Unavailable):
        sf.slot(CONSUMER)
    assert sf.slot(CONSUMER)[0].author is Author.US


@pytest.mark.parametrize(
    "value",
    ["2026-09-01T12:00:00Z", "2026-09-01T12:00:00.000+0000", "2026-09-01T14:00:00+02:00", "2026-09-01T12:00:00.000Z",
     1788264000, 1788264000000, "1788264000000", " 2026-09-01T12:00:00Z "],
)  # fmt: skip
def test_a_date_is_read_in_each_format(value: object) -> None:
    """ISO with Z, offset, milliseconds; epoch in seconds or milliseconds."""
    assert wire.moment(value) == NOON


@pytest.mark.parametrize(
    "value", [None, "", "a while ago", True, -1, 1e300, 10**400, "9" * 40, {}, "0001-01-01T00:00:00+23:59"]
)
def test_a_date_that_is_not_understood_is_unknown(value: object) -> None:
    """Unknown is not the same as long ago."""
    assert wire.moment(value) is None


@given(JSON)
def test_no_body_whatever_makes_the_reader_fail_otherwise(body: object) -> None:
    """Any JSON is an answer or one of our errors, for a read of the slot."""
    entries: tuple[Staged, ...] = ()
    with suppress(RotatorError):
        entries = port(Org(says(body), says({"records": []}))).slot(CONSUMER)
    assert all(entry.pair.key for entry in entries)


@given(st.text(alphabet="ABCXYZabcxyz0123456789", min_size=15, max_size=15))
def test_an_id_has_one_long_form(short: str) -> None:
    """Both lengths give the same 18 characters; the first 15 decide, case-sensitively."""
    assert long_id(short) == long_id(long_id(short))
    assert (len(long_id(short)), same(short, long_id(short))) == (18, True)
    assert same(short, short.swapcase()) is (short == short.swapcase())


def test_the_checksum_of_an_id_is_the_published_one() -> None:
    """A known example: upper case sets bits, five to a letter."""
    assert long_id("001A0000006Vm9u") == "001A0000006Vm9uIAC"


@pytest.mark.parametrize("value", ["..", ".", "a/b", "a%2fb", "a?b", "", None, 7, "a b", "x" * 201, "a\n"])
def test_an_id_that_could_leave_its_place_in_a_path_is_none(value: object) -> None:
    """A staged id comes from the far side: it must not become another path."""
    assert opaque(value) == ""
    assert not is_id(value)


@pytest.mark.parametrize("url", ["/x/staged/SC1/y", "/x/staged/..", "/x/staged/a%2Fb", "/x/staged/", "/x/SC1", None, 7])
def test_an_id_is_taken_from_the_very_end_of_a_url_or_not_at_all(url: object) -> None:
    """A URL with anything else behind the id is not understood."""
    assert last_segment(url, "staged") == ""


def test_a_hostile_id_of_an_entry_is_not_called() -> None:
    """Such an entry has no id; promote and delete of it are refused before anything is sent."""
    org = Org(says([{"key": "k", "id": "../../../../sobjects", "state": "Active"}]))
    sf = port(org)
    (entry,) = sf.slot(CONSUMER)
    assert entry.id == ""
    for act in (sf.promote, sf.delete):
        with pytest.raises(Unintelligible):
            act(CONSUMER, entry.id)
    with pytest.raises(Unintelligible):
        sf.primary(Consumer("00D", "../x", "888"))
    assert len(org.calls) == 1


def test_a_name_from_the_org_is_freed_of_control_characters() -> None:
    """Escape codes, newlines, right-to-left marks and lone surrogates do not reach a terminal or a log."""
    assert plain("Bil\x1b[31mling\r\n\u202eSync\u0000\ud800") == "Bil[31mlingSync"
    assert (plain(None), plain("x" * 500)) == ("", "x" * 200)


def test_a_secret_that_was_not_asked_for_is_dropped() -> None:
    """What is not needed is not held."""
    org = Org(says({"key": "k", "secret": "s"}), says({"key": "k", "secret": "s"}))
    sf = port(org)
    assert sf.primary(CONSUMER).secret is None
    assert sf.primary(CONSUMER, with_secret=True).secret
    assert [r.url.params.get("part") for r in org.requests[1:]] == ["key", "keyandsecret"]


def test_versions_and_limits_leave_out_what_they_do_not_understand() -> None:
    """Unknown members are no error."""
    sf = port(Org(says([{"version": "64.0"}, {"version": "x"}, 7, {"version": "9.0"}, {"version": "66.0"}]),
                  says({"DailyApiRequests": {"Max": 10, "Remaining": 3, "New": {}}, "Odd": 7})))  # fmt: skip
    assert sf.versions() == ("64.0", "66.0")
    assert sf.limits() == {"DailyApiRequests": (10, 3)}
