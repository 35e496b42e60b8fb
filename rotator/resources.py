"""Where the files lie that travel beside the code: migrations, configuration examples, systemd units."""

from __future__ import annotations

from pathlib import Path

from rotator.domain.errors import InvariantBroken

PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str, package: Path = PACKAGE) -> Path:
    """The folder `name`: inside an installed wheel (rotator/_data/NAME), else at the top level of the checkout.

    Raises InvariantBroken where neither is there: then the installation is not complete.
    """
    installed = package / "_data" / name
    if installed.is_dir():
        return installed
    top = package.parent
    if (top / "pyproject.toml").is_file() and (top / name).is_dir():
        return top / name
    raise InvariantBroken(
        f"the folder {name!r} is missing from this installation", fix="install rotator again from its wheel"
    )
