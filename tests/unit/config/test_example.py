"""The shipped example, the reference and the schema say the same as the options themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rotator import config
from rotator.config import toml
from rotator.config.tree import every_table, tag
from tests.unit.config import reference
from tests.unit.config.given import write

EXAMPLE = Path(__file__).parents[3] / "config" / "rotator.example.toml"
_LOGIN = re.compile(r"^# (auth|admin|responder|spare|cron) = (.*)$", re.MULTILINE)


def test_the_example_loads_without_a_warning() -> None:
    """What is shipped to be copied is right."""
    assert config.load(EXAMPLE, {}).warnings == ()


def test_every_option_stands_in_the_example(tmp_path: Path) -> None:
    """Each option of each kind of table is written, in force or as a comment ready to be used."""
    text = EXAMPLE.read_text()
    for path, table in every_table():
        if path and path[-1] not in (0, "NAME") and not re.search(rf"^#? ?(\[.*)?\b{path[-1]}\b", text, re.MULTILINE):
            pytest.fail(f"{toml.dotted(path)} is not in the example")
        for name in table.model_fields:
            assert re.search(rf"(^|[{{,\[.] ?|# |or ){name}( = |[.\]])", text, re.MULTILINE), toml.dotted((*path, name))


def test_every_value_of_the_example_is_the_default() -> None:
    """Where an option has a default, the example shows that one."""
    written = config.load(EXAMPLE, {}).config
    assert list(_other_than_default(written, ())) == []


def _other_than_default(table: BaseModel, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            found += _other_than_default(value, (*path, name))
        elif isinstance(value, dict):
            found += [bad for key, inner in value.items() for bad in _other_than_default(inner, (*path, name, key))]
        elif not field.is_required() and value != field.default and name not in ("every", "vault_path"):
            found.append((*path, name))
    return found


def test_every_alternative_in_the_example_loads(tmp_path: Path) -> None:
    """Each commented line, put in the place of the one in force, is right too."""
    text = EXAMPLE.read_text()
    lines = list(_LOGIN.finditer(text))
    assert len(lines) == 10
    for line in lines:
        name = line[1]
        without = re.sub(
            rf"^(every|{name}) = .*$" if name == "cron" else rf"^{name} = .*$", "", text, flags=re.MULTILINE
        )
        changed = without.replace(line[0], line[0].removeprefix("# "))
        assert config.load(write(tmp_path, changed), {}).config.apps


def test_the_notices_in_the_example_load(tmp_path: Path) -> None:
    """All four kinds, uncommented."""
    head, notices = EXAMPLE.read_text().split("the default is nobody.\n")
    text = head + "\n" + re.sub("^# ", "", notices, flags=re.MULTILINE)
    kinds = [notice.kind for notice in config.load(write(tmp_path, text), {}).config.notify]
    assert kinds == ["webhook", "slack", "pagerduty", "smtp"]


def test_the_reference_lists_every_option() -> None:
    """docs/configuration.md is what the options say of themselves; redraw it where this fails."""
    text = reference.DOCUMENT.read_text()
    assert text == reference.with_tables(text)
    for _, table in every_table():
        for name, field in table.model_fields.items():
            assert field.description or name == tag(table)[0]
            assert name == tag(table)[0] or f"| `{name}` |" in text


def test_the_schema_knows_every_option_and_nothing_else() -> None:
    """An editor that uses the schema refuses unknown keys and offers the known ones."""
    schema = config.schema()
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables if table["type"] == "object")
    known = {name for table in tables for name in table.get("properties", {})}
    assert known == {name for _, table in every_table() for name in table.model_fields}


def test_the_schema_writes_values_as_toml_does() -> None:
    """Durations are text with a pattern, an address may be one or several, and defaults are as in a file."""
    schema = config.schema()
    timing: dict[str, Any] = schema["$defs"]["TimingConfig"]["properties"]
    assert timing["lease"]["type"] == "string"
    assert timing["lease"]["default"] == "30s"
    assert not re.search(r'"-?P[T0-9]', json.dumps(schema)), "a duration in a form that the loader refuses"
    address = schema["$defs"]["VaultConfig"]["properties"]["address"]
    assert [choice["type"] for choice in address["anyOf"]] == ["string", "array"]


def test_importing_the_package_does_not_import_pydantic() -> None:
    """`rotator --version` stays quick: the cost comes with the first use."""
    code = "import sys, rotator.config; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE.parents[1], check=False).returncode == 0


def test_every_public_name_of_the_package_is_there() -> None:
    """The lazy names resolve, and a wrong one is an AttributeError."""
    for name in config.__all__:
        assert getattr(config, name)
    with pytest.raises(AttributeError):
        getattr(config, "no_such_name")  # noqa: B009 - mypy would refuse the attribute
