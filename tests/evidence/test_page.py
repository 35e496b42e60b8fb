"""The page, as a browser shows it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.evidence.conftest import Case
from tests.evidence.test_package import CLOCKS
from tests.servers.leftout import finding
from tests.servers.suites import Found


def browser(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Headless Chromium, with a profile of its own and without a network."""
    found = finding("chromium")
    assert isinstance(found, Found)
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
             "--enable-logging=stderr", "--proxy-server=127.0.0.1:9",
             f"--user-data-dir={folder / 'profile'}")  # fmt: skip
    return subprocess.run([found.place, *flags, *words], capture_output=True, text=True, check=True, timeout=90)


@pytest.mark.needs("chromium")
def test_a_browser_shows_the_timeline_and_complains_of_nothing(case: Case, tmp_path: Path) -> None:
    """The DOM has a bar for each clock and for the people's time; no script; nothing on the console; a picture of it
    is no blank page."""
    url, shot = case.file.with_suffix(".html").as_uri(), tmp_path / "page.png"
    done = browser("--dump-dom", url, folder=tmp_path)
    (drawn,) = re.findall(r"<svg.*?</svg>", done.stdout, re.S)
    for name in [*CLOCKS, "approval (people)"]:
        assert f">{name.replace('_', ' ')}</text>" in drawn
    assert drawn.count("<rect") == len(CLOCKS) + 1
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr
    browser(f"--screenshot={shot}", "--window-size=1000,1400", url, folder=tmp_path)
    assert shot.stat().st_size > 50_000


def test_the_page_loads_nothing_and_escapes_what_people_wrote(case: Case) -> None:
    """No address but the policy's own, no script; the reason, which is HTML, is shown as it was typed."""
    page = case.file.with_suffix(".html").read_text()
    assert re.findall(r"""(?:src|href|action)\s*=""", page) == []
    assert not re.search(r"url\(|@import|<(script|iframe|img|object|link rel=.stylesheet)", page)
    assert "key in a &lt;script&gt;alert(&quot;log&quot;)&lt;/script&gt; &amp; elsewhere" in page
    assert "default-src 'none'" in page
