"""Which addresses may stand in the configuration. A secret goes only to a host that passed here."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

# Source: Salesforce Help, "My Domain URL Formats": MyDomain.my.salesforce.com, with one more label for a
# sandbox, scratch, developer, demo or trial org; `.mil` is the government cloud (as in Salesforce's own sfdx-core).
_MY_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]{1,20})?\.my\.salesforce\.(com|mil)", re.ASCII)
MY_DOMAIN_WANTED = (
    "must be the org's My Domain, https://NAME.my.salesforce.com or https://NAME--BOX.sandbox.my.salesforce.com"
    " (Setup, My Domain); anything else needs insecure = true, for tests"
)


def _split(url: str) -> SplitResult:
    """Take a URL apart; ValueError, without the URL, where it is none or carries a login."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("may not carry a login: no user or password in a URL")
    if not parts.hostname or port == 0 or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise ValueError("is not a URL of the form https://host")
    return parts


def origin(url: str, *, insecure: bool) -> str:
    """The bare origin of `url`, in lower case; https unless `insecure`.

    Raises ValueError where it has a path, a query or a login.
    """
    parts = _split(url)
    if parts.scheme != "https" and not (insecure and parts.scheme == "http"):
        raise ValueError("must be https://...; http needs insecure = true, for tests")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be a host alone, without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def my_domain(url: str, *, insecure: bool) -> str:
    """The origin of an org; a My Domain host on https unless `insecure`. Raises ValueError otherwise."""
    if insecure:
        return origin(url, insecure=True)
    plain = origin(url, insecure=False)
    host = plain.removeprefix("https://").removesuffix(":443")
    if not _MY_DOMAIN.fullmatch(host):
        raise ValueError(MY_DOMAIN_WANTED)
    return f"https://{host}"


def proxy(url: str) -> str:
    """An egress proxy, `http(s)://host:port`; raises ValueError for anything else."""
    if not url:
        return url
    parts = _split(url)
    if parts.scheme not in ("http", "https") or parts.path not in ("", "/") or parts.query:
        raise ValueError("must be http://host:port")
    return url


def web_address(url: str) -> str:
    """Where a notice is sent: https, a path allowed; raises ValueError for anything else."""
    if url and _split(url).scheme != "https":
        raise ValueError("must be https://...")
    return url


def database_url(url: str) -> str:
    """A SQLAlchemy URL of SQLite (absolute file) or PostgreSQL (psycopg 3), without a password.

    Raises ValueError for any other.
    """
    if url.startswith("sqlite:"):
        if not re.fullmatch(r"sqlite:////[^/?#][^?#]*", url):
            raise ValueError("must name a file by its absolute path: four slashes, sqlite:////var/lib/...")
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme != "postgresql+psycopg":
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    keys = {key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.password is not None or keys & {"password", "sslpassword", "passwd"}:
        raise ValueError("may not carry a password: put it in a file and name it in password_file")
    return url
