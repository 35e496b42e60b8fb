"""The OpenAPI document: it says what is so, and a client made from it finds no answer that it did not announce."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from rotator.control.routes import ROUTES
from tests.acceptance.scene import Door
from tests.control import reference
from tests.control.served import Served

Json = dict[str, Any]
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(
    ["", "billing", "orders", "acme", "done", "24h", "0s", "99999999d", "0" * 16, "true", "-1", "2026-11-24", "1",
     "0001-01-01T00:00:00+14:00", "\N{SNOWMAN}", "a" * 2000, "../..", "%00"]))  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def scene(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One daemon, whose Vault is sealed: no call changes the world, and every call is answered quickly."""
    served = Served(door, tmp_path_factory.mktemp("openapi"))
    door("PATCH", "/vault", {"sealed": True})
    with served.running():
        yield served


@pytest.fixture(scope="module")
def document(scene: Served) -> Json:
    """The document as the daemon gives it."""
    with scene.client() as client:
        return dict(client.get("/openapi.json").json())


def likely(schema: Json) -> st.SearchStrategy[Any]:
    """What mostly fits the schema, and sometimes does not."""
    fitting: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXTS, "boolean": st.booleans(), "integer": st.integers(-2, 6000), "null": st.none(),
    }  # fmt: skip
    if "anyOf" in schema:
        return st.one_of([likely(one) for one in schema["anyOf"]] + [ANYTHING])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | ANYTHING
    if schema.get("type") == "array":
        return st.lists(likely(schema["items"]), max_size=3)
    if schema.get("type") == "object":
        members = {name: likely(told) for name, told in schema.get("properties", {}).items()}
        needed = {name: members[name] for name in schema.get("required", ())}
        rest = {name: found for name, found in members.items() if name not in needed}
        return st.fixed_dictionaries(needed, optional=rest) | ANYTHING
    return fitting.get(schema.get("type", ""), ANYTHING) | ANYTHING


def calls(document: Json) -> st.SearchStrategy[tuple[str, str, Json, Any]]:
    """Method, path as documented, parameters, body: made from the document alone."""
    made = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = {one["name"]: likely(one["schema"]) for one in operation["parameters"]}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            made.append(st.tuples(st.just(method), st.just(path), st.fixed_dictionaries({}, optional=told),
                                  likely(body) if body else st.none()))  # fmt: skip
    return st.one_of(made)


def check(document: Json, method: str, path: str, got: httpx.Response) -> None:
    """The answer is announced: its status, its media type, its shape. Nothing that a caller sends is a 5xx."""
    assert got.status_code < 500, got.text
    operation = document["paths"][path][method]
    announced = operation["responses"][str(got.status_code)]["content"]
    kind = got.headers["content-type"].split(";")[0]
    assert kind in announced, (kind, path)
    if kind == "application/json":
        schema = {**announced[kind]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(got.json())


def send(client: httpx.Client, method: str, path: str, given_: Json, body: Any) -> httpx.Response:
    """One call. No order waits here for long."""
    plain = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given_.items()}
    name = plain.pop("rotation_id", "1")
    place = path.replace("{rotation_id}", quote(name, safe="") or "1")
    if method == "post" and isinstance(body, dict) and path in ("/rotate", "/abandon", "/release", "/force"):
        body = {**body, "timeout": "200ms"}
    return client.request(method, place, params=plain, json=body if method == "post" else None)


def fuzz(document: Json, examples: int, ask: Callable[[str, str, Json, Any], httpx.Response]) -> int:
    """So many calls, each checked against the document. Gives how many were made."""
    made = 0

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate], report_multiple_bugs=False)
    @given(calls(document))
    def every_answer_is_announced(call: tuple[str, str, Json, Any]) -> None:
        nonlocal made
        made += 1
        method, path, told, body = call
        check(document, method, path, ask(method, path, told, body))

    every_answer_is_announced()
    return made


def test_the_document_has_every_call_and_no_other(scene: Served, document: Json) -> None:
    """It is held to the routes in both directions, each is answered, and it is OpenAPI 3.1."""
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(route.method, route.path) for route in ROUTES}
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    with scene.client() as client:
        for method, path in sorted(told):
            body = b"{}" if method == "POST" else None
            got = client.request(method, path.replace("{rotation_id}", "1"), content=body)
            code = got.json()["errors"][0]["code"] if got.status_code >= 400 else ""
            assert code not in ("no_such_call", "wrong_method"), path


def test_the_page_of_the_documentation_follows_the_routes() -> None:
    """docs/control.md lists every call: `python -m tests.control.reference` writes the table."""
    text = reference.DOCUMENT.read_text()
    assert reference.with_table(text) == text


def test_every_answer_is_as_announced(scene: Served, document: Json) -> None:
    """Calls made from the document, likely and unlikely: no 5xx, and every answer matches its schema."""
    with scene.client() as client:
        assert fuzz(document, 150, lambda *call: send(client, *call)) >= 100


@pytest.mark.exhaustive
def test_every_answer_is_as_announced_at_length(scene: Served, document: Json) -> None:
    """The same, 5,000 calls."""
    with scene.client() as client:
        assert fuzz(document, 5000, lambda *call: send(client, *call)) >= 4000


@pytest.mark.parametrize("defect", ["a 500", "a member lost", "an error of another shape", "a page in place of JSON"])
def test_a_planted_defect_is_found(scene: Served, document: Json, defect: str) -> None:
    """An answer that is not as announced, planted between daemon and client: the fuzz fails."""

    def spoilt(method: str, path: str, told: Json, body: Any) -> httpx.Response:
        got = send(client, method, path, told, body)
        if defect == "a 500" and got.status_code == 400:
            return httpx.Response(500, json=got.json())
        if defect == "a member lost" and path == "/status" and got.status_code == 200:
            return httpx.Response(200, json={"daemon": None, "apps": []})
        if defect == "an error of another shape" and got.status_code == 404:
            return httpx.Response(404, json={"detail": "Not Found"})
        if defect == "a page in place of JSON" and got.status_code == 400:
            return httpx.Response(400, html="<h1>Bad Request</h1>")
        return got

    with scene.client() as client, pytest.raises((AssertionError, ValidationError)):
        fuzz(document, 400, spoilt)
