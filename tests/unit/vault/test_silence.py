"""A Vault that repeats all it was sent, in every error: nothing of it comes out of the adapter."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from rotator.adapters.vault import Auth, JwtAuth, VaultKv
from rotator.domain.errors import RotatorError
from rotator.domain.pair import Credential, EscrowContent, Pair
from rotator.domain.secret import Secret
from tests.unit.vault.fake import APPROLE, SECRET_ID, TARGET, TOKEN, FakeVault, client_of, told

PLANTED = "PlantedSecret-9f8e7d"
JWT = JwtAuth("role", lambda: Secret(f"jwt-{PLANTED}"))
STATUSES = [
    200,
    204,
    301,
    307,
    400,
    401,
    403,
    404,
    405,
    412,
    413,
    429,
    472,
    473,
    474,
    500,
    501,
    502,
    503,
    504,
    530,
    599,
]

ACTS: dict[str, Callable[[VaultKv], object]] = {
    "write_live": lambda port: port.write_live(TARGET, Credential(Pair("k", Secret(PLANTED)), "r"), 1),
    "write_escrow": lambda port: port.write_escrow(
        TARGET, EscrowContent("r", Pair("k", Secret(PLANTED)), (Pair("o", Secret(PLANTED)),), Secret(PLANTED)), 0
    ),
    "live": lambda port: port.live(TARGET),
    "preflight": lambda port: port.preflight(TARGET),
    "destroy_escrow": lambda port: port.destroy_escrow(TARGET, 2),
}


def echo(status: int, *, as_json: bool) -> Callable[[httpx.Request], httpx.Response]:
    """Repeats body, token and a secret of its own, as Vault's errors or as a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        heard = f"{request.content.decode()} {request.headers.get('x-vault-token')} {PLANTED}"
        location = {"location": f"https://evil.test/?{PLANTED}", "retry-after": PLANTED}
        return told(status, {"errors": [heard], "request_id": heard * 9} if as_json else heard, location)

    return answer


def everything_said(error: BaseException) -> Iterator[str]:
    """All that a log, a traceback or a debugger's hover would show of an exception and what hangs on it."""
    todo, done = [error], set()
    while todo:
        one = todo.pop()
        if id(one) in done:
            continue
        done.add(id(one))
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        yield "".join(traceback.format_exception(one, chain=False))
        todo += [linked for linked in (one.__cause__, one.__context__) if linked is not None]


def assert_silent(texts: list[str]) -> None:
    for planted in (PLANTED, TOKEN, SECRET_ID):
        assert not any(planted in text for text in texts)


@pytest.mark.parametrize("as_json", [True, False], ids=["errors", "page"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_no_error_repeats_what_the_server_said_or_was_sent(
    act: Callable[[VaultKv], object], status: int, as_json: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """str, repr, args, attributes, causes, contexts, traceback, and the log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    port = VaultKv(client_of(FakeVault(echo(status, as_json=as_json))))
    said = []
    try:
        act(port)
    except RotatorError as error:
        said = list(everything_said(error))
    texts = [*said, caplog.text, port.request_id, repr(port), repr(vars(port))]
    assert_silent(texts)
    assert any(texts), "nothing was searched"


@pytest.mark.parametrize("auth", [APPROLE, JWT], ids=["approle", "jwt"])
@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_no_refused_login_repeats_its_credential(auth: Auth, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Secret id and JWT stand in the body that the server repeats."""
    caplog.set_level(logging.DEBUG)
    client = client_of(echo(status, as_json=True), auth=auth)
    with pytest.raises(RotatorError) as caught:
        VaultKv(client).live(TARGET)
    assert_silent([*everything_said(caught.value), caplog.text])


def test_the_helper_sees_what_hangs_on_an_exception() -> None:
    """The search itself: a secret in a cause or an attribute is found."""
    error = RotatorError("clean")
    error.__cause__ = ValueError(PLANTED)
    assert any(PLANTED in text for text in everything_said(error))
    error = RotatorError("clean")
    error.where = PLANTED
    assert any(PLANTED in text for text in everything_said(error))


def test_the_environment_has_no_say(tmp_path: Path) -> None:
    """VAULT_* variables that hvac would obey, and a ~/.vault-token: no call, no token comes from them."""
    (tmp_path / ".vault-token").write_text("hvs.from-home")
    evil = {"VAULT_ADDR": "https://evil.test", "VAULT_TOKEN": "hvs.evil", "VAULT_NAMESPACE": "evil"}
    tls = {"VAULT_CACERT": "/nowhere.pem", "VAULT_CLIENT_CERT": "/nowhere.pem", "HTTPS_PROXY": "http://evil.test:1"}
    env = {"HOME": str(tmp_path), **evil, **tls}
    done = subprocess.run([sys.executable, "-c", READ_ONCE], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["vault-0.test", None, None], ["vault-0.test", TOKEN, None]]


READ_ONCE = """
import json
from tests.unit.vault.fake import *

server = FakeVault(lambda request: told(404, ABSENT))
port_of(server).live(TARGET)
headers = ("x-vault-token", "x-vault-namespace")
print(json.dumps([[seen.url.host, *(seen.headers.get(name) for name in headers)] for seen in server.seen]))
"""
