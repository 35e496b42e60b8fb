"""The configuration that the answers make, tried before it is written, and never written over another one unasked."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rotator.config import load
from rotator.domain.errors import ConfigError, Mistake, Refused
from rotator.wiring.first.questions import AUTH, Answers, filled

HEAD = "# Written by `rotator init`. docs/configuration.md explains every option and names its default.\n"


def text_of(answers: Answers, *, insecure: bool = False) -> str:
    """The configuration as TOML. `insecure` permits http and other hosts, for tests."""
    return HEAD + "\n".join(_lines(answers, insecure)) + "\n"


def _lines(answers: Answers, insecure: bool) -> Iterator[str]:
    open_door = ["insecure = true"] if insecure else []
    yield f"state_dir = {_text(answers['state_dir'])}"
    if answers["database"]:
        yield from ("", "[database]", f"url = {_text(answers['database'])}")
        if answers.get("password_file"):
            yield f"password_file = {_text(answers['password_file'])}"
    yield from ("", "[vault]", f"address = {_text(answers['vault'])}", f"mount = {_text(answers['mount'])}",
                f"escrow_prefix = {_text(answers['escrow_prefix'])}", *open_door, f"auth = {_auth(answers)}")
    yield from ("", f"[orgs.{_key(answers['org'])}]", f"host = {_text(answers['host'])}", *open_door)
    for identity in ("admin", "spare", "responder"):
        if path := answers[f"{identity}_path"]:
            yield f'{identity} = {{ grant = "client_credentials", vault_path = {_text(path)} }}'
    if answers["app"]:
        yield from ("", f"[apps.{_key(answers['app'])}]", f"org = {_text(answers['org'])}",
                    f"app = {_text(answers['developer_name'])}", f"vault_path = {_text(answers['vault_path'])}")


def _auth(answers: Answers) -> str:
    words = {"method": answers["auth"], **{key: answers[key] for key in AUTH.get(answers["auth"], ())}}
    return "{ " + ", ".join(f"{key} = {_text(value)}" for key, value in words.items()) + " }"


def _text(value: str) -> str:
    """A basic string: what JSON escapes, TOML reads."""
    return json.dumps(value)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else _text(name)


def mistake(answers: Answers, *, insecure: bool = False) -> Mistake | None:
    """What is wrong with the answers so far, whatever comes after them; None where nothing is."""
    with tempfile.TemporaryDirectory(prefix="rotator-init-") as folder:
        trial = Path(folder) / "rotator.toml"
        trial.write_text(text_of(filled(answers), insecure=insecure))
        try:
            load(trial, {})
        except ConfigError as error:
            return error.mistakes[0] if error.mistakes else Mistake("", None, "", error.message, "")
    return None


def write(file: Path, text: str, env: Mapping[str, str], *, over: bool) -> None:
    """Writes the configuration, once it holds together with what lies in `conf.d` beside it.

    Raises ConfigError with every mistake, or where nothing can be written; Refused where there is a file and it is not
    to be written over.
    """
    part = file.with_name(f".{file.name}.new")
    try:
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
            file.parent.chmod(0o755)
        part.write_text(text)
        part.chmod(0o644)  # it holds no secret, and the daemon's user reads it
        _must_hold(part, file, env)
        part.replace(file) if over else os.link(part, file)
    except FileExistsError:
        raise there(file) from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", fix="run it as root, or name another file by --config",
                          where=str(file)) from None  # fmt: skip
    finally:
        part.unlink(missing_ok=True)


def there(file: Path) -> Refused:
    """The error of a file that is there already."""
    return Refused(f"{file} is there already", code="config_exists",
                   fix="--overwrite replaces it; --config names another file")  # fmt: skip


def _must_hold(part: Path, file: Path, env: Mapping[str, str]) -> None:
    try:
        load(part, env)
    except ConfigError as error:
        named = tuple(replace(one, file=str(file) if one.file == str(part) else one.file) for one in error.mistakes)
        raise ConfigError(f"{error.message} that the answers make", mistakes=named, where=str(file),
                          fix="give other answers") from None
