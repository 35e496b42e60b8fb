"""Which addresses may stand in the configuration."""

from __future__ import annotations

import pytest

from rotator.config.hosts import database_url, my_domain, origin, proxy


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://ACME.My.Salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("https://acme-dev-ed.develop.my.salesforce.com", "https://acme-dev-ed.develop.my.salesforce.com"),
        ("https://acme.my.salesforce.mil", "https://acme.my.salesforce.mil"),
    ],
)
def test_a_my_domain_host_is_taken(written: str, taken: str) -> None:
    """Production, sandbox, developer and government hosts, in one spelling."""
    assert my_domain(written, insecure=False) == taken


HOSTILE = [
    "https://login.salesforce.com",
    "https://my.salesforce.com",
    "https://.my.salesforce.com",
    "https://acme.my.salesforce-setup.com",
    "https://acme.my.salesforce.com.evil.example",
    "https://evil.example/acme.my.salesforce.com",
    "https://evil.example#.my.salesforce.com",
    "https://evil.example?.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.example",
    "https://user:pw@acme.my.salesforce.com",
    "https://evil.example\\.my.salesforce.com",
    "https://evilmy.salesforce.com",
    "https://a.b.c.my.salesforce.com",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com.",
    "https://acmé.my.salesforce.com",
    "https://acme.my.salesforce.com/services",
    "https://acme.my.salesforce.com\n",
    "http://acme.my.salesforce.com",
    "acme.my.salesforce.com",
    "https://[::1",
    "",
]


@pytest.mark.parametrize("written", HOSTILE)
def test_any_other_host_is_refused(written: str) -> None:
    """Look-alikes, logins, paths, ports, line breaks and http: no secret would go there."""
    with pytest.raises(ValueError, match=r"must be|may not|is not"):
        my_domain(written, insecure=False)


def test_insecure_permits_http_and_other_hosts_but_no_login() -> None:
    """For tests: a loopback origin; a login in a URL stays refused."""
    assert my_domain("http://127.0.0.1:8080", insecure=True) == "http://127.0.0.1:8080"
    for login in ("user:pw", "user", ""):
        with pytest.raises(ValueError, match="login"):
            my_domain(f"http://{login}@127.0.0.1:8080", insecure=True)
    with pytest.raises(ValueError, match="https"):
        my_domain("ftp://127.0.0.1", insecure=True)


def test_vault_needs_https_unless_insecure() -> None:
    """http to Vault carries the token in the clear."""
    assert origin("https://Vault.example.com:8200/", insecure=False) == "https://vault.example.com:8200"
    assert origin("http://127.0.0.1:8200", insecure=True) == "http://127.0.0.1:8200"
    with pytest.raises(ValueError, match="insecure = true"):
        origin("http://127.0.0.1:8200", insecure=False)


@pytest.mark.parametrize(
    "url",
    ["sqlite:////var/lib/rotator/rotator.db", "postgresql+psycopg://rotator@db/rotator", "postgresql+psycopg:///rotator?host=/run/postgresql"],
)  # fmt: skip
def test_the_two_databases_are_taken(url: str) -> None:
    """SQLite by absolute path, PostgreSQL by psycopg 3, also over a socket."""
    assert database_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///rotator.db", "sqlite:///:memory:", "postgresql://db/x", "mysql://db/x", "",
     "postgresql+psycopg://rotator:hunter2@db/rotator", "postgresql+psycopg://rotator:@db/rotator",
     "postgresql+psycopg://db/rotator?user=r&password=hunter2", "postgresql+psycopg://[x/y"],
)  # fmt: skip
def test_other_databases_and_passwords_are_refused_unquoted(url: str) -> None:
    """A password in the URL is refused, in either place, and the refusal does not repeat it."""
    with pytest.raises(ValueError, match=r"must|may not|is not") as caught:
        database_url(url)
    assert "hunter2" not in str(caught.value)


def test_a_proxy_has_no_login() -> None:
    """A proxy is an origin; its login would be a secret."""
    assert proxy("http://proxy.example.com:3128") == "http://proxy.example.com:3128"
    for wrong in ("http://u:p@proxy.example.com:3128", "socks5://proxy.example.com", "proxy:3128"):
        with pytest.raises(ValueError, match=r"must be|may not|is not"):
            proxy(wrong)
