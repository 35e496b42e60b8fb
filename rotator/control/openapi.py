"""The OpenAPI 3.1 document of the surface, made from its routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rotator.control.bodies import Nothing
from rotator.control.callers import Role
from rotator.control.routes import EVENTS, JSON, LINES, METRICS, Route
from rotator.control.schemas import SCHEMAS, ref

Json = dict[str, Any]
ERRORS = {
    "400": "Not what is expected here.", "401": "Nobody who is known here (TLS only).", "403": "The role is missing.",
    "404": "No such app, org, rotation or call.", "405": "Another method.", "408": "The body came too slowly.",
    "409": "Refused: it cannot be done as things stand.", "413": "The body is too large.",
    "429": "Too many calls at once.", "503": "The database does not answer, or the daemon stops.",
}  # fmt: skip
STREAMS = {
    LINES: "JSON lines with `kind`: `step`, `wait`, `warning`, `alive`; the last is `result` with `document`.",
    METRICS: "The text format of Prometheus.",
    EVENTS: "Server-sent events; `data` is a row of the trail.",
}


def document(routes: Sequence[Route], version: str) -> Json:
    """The whole document."""
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "rotator", "version": version, "description": "The control surface of a running daemon."},
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _operation(route: Route) -> Json:
    needs = "anybody who can connect" if route.role is Role.NONE else f"the role `{route.role.name.lower()}`"
    operation: Json = {
        "operationId": route.name,
        "summary": route.about,
        "description": f"For {needs}.",
        "parameters": list(_parameters(route)),
        "responses": {"200": {"description": "What came of it.", "content": _content(route)}, **_errors()},
    }
    if route.method == "POST":
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": route.takes.model_json_schema()}}}
    return operation


def _parameters(route: Route) -> Iterator[Json]:
    if "{rotation_id}" in route.path:
        yield {"name": "rotation_id", "in": "path", "required": True, "schema": {"type": "string"}}
    if route.method == "GET" and route.takes is not Nothing:
        schema = route.takes.model_json_schema()
        for name, told in schema["properties"].items():
            yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": told}


def _content(route: Route) -> Json:
    return {media: {"schema": ref(route.gives)} if media == JSON else
            {"schema": {"type": "string", "description": STREAMS[media]}} for media in route.media}  # fmt: skip


def _errors() -> Json:
    return {code: {"description": words, "content": {JSON: {"schema": ref("Error")}}} for code, words in ERRORS.items()}
