"""What each answer of Vault means, for a read, for a write and for a login."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.adapters.vault import VaultKv
from rotator.domain.errors import (
    CasMismatch,
    OutcomeUnknown,
    Refused,
    RotatorError,
    Unavailable,
    Unintelligible,
)
from rotator.domain.pair import Credential, EscrowContent, Pair
from rotator.domain.secret import Secret
from tests.unit.vault.fake import TARGET, FakeVault, client_of, port_of, told

CAS = {"errors": ["check-and-set parameter did not match the current version"]}
SEALED = {"errors": ["Vault is sealed"]}
QUOTA = {"errors": ['request path "x": rate limit quota exceeded']}
SOME = {"errors": ["something"]}
PAGE = "<html>gateway</html>"

# status, body, what a read raises, what a write raises, code
TABLE = [
    (400, CAS, CasMismatch, CasMismatch, "check_and_set"),
    (400, {"errors": ["Upgrading from non-versioned to versioned data"]}, Unavailable, Unavailable, "vault_upgrading"),
    (400, SOME, Refused, Refused, "vault_refused"),
    (400, PAGE, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (401, SOME, Refused, Refused, "vault_permission"),
    (403, {"errors": ["1 error occurred: permission denied"]}, Refused, Refused, "vault_permission"),
    (403, PAGE, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (404, {"errors": ['no handler for route "secret/data/x"']}, Refused, Refused, "vault_mount"),
    (404, PAGE, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (405, SOME, Refused, Refused, "vault_refused"),
    (412, SOME, Unavailable, Unavailable, "vault_behind"),
    (413, SOME, Refused, Refused, "vault_refused"),
    (429, QUOTA, Unavailable, Unavailable, "vault_throttled"),
    (429, SOME, Unavailable, Unavailable, "vault_standby"),
    (429, "", Unavailable, Unavailable, "vault_standby"),
    (472, SOME, Unavailable, Unavailable, "vault_standby"),
    (473, SOME, Unavailable, Unavailable, "vault_standby"),
    (474, SOME, Unavailable, Unavailable, "vault_standby"),
    (530, SOME, Unavailable, Unavailable, "vault_standby"),
    (500, SOME, Unavailable, OutcomeUnknown, "vault_error"),
    (501, SOME, Unavailable, Unavailable, "vault_not_initialised"),
    (502, PAGE, Unavailable, OutcomeUnknown, "vault_down"),
    (503, SEALED, Unavailable, Unavailable, "vault_sealed"),
    (503, PAGE, Unavailable, OutcomeUnknown, "vault_down"),
    (504, PAGE, Unavailable, OutcomeUnknown, "vault_error"),
    (599, PAGE, Unavailable, OutcomeUnknown, "vault_error"),
    (301, None, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (302, None, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (307, None, Unavailable, Unavailable, "vault_standby"),
    (200, PAGE, Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (200, "", Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (200, "[]", Unintelligible, OutcomeUnknown, "vault_unintelligible"),
    (299, "{", Unintelligible, OutcomeUnknown, "vault_unintelligible"),
]
IDS = [f"{status}-{code}-{place}" for place, (status, _, _, _, code) in enumerate(TABLE)]

READS: dict[str, Callable[[VaultKv], object]] = {
    "live": lambda port: port.live(TARGET),
    "live_version": lambda port: port.live_version(TARGET, 1),
    "versions_holding": lambda port: port.versions_holding(TARGET, ["k"], 9),
    "escrow": lambda port: port.escrow(TARGET),
    "preflight": lambda port: port.preflight(TARGET),
}
WRITES: dict[str, Callable[[VaultKv], object]] = {
    "write_live": lambda port: port.write_live(TARGET, Credential(Pair("k", Secret("s")), "r"), 1),
    "write_live_empty": lambda port: port.write_live(TARGET, None, 0),
    "destroy_live": lambda port: port.destroy_live(TARGET, [1]),
    "write_escrow": lambda port: port.write_escrow(TARGET, EscrowContent("r", None), 0),
    "destroy_escrow": lambda port: port.destroy_escrow(TARGET, 1),
}


def raised(act: Callable[[VaultKv], object], status: int, body: object) -> RotatorError:
    with pytest.raises(RotatorError) as caught:
        act(port_of(FakeVault(lambda _: told(status, body))))
    return caught.value


@pytest.mark.parametrize("act", READS.values(), ids=READS)
@pytest.mark.parametrize(("status", "body", "read", "write", "code"), TABLE, ids=IDS)
def test_a_read_raises_what_the_table_says(
    act: Callable[[VaultKv], object], status: int, body: object, read: type, write: type, code: str
) -> None:
    """Exactly that class, with the code, the status and a next action."""
    error = raised(act, status, body)
    assert (type(error), error.code, error.http_status) == (read, code, status)
    assert error.fix


@pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(("status", "body", "read", "write", "code"), TABLE, ids=IDS)
def test_a_write_raises_what_the_table_says(
    act: Callable[[VaultKv], object], status: int, body: object, read: type, write: type, code: str
) -> None:
    """Unavailable or Refused only where it is certain that nothing changed; else OutcomeUnknown."""
    error = raised(act, status, body)
    assert (type(error), error.code, error.http_status) == (write, code, status)
    assert error.fix


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_clear_no_to_a_login_is_a_refused_login(status: int) -> None:
    """Also before a write: nothing was changed, and the fix is about the login."""
    client = client_of(lambda _: told(status, SOME))
    with pytest.raises(Refused) as caught:
        VaultKv(client).write_live(TARGET, None, 0)
    assert caught.value.code == "vault_login"


@pytest.mark.parametrize(("status", "body"), [(500, SOME), (502, PAGE), (503, PAGE), (503, SEALED), (429, QUOTA)])
def test_a_login_without_a_clear_answer_is_unavailable_also_before_a_write(status: int, body: object) -> None:
    """A login changes nothing that we keep, so it is never an unknown outcome."""
    client = client_of(lambda _: told(status, body))
    with pytest.raises(Unavailable):
        VaultKv(client).write_live(TARGET, None, 0)


@pytest.mark.parametrize("answer", [{}, {"auth": {}}, {"auth": {"client_token": "", "lease_duration": 1}}, {"auth": 3}])
def test_a_login_answer_without_a_token_is_not_understood(answer: object) -> None:
    """Never an empty token in a later call."""
    with pytest.raises(Unintelligible):
        port_of(lambda _: told(200, answer)).live(TARGET)


def test_the_wait_that_vault_asks_for_is_kept() -> None:
    """Retry-After in seconds; anything else is ignored."""
    asked = {"retry-after": "17"}
    for headers, wanted in ((asked, 17.0), ({"retry-after": "Wed, 21 Oct"}, None), ({}, None)):
        with pytest.raises(Unavailable) as caught:
            port_of(FakeVault(lambda _, h=headers: told(429, QUOTA, h))).live(TARGET)  # type: ignore[misc]
        assert caught.value.retry_after == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"data": {"client_id": "k", "client_secret": "s"}}},
        {"data": {"data": None, "metadata": {"version": 3}}},
        {"data": {"data": [], "metadata": {"version": 3}}},
        {"data": {"data": {"client_id": "k", "client_secret": "s"}, "metadata": {"version": "3"}}},
        {"data": []},
        {"client_id": "k"},
    ],
)
def test_a_read_that_is_no_kv_2_answer_is_not_understood(body: object) -> None:
    """Never taken for an absent secret."""
    with pytest.raises(Unintelligible):
        port_of(FakeVault(lambda _: told(200, body))).live(TARGET)


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": {"version": "2"}}, {"data": None}])
def test_a_write_that_is_taken_without_a_version_number_is_unknown(body: object) -> None:
    """It may stand there under any number: look."""
    with pytest.raises(OutcomeUnknown):
        port_of(FakeVault(lambda _: told(200, body))).write_escrow(TARGET, EscrowContent("r", None), 0)


MEMBERS = ("data", "metadata", "version", "versions", "errors", "auth", "client_token", "lease_duration", "1", "-1")
OURS = ("client_id", "client_secret", "rotation_id", "custom_metadata", "max_versions", "delete_version_after")
WORDS = st.sampled_from([*MEMBERS, *OURS, "cas_required", "destroyed", "request_id"]) | st.text(max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
ACTS = {**READS, **WRITES}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(act=st.sampled_from(sorted(ACTS)), status=st.sampled_from([200, 204, 400, 403, 404, 503]), body=JSON)
def test_whatever_json_a_server_gives_only_our_errors_leave(act: str, status: int, body: object) -> None:
    """Members of every type in every place, also at the login."""
    said: list[BaseException] = []
    for server in (FakeVault(lambda _: told(status, json.dumps(body))), lambda _: told(status, json.dumps(body))):
        try:
            ACTS[act](port_of(server))
        except Exception as error:
            said.append(error)
    assert [error for error in said if not isinstance(error, RotatorError)] == []
