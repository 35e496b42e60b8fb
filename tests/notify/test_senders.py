"""Each channel against a real receiver: what arrives, what an answer means, and what is never sent or said."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rotator.adapters.tls import tls_context
from rotator.config import SecretPlaces
from rotator.domain.errors import ConfigError, Refused, RotatorError, Unavailable
from rotator.domain.notice import Notice
from rotator.domain.secret import Secret
from rotator.notify.mail import Mail
from rotator.notify.pagerduty import PagerDuty
from rotator.notify.slack import Slack
from rotator.notify.webhook import Webhook
from rotator.wiring.channels import HttpPost
from tests.notify.receivers import PostOffice, Receiver, post_office
from tests.notify.samples import HELD, HOSTILE, PUBLISHED, RESOLVED
from tests.servers.network import Tls

KEY = Secret("a-key-that-only-the-two-know")
RECIPE = Path(__file__).resolve().parents[2] / "docs/notify.md"


def webhook(web: Receiver, post: HttpPost, at: float | None = None) -> Webhook:
    """The webhook of this receiver, signed."""
    return Webhook(post, lambda: Secret(web.url + "/in?team=a"), lambda: KEY, lambda: at or time.time())


def verified(web: Receiver, key: str = "a-key-that-only-the-two-know", body: bytes | None = None) -> bool:
    """The receiver's own check: the snippet of docs/notify.md, as a reader would copy it."""
    (snippet,) = re.findall(r"```python\n(.*?)```", RECIPE.read_text(), re.DOTALL)
    names: dict[str, Callable[..., bool]] = {}
    exec(snippet, names)  # noqa: S102 - our own documentation
    one = web.heard[-1]
    return names["is_from_rotator"](key.encode(), one.headers, one.body if body is None else body)


def test_a_webhook_carries_the_documented_document(web: Receiver, post: HttpPost) -> None:
    """Every member that docs/notify.md names, with its value; the query of the address is kept."""
    webhook(web, post).send(HELD)
    (one,) = web.heard
    told = json.loads(one.body)
    assert one.path == "/in?team=a"
    assert {"schema": "rotator.notice/1", "event": "held", "status": "firing", "app": "billing", "severity": "error",
            "reason": "foreign_staged", "rotation_id": "r1", "since": "2026-11-24T03:00:00.000000Z",
            "vault_version": None, "again": False}.items() <= told.items()  # fmt: skip
    page = RECIPE.read_text().split("## The document")[1].split("## ")[0]
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert set(told) == documented
    assert one.headers["rotator-notice-id"] == told["id"] == "n1"


def test_the_documented_recipe_believes_our_signature_and_no_other(web: Receiver, post: HttpPost) -> None:
    """The snippet of docs/notify.md, run as it stands: true for ours; false for another key, a changed body, an old
    time."""
    webhook(web, post).send(HELD)
    assert verified(web)
    assert not verified(web, key="another")
    assert not verified(web, body=web.heard[-1].body.replace(b"billing", b"ledgers"))
    webhook(web, post, at=time.time() - 600).send(HELD)
    assert not verified(web)


def test_slack_gets_text_that_links_and_mentions_nobody(web: Receiver, post: HttpPost) -> None:
    """What, whom, why and the fix, readable; marks of Slack in a message are plain characters."""
    channel = Slack(post, lambda: Secret(web.url + "/services/T0/B0/abc"))
    channel.send(HELD)
    text = json.loads(web.heard[-1].body)["text"]
    assert text.startswith("*HELD: billing (foreign_staged)*\nthe staged slot holds a pair")
    assert "fix: find out who staged it; then `rotator release billing`" in text
    channel.send(HOSTILE)
    hostile = json.loads(web.heard[-1].body)["text"]
    assert "<!channel>" not in hostile
    assert "&lt;!channel&gt;" in hostile


def test_pagerduty_triggers_and_resolves_under_one_key(web: Receiver, post: HttpPost) -> None:
    """Events API v2: the same dedup_key, the routing key of the file, severity and class; a resolve brings no payload.
    What is no condition opens no incident."""
    channel = PagerDuty(post, web.url, lambda: Secret("R0UTINGKEY"))
    for notice in (HELD, RESOLVED, PUBLISHED):
        channel.send(notice)
    trigger, resolve, once = (json.loads(one.body) for one in web.heard)
    assert {one.path for one in web.heard} == {"/v2/enqueue"}
    assert (trigger["event_action"], trigger["routing_key"]) == ("trigger", "R0UTINGKEY")
    assert resolve == {"routing_key": "R0UTINGKEY", "event_action": "resolve", "dedup_key": trigger["dedup_key"]}
    payload = trigger["payload"]
    assert (payload["severity"], payload["class"], payload["source"]) == ("error", "foreign_staged", "host-1")
    assert payload["custom_details"]["fix"].startswith("find out who staged it")
    assert once["event_action"] == "resolve"


def mail(tls: Tls, port: int, how: str = "starttls", **more: object) -> Mail:
    """A mail channel to this office."""
    given = {"username": "rotator", "password": lambda: Secret("hunter2-secret"), **more}
    return Mail("127.0.0.1", port, how, partial(tls_context, str(tls.ca_file)), "rotator@example.com",  # type: ignore[arg-type] # a test's choice
                ("oncall@example.com", "team@example.com"), **given)  # type: ignore[arg-type] # the same


def test_mail_goes_over_starttls_and_logs_in_after_it(office: PostOffice, tls: Tls) -> None:
    """A short subject, the fix in the text, one thread per condition; nothing secret is said before TLS."""
    mail(tls, office.port).send(HELD)
    mail(tls, office.port).send(RESOLVED)
    verbs = [said.split(" ")[0] for said in office.said]
    assert verbs[:4] == ["ehlo", "STARTTLS", "ehlo", "AUTH"]
    first, second = (email.message_from_string(text, policy=email.policy.default) for text in office.letters)
    assert first["Subject"] == "HELD: billing (foreign_staged)"
    assert first["To"] == "oncall@example.com, team@example.com"
    assert first["References"] == second["References"]
    assert "fix: find out who staged it" in first.get_content()
    assert second["Subject"] == "resolved: HELD: billing"


def test_mail_goes_over_tls_from_the_first_byte(tls: Tls) -> None:
    """The other way of port 465, without a login."""
    with post_office(tls, implicit=True) as office:
        mail(tls, office.port, "tls", username="", password=None).send(HELD)
        assert len(office.letters) == 1
        assert not [said for said in office.said if said.startswith(("AUTH", "STARTTLS"))]


def test_a_name_cannot_add_a_header_or_end_the_mail(office: PostOffice, tls: Tls) -> None:
    """Line breaks, control characters and a lone dot in what is told are plain text in the letter; a token that got
    into a text by mistake is masked."""
    mail(tls, office.port).send(HOSTILE)
    (text,) = office.letters
    letter = email.message_from_string(text, policy=email.policy.default)
    assert letter["Bcc"] is None
    assert not [said for said in office.said if "evil.example" in said]
    assert "\x1b" not in text
    assert "AQ4AQFtoken" not in letter.get_content()


def send_to(web: Receiver, post: HttpPost) -> RotatorError:
    """The error of a webhook."""
    with pytest.raises(RotatorError) as caught:
        webhook(web, post).send(HELD)
    return caught.value


@pytest.mark.parametrize(("status", "kind"), [(500, Unavailable), (429, Unavailable), (400, Refused), (404, Refused)])
def test_a_no_is_told_with_its_status_and_a_fix(web: Receiver, post: HttpPost, status: int,
                                                kind: type[RotatorError]) -> None:
    """Later, or mend it; and the seconds that the receiver asks for."""
    web.status, web.headers = status, {"retry-after": "17"}
    error = send_to(web, post)
    assert type(error) is kind
    assert f"HTTP {status}" in error.message
    assert error.fix
    assert (error.retry_after if kind is Unavailable else 17.0) == 17.0


def test_a_redirect_is_not_followed(web: Receiver, post: HttpPost) -> None:
    """Neither body nor signature goes where a redirect leads."""
    web.status, web.headers = 307, {"location": web.url + "/elsewhere"}
    error = send_to(web, post)
    assert "redirect" in error.fix
    assert [one.path for one in web.heard] == ["/in?team=a"]


def test_a_closed_connection_is_an_error_that_holds_no_address(web: Receiver, post: HttpPost) -> None:
    """It is tried again; the secret address stands in no text."""
    web.closes = True
    error = send_to(web, post)
    assert isinstance(error, Unavailable)
    assert "/in" not in f"{error.message}{error.fix}{error!r}"


def test_an_untrusted_receiver_gets_nothing(web: Receiver, tmp_path: Path) -> None:
    """Without its authority: no byte of the notice, and the fix names ca_file."""
    error = send_to(web, HttpPost("", SecretPlaces(tmp_path), ""))
    assert "ca_file" in error.fix
    assert web.heard == []


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "https://user:pw@host/x", "ftp://x", "not an address"])
def test_an_address_in_a_file_must_be_https(post: HttpPost, address: str) -> None:
    """And is not repeated in the error."""
    with pytest.raises(ConfigError) as caught:
        Slack(post, lambda: Secret(address)).send(HELD)
    assert address not in caught.value.message


@pytest.mark.parametrize(("refuse", "words"), [("AUTH", "user or the password"), ("MAIL", "the sender"),
                                               ("RCPT", "every recipient")])  # fmt: skip
def test_what_a_mail_server_refuses_is_named_without_its_words(office: PostOffice, tls: Tls, refuse: str,
                                                               words: str) -> None:
    """The server's own text, which may repeat a password, is not passed on."""
    office.refuse = refuse
    with pytest.raises(Refused) as caught:
        mail(tls, office.port).send(HELD)
    assert words in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_mail_server_that_hangs_is_left(office: PostOffice, tls: Tls) -> None:
    """After the deadline."""
    office.silent = True
    with pytest.raises(Unavailable, match=r"did not answer in time|closed"):
        mail(tls, office.port, deadline=0.3).send(HELD)


def test_every_text_of_a_notice_is_short_where_it_must_be(web: Receiver, post: HttpPost) -> None:
    """A message of any length: PagerDuty's summary fits its 1024 characters, and the key its 255."""
    long = Notice(HELD.topic, HELD.status, "k" * 900, "m" * 9000, app="a" * 300, at=HELD.at)
    PagerDuty(post, web.url, lambda: Secret("R")).send(long)
    event = json.loads(web.heard[-1].body)
    assert len(event["payload"]["summary"]) <= 1024
    assert len(event["dedup_key"]) == 255
