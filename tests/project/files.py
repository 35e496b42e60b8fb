"""What the repository holds, for the tests about the project itself."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Gives the files under version control that are there, as paths from the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(path for name in listed.stdout.split("\0") if name and (ROOT / (path := Path(name))).is_file())


def python_files(*tops: str) -> list[Path]:
    """Gives the tracked Python files, of these top-level folders where any is named."""
    return [path for path in tracked() if path.suffix == ".py" and (not tops or path.parts[0] in tops)]


@cache
def tree(path: Path) -> ast.Module:
    """Parses a file of the repository."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Gives every function of a file, methods and nested ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def find_tests(path: Path) -> Iterator[Function]:
    """Gives the test functions of a file."""
    if path.parts[0] == "tests" and path.name.startswith("test_"):
        yield from (node for node in functions(path) if node.name.startswith("test_"))


def length(node: Function) -> int:
    """Gives the lines of a function from `def` to its end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
