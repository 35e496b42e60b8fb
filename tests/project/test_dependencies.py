"""What the product imports is what it declares, no more and no less."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.files import ROOT, python_files, tree

# Needed without being imported by name, each with its reason.
NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "psycopg": "SQLAlchemy imports it for a postgresql+psycopg URL",
}


def imported() -> set[str]:
    """Gives the distributions that the product and its migrations import."""
    tops = {
        name.split(".")[0]
        for path in python_files("rotator", "migrations")
        for node in ast.walk(tree(path))
        for name in names_of(node)
    }
    owners = metadata.packages_distributions()
    foreign = tops - set(sys.stdlib_module_names) - {"rotator", "migrations"}
    return {canonicalize_name(owners[top][0]) for top in foreign}


def names_of(node: ast.AST) -> list[str]:
    """Gives the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module]
    return []


def declared() -> set[str]:
    """Gives the distributions that pyproject.toml declares for running the product."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return {canonicalize_name(Requirement(text).name) for text in texts}


def test_every_import_of_the_product_is_declared() -> None:
    """Nothing comes along by accident, as a dependency of a dependency."""
    assert imported() - declared() == set()


def test_every_declared_dependency_is_used() -> None:
    """Nothing is installed at a user's that the product does not need."""
    assert declared() - imported() - set(NOT_IMPORTED) == set()
