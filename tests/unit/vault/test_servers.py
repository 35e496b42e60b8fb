"""Which server of a cluster is asked, what goes along, and what never does."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from rotator.adapters.http import Lost, NotSent
from rotator.adapters.vault import AppRoleAuth, TokenAuth, VaultKv
from rotator.domain.errors import ConfigError, OutcomeUnknown, Refused, RotatorError, Unavailable, Unintelligible
from rotator.domain.pair import EscrowContent, Live
from rotator.domain.secret import Secret
from tests.unit.vault.fake import ABSENT, APPROLE, TARGET, TOKEN, BrokenHttp, FakeVault, client_of, port_of, told

STANDBY = [307, 429, 472, 473, 474, 501, 530]
WRITTEN = {"data": {"version": 1}}
TOKEN_AUTH = TokenAuth(lambda: Secret(TOKEN))


def write(port: VaultKv) -> int:
    return port.write_escrow(TARGET, EscrowContent("r", None), 0)


def absent(_: httpx.Request) -> httpx.Response:
    return told(404, ABSENT)


@pytest.mark.parametrize("status", [*STANDBY, 502, 503])
def test_a_read_goes_on_to_the_server_that_serves(status: int) -> None:
    """And the next call begins there."""
    first, second = FakeVault(lambda _: told(status, {"errors": ["x"]})), FakeVault(absent)
    port = port_of(first, second, auth=TOKEN_AUTH)
    assert port.live(TARGET) == Live(0)
    assert port.live(TARGET) == Live(0)
    assert (len(first.calls), len(second.calls)) == (1, 2)


@pytest.mark.parametrize("status", [*STANDBY, 502, 503])
def test_a_write_that_a_server_did_not_take_is_not_sent_to_another_by_itself(status: int) -> None:
    """It fails clearly, and the next call begins at the next server."""
    first, second = FakeVault(lambda _: told(status, {"errors": ["x"]})), FakeVault(lambda _: told(200, WRITTEN))
    port = port_of(first, second, auth=TOKEN_AUTH)
    with pytest.raises((Unavailable, OutcomeUnknown)):
        write(port)
    assert second.calls == []
    assert write(port) == 1
    assert (len(first.calls), len(second.calls)) == (1, 1)


@pytest.mark.parametrize("act", [lambda port: port.live(TARGET).number, write], ids=["read", "write"])
def test_what_was_not_sent_goes_to_the_next_server(act: Callable[[VaultKv], int]) -> None:
    """Reads and writes alike: not a byte of it reached the first."""
    serving = FakeVault(lambda request: told(200, WRITTEN) if request.method == "POST" else told(404, ABSENT))
    dead = BrokenHttp(NotSent("connect", "no connection"))
    act(port_of(dead, serving, auth=TOKEN_AUTH))
    assert (dead.tries, len(serving.calls)) == (1, 1)


def test_a_certificate_that_does_not_fit_is_not_tried_around() -> None:
    """Somebody may stand in between: a human looks first."""
    serving = FakeVault(absent)
    with pytest.raises(Refused) as caught:
        port_of(BrokenHttp(NotSent("tls", "the TLS handshake failed")), serving, auth=TOKEN_AUTH).live(TARGET)
    assert caught.value.code == "vault_tls"
    assert serving.calls == []


@pytest.mark.parametrize(
    ("reason", "read"),
    [("timeout", Unavailable), ("closed", Unavailable), ("too_large", Unintelligible), ("protocol", Unintelligible)],
)
def test_an_answer_that_was_lost_leaves_a_write_unknown(reason: str, read: type[RotatorError]) -> None:
    """And is never asked for at another server in the same call."""
    for act, wanted in ((lambda port: port.live(TARGET), read), (write, OutcomeUnknown)):
        second = FakeVault(absent)
        with pytest.raises(wanted):
            act(port_of(BrokenHttp(Lost(reason, "lost")), second, auth=TOKEN_AUTH))
        assert second.calls == []


def test_after_a_lost_answer_the_next_call_begins_at_the_next_server() -> None:
    """A server that hangs costs one deadline, not one for each call."""
    hung, serving = BrokenHttp(Lost("timeout", "lost")), FakeVault(absent)
    port = port_of(hung, serving, auth=TOKEN_AUTH)
    with pytest.raises(Unavailable):
        port.live(TARGET)
    assert port.live(TARGET) == Live(0)
    assert (hung.tries, len(serving.calls)) == (1, 1)


def test_when_no_server_serves_the_last_reason_is_told() -> None:
    """Each was asked once."""
    servers = [FakeVault(lambda _: told(503, {"errors": ["Vault is sealed"]})) for _ in range(3)]
    with pytest.raises(Unavailable) as caught:
        port_of(*servers, auth=TOKEN_AUTH).live(TARGET)
    assert caught.value.code == "vault_sealed"
    assert [len(server.calls) for server in servers] == [1, 1, 1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    """Wherever it points to: one request went out, to the configured host."""
    server = FakeVault(lambda _: told(status, {}, {"location": "https://evil.test/v1/secret/data/x"}))
    for act in (lambda port: port.live(TARGET), write):
        with pytest.raises((Unavailable, Unintelligible, OutcomeUnknown)):
            act(port_of(server, auth=TOKEN_AUTH))
    assert {request.url.host for request in server.seen} == {"vault-0.test"}
    assert len(server.calls) == 2


def test_every_call_names_the_namespace_and_that_it_is_no_browsers() -> None:
    """Also the login, where the auth method lives in the namespace."""
    server = FakeVault(absent)
    port_of(server, namespace="team/crm").live(TARGET)
    assert [request.headers["x-vault-namespace"] for request in server.seen] == ["team/crm"] * 2
    assert [request.headers["x-vault-request"] for request in server.seen] == ["true"] * 2


def test_the_token_goes_with_every_call_but_the_login() -> None:
    """In the header, never in the URL."""
    server = FakeVault(absent)
    port_of(server).live(TARGET)
    assert [request.headers.get("x-vault-token") for request in server.seen] == [None, TOKEN]
    assert not any(TOKEN in str(request.url) for request in server.seen)


def test_a_read_after_a_write_names_the_index_of_the_write() -> None:
    """So that a standby that has not seen it yet says 412. Nothing is named before the first write."""
    mark = {"x-vault-index": "index-1"}
    server = FakeVault(lambda r: told(200, WRITTEN, mark) if r.method == "POST" else told(404, ABSENT))
    port = port_of(server)
    port.live(TARGET)
    write(port)
    port.live(TARGET)
    assert [request.headers.get("x-vault-index") for request in server.seen] == [None, None, None, "index-1"]


def test_the_index_of_another_threads_write_does_not_replace_ours() -> None:
    """Marks are not ordered for us: each thread names its own."""
    marks = iter(["mine", "theirs"])
    server = FakeVault(
        lambda r: told(200, WRITTEN, {"x-vault-index": next(marks)}) if r.method == "POST" else told(404, ABSENT)
    )
    client = client_of(server)
    write(VaultKv(client))
    other = threading.Thread(target=lambda: write(VaultKv(client)))
    other.start()
    other.join(10)
    VaultKv(client).live(TARGET)
    assert server.seen[-1].headers["x-vault-index"] == "mine"


def test_a_server_that_is_behind_is_asked_once_more_to_forward() -> None:
    """412 for a read; then the next server, then Unavailable."""
    behind = FakeVault(
        lambda r: told(404, ABSENT) if "x-vault-inconsistent" in r.headers else told(412, {"errors": []})
    )
    assert port_of(behind).live(TARGET) == Live(0)
    assert behind.seen[-1].headers["x-vault-inconsistent"] == "forward-active-node"
    stuck, fresh = FakeVault(lambda _: told(412, {"errors": []})), FakeVault(absent)
    assert port_of(stuck, fresh, auth=TOKEN_AUTH).live(TARGET) == Live(0)
    assert (len(stuck.calls), len(fresh.calls)) == (2, 1)
    with pytest.raises(Unavailable) as caught:
        port_of(stuck).live(TARGET)
    assert caught.value.code == "vault_behind"


# --- tokens ----------------------------------------------------------------------------------------------------


def test_one_login_serves_all_calls_and_all_threads() -> None:
    """Eight threads at once: one login."""
    server = FakeVault(absent)
    client = client_of(server)
    gate = threading.Barrier(8)

    def read() -> None:
        gate.wait(10)
        VaultKv(client).live(TARGET)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (server.logins, len(server.calls)) == (1, 8)


def test_a_refused_token_is_replaced_by_one_login_however_many_threads_saw_the_refusal() -> None:
    """The others take the new token."""
    gate = threading.Barrier(4)

    def script(request: httpx.Request) -> httpx.Response:
        if request.headers["x-vault-token"] == TOKEN:
            gate.wait(10)
            return told(403, {"errors": ["permission denied"]})
        return told(404, ABSENT)

    server = FakeVault(script)
    client = client_of(server)
    threads = [threading.Thread(target=lambda: VaultKv(client).live(TARGET)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (server.logins, len(server.calls)) == (2, 8)


def test_a_write_that_was_refused_with_403_is_repeated_once_and_no_more() -> None:
    """403 is certain to have changed nothing; a second one is the answer."""
    server = FakeVault(lambda _: told(403, {"errors": ["permission denied"]}))
    with pytest.raises(Refused) as caught:
        write(port_of(server))
    assert caught.value.code == "vault_permission"
    assert (server.logins, len(server.calls)) == (2, 2)


def test_what_is_done_on_the_side_costs_no_second_login() -> None:
    """Without the right to mark a path, a publish is one call more, not three."""
    server = FakeVault(
        lambda r: (
            told(403, {"errors": ["permission denied"]})
            if r.method == "PATCH" or "/delete/" in r.url.path
            else told(200, WRITTEN)
        )
    )
    port = port_of(server)
    assert port.write_live(TARGET, None, 0) == 1
    assert server.logins == 1
    assert server.calls == [f"POST /v1/secret/data/{TARGET.path}", f"POST /v1/secret/delete/{TARGET.path}"]


def test_a_token_is_replaced_before_it_ends() -> None:
    """Ten seconds before."""
    now = [0.0]
    server = FakeVault(absent, lease=60)
    port = port_of(server, monotonic=lambda: now[0])
    for moment, logins in ((0, 1), (49, 1), (51, 2), (100, 2), (102, 3)):
        now[0] = moment
        port.live(TARGET)
        assert server.logins == logins


def test_a_token_without_an_end_stays() -> None:
    """lease_duration 0."""
    now = [0.0]
    server = FakeVault(absent, lease=0)
    client = client_of(server, monotonic=lambda: now[0])
    client.ensure_life()
    now[0] = 1e9
    client.ensure_life()
    assert (server.logins, client.token_life()) == (1, None)


def test_a_token_with_too_little_left_is_exchanged_before_the_first_change() -> None:
    """Rather than to refuse: only a fresh one that is too short is refused."""
    now = [0.0]
    server = FakeVault(absent, lease=900)
    client = client_of(server, monotonic=lambda: now[0], needs_seconds=600)
    client.ensure_life()
    now[0] = 400
    client.ensure_life()
    assert (server.logins, client.token_life()) == (2, 900)


def test_a_credential_file_that_cannot_be_read_is_a_refusal_with_its_fix() -> None:
    """Also before a write: a port raises nothing of the configuration's in the middle of a rotation."""

    def unreadable() -> Secret:
        raise ConfigError("the file vault-token cannot be read", fix="chmod 0600 vault-token")

    for auth in (TokenAuth(unreadable), AppRoleAuth("role", unreadable)):
        with pytest.raises(Refused, match="vault-token") as caught:
            write(port_of(FakeVault(absent), auth=auth))
        assert (caught.value.code, caught.value.fix) == ("vault_login", "chmod 0600 vault-token")


def test_only_a_token_that_we_logged_in_for_is_ended_by_us() -> None:
    """One from a file belongs to whoever wrote it. Without any call there is nothing to end; closing never fails."""
    for auth, calls in ((APPROLE, ["POST /v1/auth/token/revoke-self"]), (TOKEN_AUTH, [])):
        server = FakeVault(lambda r: told(404, ABSENT) if r.method == "GET" else told(500))
        client = client_of(server, auth=auth)
        VaultKv(client).live(TARGET)
        client.close()
        assert server.calls[1:] == calls
    unused = FakeVault(absent)
    client_of(unused).close()
    assert unused.seen == []
