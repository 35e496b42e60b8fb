"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.project.files import ROOT, Function, find_tests, functions, length, python_files, tracked, tree

MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 40
MEDIAN_LINES_OF_A_FUNCTION = 12

# Written so that this file does not find itself.
MACHINE_PATH = re.compile(r"(^|[^a-z0-9_.-])/(work|farm|root)/")
REGISTRY = re.compile(
    r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|crates[.]io|golang[.]org/?(toolchain)?\b.*proxy|proxy[.]golang"
    r"|deb[.]debian|repo1?[.]maven"
)
LEFT_OPEN = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + r"Error")
PATCHING = re.compile(r"mock[.]patch|unittest[.]mock|from unittest import m[o]ck|monkey" + r"patch|\bmo" + r"cker\b")
SKIPPING = re.compile(r"[.]skip[(]|mark[.]skip|skip[i]f|import" + r"orskip|Skip[T]est|mark[.]xfail")


def found(pattern: re.Pattern[str], paths: list[str]) -> list[str]:
    """Gives `file:line text` of every line that the pattern finds in these tracked files."""
    hits = []
    for name in paths:
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        lines = enumerate(text.splitlines(), 1)
        hits += [f"{name}:{n} {line.strip()[:100]}" for n, line in lines if pattern.search(line)]
    return hits


def all_files() -> list[str]:
    """Every tracked file but checksums, which hold module names alone."""
    return [str(path) for path in tracked() if path.suffix != ".sum"]


def all_tests() -> list[tuple[Path, Function]]:
    """Gives every test with its file."""
    return [(path, test) for path in python_files("tests") for test in find_tests(path)]


def test_every_python_file_is_short_enough_to_read() -> None:
    """No Python file has more than 300 lines."""
    lines = {str(path): (ROOT / path).read_text().count("\n") for path in python_files()}
    assert {name: n for name, n in lines.items() if n > MOST_LINES_OF_A_FILE} == {}


def test_every_function_is_short_enough_to_read() -> None:
    """No function has more than 40 lines, and in the product half of them have at most 12."""
    long = [f"{p}:{f.lineno} {f.name} ({length(f)})" for p in python_files() for f in functions(p) if length(f) > 40]
    assert long == []
    product = [length(f) for path in python_files("rotator") for f in functions(path)]
    assert statistics.median(product) <= MEDIAN_LINES_OF_A_FUNCTION


def test_every_module_postpones_annotations() -> None:
    """Every Python file that defines anything starts with `from __future__ import annotations`."""
    defining = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.AnnAssign)
    lacking = [
        str(path)
        for path in python_files()
        if any(isinstance(node, defining) for node in tree(path).body)
        and not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree(path).body)
    ]
    assert lacking == []


def test_every_test_states_its_claim() -> None:
    """Every test has a docstring."""
    silent = [f"{path}:{t.lineno} {t.name}" for path, t in all_tests() if not ast.get_docstring(t)]
    assert silent == []


def test_every_test_name_is_a_sentence() -> None:
    """A test's name has at least three words: `test_a_late_write_fails`, not `test_write`."""
    short = [f"{path}:{t.lineno} {t.name}" for path, t in all_tests() if t.name.count("_") < 3]
    assert short == []


def test_every_test_can_fail() -> None:
    """Every test asserts, expects an error, or calls something named for checking."""
    checking = re.compile(r"\bassert(_\w+)?\b|raises|check|verify|expect|must|fails|warns")
    idle = [
        f"{path}:{test.lineno} {test.name}"
        for path, test in all_tests()
        if not checking.search("\n".join(ast.unparse(node) for node in test.body if not is_docstring(node)))
    ]
    assert idle == []


def is_docstring(node: ast.stmt) -> bool:
    """Whether the statement is a bare string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("a path of one machine", MACHINE_PATH), ("a host of a registry", REGISTRY), ("work left open", LEFT_OPEN)],
    ids=["machine paths", "registry hosts", "work left open"],
)
def test_no_tracked_file_holds_what_must_not_be_committed(what: str, pattern: re.Pattern[str]) -> None:
    """Neither machine paths nor registry hosts nor open work stand in any file under version control."""
    assert found(pattern, all_files()) == [], what


def test_no_test_patches_or_skips() -> None:
    """Clock, ports, randomness and processes are passed in, and what cannot run is left out by name (leftout.py)."""
    tests = [str(path) for path in python_files("tests")]
    assert found(PATCHING, tests) == []
    assert found(SKIPPING, tests) == []


def test_the_product_sleeps_at_one_place_only() -> None:
    """Waiting goes through the clock that is passed in; only that clock itself may call time.sleep."""
    product = [str(path) for path in python_files("rotator") if path.parts[1] != "simulator"]
    sleeping = re.compile(r"\btime[.]sleep\b|from time import .*\bsleep\b")
    sleepers = {hit.split(":")[0] for hit in found(sleeping, product)}
    assert len(sleepers) <= 1, sleepers


def test_the_patterns_find_what_they_are_for() -> None:
    """Each pattern of this file finds a planted line, so that an empty answer means something."""
    planted = {
        MACHINE_PATH: "open('/wo" + "rk/x')",
        REGISTRY: "https://pypi" + ".org/simple",
        LEFT_OPEN: "# TO" + "DO later",
        PATCHING: "with mock" + ".patch('x'):",
        SKIPPING: "pytest.sk" + "ip('later')",
    }
    for pattern, line in planted.items():
        assert pattern.search(line), pattern.pattern
