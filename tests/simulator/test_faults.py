"""Faults strike before or after the effect, on the request they are meant for, and the history tells which."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.simulator.sim import DATA, Sim, until

LOST = pytest.mark.parametrize(("kind", "lands"), [("before", False), ("after", True)])
GONE = (httpx.RemoteProtocolError, httpx.ReadError)


def post(sim: Sim, **options: Any) -> httpx.Response:
    """POST staged."""
    return sim.org.post(f"{sim.credentials}/staged", json={}, **options)


@LOST
def test_a_dropped_reply_has_its_effect_or_not(sim: Sim, kind: str, lands: bool) -> None:
    """`before` drops the connection without the effect, `after` with it; the client sees the same in both."""
    sim.fault(kind, purpose="^stage$")
    with pytest.raises(GONE):
        post(sim)
    assert (len(sim.slot()) == 1) == lands
    record = sim.admin("GET", "/history?purpose=stage")[-1]
    assert (record["applied"], record["effect"], record["fault"]) == (lands, "stage" if lands else "", kind)


@LOST
def test_a_dropped_vault_write_has_its_effect_or_not(sim: Sim, kind: str, lands: bool) -> None:
    """The same at the Vault: the version number tells."""
    sim.fault(kind, purpose="^kv write$", site="vault")
    with pytest.raises(GONE):
        sim.publish(sim.old)
    read = sim.vault.get(f"/v1/secret/data/{sim.billing['vault_path']}").json()
    assert read["data"]["metadata"]["version"] == (2 if lands else 1)


def test_a_fault_strikes_the_nth_fitting_request_only(sim: Sim) -> None:
    """nth counts the requests that fit, not the others."""
    sim.fault("status", nth=2, args={"status": 503}, purpose="^real call$")
    seen = []
    for _ in range(3):
        sim.org.get(f"{DATA}/")
        seen.append(sim.org.get(f"{DATA}/limits").status_code)
    assert seen == [200, 503, 200]


def test_a_fault_may_strike_the_logins_of_one_pair_only(sim: Sim) -> None:
    """`about` is the fingerprint of the key that a token request names."""
    new = sim.stage()
    sim.fault("status", args={"status": 500}, purpose="^token$", about=sim.slot()[0]["fp"])
    assert (sim.login(*new).status_code, sim.login(*sim.old).status_code) == (500, 200)


def test_a_fault_may_strike_every_kth_request(sim: Sim) -> None:
    """every=2 strikes the second, the fourth, ..."""
    sim.admin("POST", "/faults", {"kind": "status", "match": {"purpose": "real call"}, "every": 2})
    assert [sim.org.get(f"{DATA}/limits").status_code for _ in range(4)] == [200, 500, 200, 500]


@pytest.mark.parametrize("applied", [False, True])
def test_a_status_may_hide_an_effect(sim: Sim, applied: bool) -> None:
    """A 500 after the effect looks like a 500 without it."""
    sim.fault("status", args={"status": 502, "applied": applied, "headers": {"Retry-After": "9"}}, purpose="^stage$")
    reply = post(sim)
    assert (reply.status_code, reply.headers["retry-after"]) == (502, "9")
    assert (len(sim.slot()) == 1) == applied


def test_a_late_request_lands_some_requests_later(sim: Sim) -> None:
    """The connection drops now; the pair appears only after two more requests."""
    sim.fault("late", args={"requests": 2}, purpose="^stage$")
    with pytest.raises(GONE):
        post(sim)
    sim.org.get(f"{DATA}/limits")
    assert sim.slot() == []
    sim.org.get(f"{DATA}/limits")
    assert len(sim.slot()) == 1
    record = sim.admin("GET", "/history?purpose=stage")[-1]
    assert (record["late"], record["applied"], record["effect"]) == (True, True, "stage")


def test_a_late_request_lands_some_seconds_later(sim: Sim) -> None:
    """With `seconds` the simulator's clock decides, without any further request."""
    sim.fault("late", args={"seconds": 60}, purpose="^stage$")
    with pytest.raises(GONE):
        post(sim)
    sim.org.get(f"{DATA}/limits")
    assert sim.slot() == []
    sim.advance(61)
    assert len(sim.slot()) == 1


def test_a_hanging_request_ends_with_its_client(sim: Sim) -> None:
    """`hang` answers nothing; the client's own timeout ends it, and other requests go on meanwhile."""
    sim.fault("hang", nth=1, purpose="^stage$")
    with pytest.raises(httpx.ReadTimeout):
        post(sim, timeout=0.2)
    assert post(sim).status_code == 201


def test_garbage_and_cut_answers_cannot_be_read(sim: Sim) -> None:
    """Half a document under 200, and a body shorter than its length; the effect took place in both."""
    sim.fault("garbage", nth=1, purpose="^stage$")
    reply = post(sim)
    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        reply.json()
    assert len(sim.slot()) == 1
    sim.fault("cut", purpose="^read slot$")
    with pytest.raises(GONE):
        sim.org.get(f"{sim.credentials}/staged")


def test_a_redirect_points_where_it_is_told(sim: Sim) -> None:
    """A 307 to another host, without the effect."""
    sim.fault("redirect", args={"to": "https://evil.example.com/x"}, purpose="^stage$")
    reply = post(sim)
    assert (reply.status_code, reply.headers["location"]) == (307, "https://evil.example.com/x")
    assert sim.slot() == []


def test_a_drip_is_slower_than_any_patience(sim: Sim) -> None:
    """Each byte resets a socket timeout; only a total deadline ends it. It stops when the client leaves."""
    sim.fault("drip", nth=1, args={"interval": 0.05}, purpose="^real call$")
    got = b""
    with sim.org.stream("GET", f"{DATA}/limits") as reply:
        for piece in reply.iter_raw():
            got += piece
            if len(got) == 3:
                break
    assert len(got) == 3
    assert sim.org.get(f"{DATA}/limits").status_code == 200


@pytest.mark.parametrize("kind", ["huge", "bomb"])
def test_a_huge_body_is_as_big_as_told(sim: Sim, kind: str) -> None:
    """`huge` streams a gigabyte if nobody leaves; `bomb` packs it a hundredfold and more."""
    size = 1 << 22
    sim.fault(kind, nth=1, args={"bytes": size}, purpose="^real call$")
    with sim.org.stream("GET", f"{DATA}/limits") as reply:
        raw = b"".join(reply.iter_raw())
    plain = gzip.decompress(raw) if kind == "bomb" else raw
    assert len(plain) >= size
    assert kind == "huge" or len(raw) * 100 < size


def test_a_client_may_leave_a_gigabyte_early(sim: Sim) -> None:
    """The default is a gigabyte; a client that stops reading is let go."""
    sim.fault("huge", nth=1, purpose="^real call$")
    with sim.org.stream("GET", f"{DATA}/limits") as reply:
        assert len(next(reply.iter_raw())) > 0
    assert sim.org.get(f"{DATA}/limits").status_code == 200


def test_an_answer_may_name_another_host(sim: Sim) -> None:
    """wrong_host rewrites instance_url and every URL member, relative ones too."""
    sim.fault("wrong_host", args={"host": "https://evil.example.com"}, purpose="token|read primary")
    assert sim.login(*sim.old).json()["instance_url"] == "https://evil.example.com"
    assert sim.org.get(sim.credentials).json()["stagedCredentialsUrl"].startswith("https://evil.example.com/services/")


def test_an_answer_may_hold_control_characters(sim: Sim) -> None:
    """control puts an escape sequence and a line break into names, not into ids."""
    sim.fault("control", purpose="^list apps$")
    app = sim.org.get(f"{DATA}/apps/oauth/usage").json()["apps"][0]
    assert "\x1b[31m" in app["label"]
    assert "\x1b" not in app["identifier"]


def test_chaos_is_seeded_and_about_as_frequent_as_told(sim: Sim) -> None:
    """The same seed gives the same trouble; with all shares at zero there is none."""
    quiet = {"lost": 0, "delayed": 0, "failed": 0, "throttled": 0}

    def statuses() -> list[int]:
        sim.admin("POST", "/chaos", quiet | {"seed": 3, "failed": 20, "throttled": 20})
        return [sim.org.get(f"{DATA}/limits").status_code for _ in range(60)]

    first = statuses()
    assert first == statuses()
    assert 8 < sum(status != 200 for status in first) < 45
    sim.admin("POST", "/chaos", quiet)
    assert all(sim.org.get(f"{DATA}/limits").status_code == 200 for _ in range(20))


def test_latency_is_added_to_each_request(sim: Sim) -> None:
    """300 ms on the org leave the Vault as fast as it was."""
    sim.admin("POST", "/latency", {"org": 300})
    assert sim.org.get(f"{DATA}/limits").elapsed.total_seconds() >= 0.3
    assert sim.vault.get("/v1/sys/health").elapsed.total_seconds() < 0.3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_paused_request_waits_and_goes_on(sim: Sim, when: str) -> None:
    """The pause shows where the request stands, with its effect or without; resume lets it end well."""
    sim.admin("POST", "/pause", {"when": when, "match": {"purpose": "^stage$"}})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, sim)
        until(lambda: sim.admin("GET", "/paused")[0]["state"] == "paused")
        assert len(sim.slot()) == (1 if when == "after" else 0)
        assert not waiting.done()
        sim.admin("POST", "/resume")
        assert waiting.result(5).status_code == 201
    assert sim.admin("GET", "/paused")[0]["state"] == "resumed"


@pytest.mark.parametrize(("when", "lands", "there"), [("before", False, 0), ("before", True, 1), ("after", False, 1)])
def test_a_client_that_dies_while_paused_leaves_what_it_should(sim: Sim, when: str, lands: bool, there: int) -> None:
    """Dead before the effect: nothing, unless the request was in flight (`lands`). Dead after it: the pair is there."""
    sim.admin("POST", "/pause", {"when": when, "lands": lands, "match": {"purpose": "^stage$"}})
    with pytest.raises(httpx.ReadTimeout):
        post(sim, timeout=0.2)
    until(lambda: sim.admin("GET", "/paused")[0]["state"] == "gone")
    assert len(sim.slot()) == there
    assert sim.admin("GET", "/history?purpose=stage")[-1]["client_gone"]


def test_the_history_holds_no_secret(sim: Sim) -> None:
    """After logins, revocations in a URL and Vault writes, no value of the secrets list stands in the history."""
    token = sim.token(sim.old)
    sim.org.get("/services/oauth2/revoke", params={"token": token})
    sim.publish(sim.stage())
    text = sim.door.get("/history").text
    secrets = sim.admin("GET", "/secrets")
    assert token in secrets
    assert [value for value in secrets if value in text] == []


def test_a_fault_that_is_not_understood_is_refused(sim: Sim) -> None:
    """An unknown kind, member or pattern is a 400 with the reason."""
    for spec in (
        {"kind": "quake"},
        {"kind": "after", "match": {"verb": "x"}},
        {"kind": "after", "match": {"path": "("}},
    ):
        assert sim.door.post("/faults", json=spec).status_code == 400
