"""`python -m rotator.simulator`: prints one line of JSON when ready, serves until it is told to stop."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import Any

from rotator.simulator.options import Options, load
from rotator.simulator.running import start


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    words = "A difficult Salesforce and a small Vault."
    parser = argparse.ArgumentParser(prog="python -m rotator.simulator", description=words)
    parser.add_argument("--options", metavar="FILE", help="all options, as TOML or JSON")
    parser.add_argument("--seed", type=int, help="the seed of every draw (0: any; it is printed)")
    parser.add_argument("--org", action="append", metavar="NAME", help="an org; may be repeated (acme)")
    parser.add_argument("--apps", type=int, help="apps in each org (3)")
    parser.add_argument("--plain", action="store_true", help="the plainest shape of every answer")
    parser.add_argument("--fact", action="append", default=[], metavar="NAME=VALUE", help="a fact of the orgs")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=VALUE", help="a shape of their answers")
    parser.add_argument("--no-live", action="store_true", help="leave the live paths empty")
    parser.add_argument("--trap", action="store_true", help="also serve a login.-like host that refuses tokens")
    parser.add_argument("--chaos", action="store_true", help="seeded faults on every request")
    parser.add_argument("--latency-ms", type=float, help="added to each request")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="and this key")
    parser.add_argument("--tls-client-ca", metavar="FILE", help="ask clients for certificates of this authority")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input closes")
    return parser.parse_args(argv)


def chosen(given: argparse.Namespace) -> Options:
    """The options of a command line over those of its file."""
    options = load(given.options) if given.options else Options()
    changes: dict[str, Any] = {
        "seed": given.seed, "orgs": given.org, "apps": given.apps, "latency_ms": given.latency_ms,
        "tls_cert": given.tls_cert, "tls_key": given.tls_key, "tls_client_ca": given.tls_client_ca,
        "trap": given.trap or None, "chaos": given.chaos or None, "difficulty": "plain" if given.plain else None,
        "seed_live": False if given.no_live else None,
    }  # fmt: skip
    changes["facts"] = options.facts | dict(pair.split("=", 1) for pair in given.fact)
    changes["shapes"] = options.shapes | dict(pair.split("=", 1) for pair in given.shape)
    return options.changed(**{name: value for name, value in changes.items() if value is not None})


def wait_for_parent(over: threading.Event) -> None:
    """Set the event when standard input closes: the parent is gone."""
    sys.stdin.read()
    over.set()


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT, or (with --with-parent) the end of standard input."""
    given = arguments(sys.argv[1:] if argv is None else argv)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    try:
        running = start(chosen(given))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    with running:
        sys.stdout.write(json.dumps(running.announced()) + "\n")
        sys.stdout.flush()
        if given.with_parent:
            threading.Thread(target=wait_for_parent, args=(over,), daemon=True).start()
        over.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
