"""Whatever is written, the loader answers with settings or with mistakes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rotator import config
from rotator.config import toml
from rotator.domain.errors import ConfigError, Mistake
from tests.unit.config.given import APP, ORG, VAULT, write

_GOOD = tomllib.loads(VAULT + ORG + APP + '[[notify]]\nkind = "slack"\nurl_file = "u"\n')
_KNOWN = [
    "",
    "client_credentials",
    "approle",
    "token",
    "slack",
    "https://x",
    "http://[",
    "1d",
    "* * * * *",
    "acme",
    "/",
]
_SCALARS = st.sampled_from(_KNOWN) | st.text(max_size=6) | st.integers(-1, 99) | st.booleans() | st.floats(-1, 1)
_KEYS = st.sampled_from(
    ["every", "org", "vault_path", "method", "token_file", "facts", "[key]", "auth", "x y", "", "0"]
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inside for deeper in _places(item, (*path, key)))]


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _put(value[path[0]], path[1:], new)
    return copy


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_no_configuration_brings_the_loader_down(tmp_path_factory: Any, data: st.DataObject) -> None:
    """A good configuration with anything put anywhere loads, or is refused in words at a known file."""
    values = _GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in _places(values) if p]))
        values = _put(values, path, data.draw(_VALUES))
    text = "\n".join(f"{toml.bare(key)} = {toml.value(value)}" for key, value in values.items())
    written = text.replace("\x7f", "")
    file: Path = write(tmp_path_factory.getbasetemp() / "anything", written)
    found = _mistakes(file)
    assert found is None or found
    assert all(mistake.file == str(file) and mistake.message for mistake in found or ())


def _mistakes(file: Path) -> tuple[Mistake, ...] | None:
    """What was found wrong; None where it loaded."""
    try:
        config.load(file, {})
    except ConfigError as error:
        return error.mistakes
    return None
