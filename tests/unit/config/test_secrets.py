"""Secret files: where they are looked up and who may read them."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from rotator.config import SecretPlaces, find_file, read_secret_file
from rotator.domain.errors import ConfigError


def secret(folder: Path, text: bytes = b"CANARY\n", name: str = "s", mode: int = 0o600) -> Path:
    """Write a secret file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(text)
    file.chmod(mode)
    return file


def test_a_name_is_absolute_or_a_credential_or_beside_the_configuration(tmp_path: Path) -> None:
    """The order of the contract: absolute wins, then the credentials folder where it has it, then beside the file."""
    beside, credentials = tmp_path / "etc", tmp_path / "creds"
    env = {"CREDENTIALS_DIRECTORY": str(credentials)}
    places = SecretPlaces.of(beside / "rotator.toml", env)
    secret(beside)
    assert find_file("s", places) == beside / "s"
    secret(credentials)
    assert find_file("s", places) == credentials / "s"
    assert find_file("s", SecretPlaces.of(beside / "rotator.toml", {})) == beside / "s"
    assert find_file("/x/s", places) == Path("/x/s")


@pytest.mark.parametrize(
    ("content", "held"),
    [(b"CANARY\n", "CANARY"), (b"CANARY\r\n", "CANARY"), (b"CANARY", "CANARY"), (b"A\nB\n\n", "A\nB\n")],
)
def test_one_line_break_at_the_end_is_not_part_of_the_secret(tmp_path: Path, content: bytes, held: str) -> None:
    """What an editor adds goes; everything else stays, inner lines of a PEM key too."""
    secret(tmp_path, content)
    assert read_secret_file("s", SecretPlaces(tmp_path)).reveal() == held


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644, 0o666])
def test_a_file_that_others_may_use_is_refused_with_the_command(tmp_path: Path, mode: int) -> None:
    """Any right of others is too much; the fix is the command to type."""
    file = secret(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match="may be used by others") as caught:
        read_secret_file("s", SecretPlaces(tmp_path))
    assert caught.value.fix.startswith(f"chmod o= {file}")


def test_a_file_of_owner_and_group_is_read(tmp_path: Path) -> None:
    """A group may be given the right: systems share a secret that way."""
    secret(tmp_path, mode=0o640)
    assert read_secret_file("s", SecretPlaces(tmp_path)).reveal() == "CANARY"


def test_the_mode_of_what_a_link_points_to_counts(tmp_path: Path) -> None:
    """A link does not hide an open file."""
    secret(tmp_path, name="open", mode=0o644)
    (tmp_path / "s").symlink_to(tmp_path / "open")
    with pytest.raises(ConfigError, match="may be used by others"):
        read_secret_file("s", SecretPlaces(tmp_path))


def test_what_is_no_small_plain_text_file_is_refused(tmp_path: Path) -> None:
    """Absent, a folder, a pipe (without waiting for a writer), empty, blank, huge, or bytes that are no text."""
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    secret(tmp_path, b"", "empty")
    secret(tmp_path, b" \n", "blank")
    secret(tmp_path, b"x" * 70_000, "huge")
    secret(tmp_path, b"\xff\xfe", "bytes")
    for name, words in {
        "absent": "No such file",
        "folder": "Is a directory",
        "pipe": "not a plain file",
        "empty": "is empty",
        "blank": "is empty",
        "huge": "larger than",
        "bytes": "not UTF-8",
    }.items():
        with pytest.raises(ConfigError, match=words):
            read_secret_file(name, SecretPlaces(tmp_path))


def test_the_content_is_in_no_traceback(tmp_path: Path) -> None:
    """A file that is nearly text is refused without showing what it holds."""
    secret(tmp_path, b"CANARY\xff")
    with pytest.raises(ConfigError) as caught:
        read_secret_file("s", SecretPlaces(tmp_path))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))
