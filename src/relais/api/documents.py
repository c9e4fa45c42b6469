"""The API's documentation as served: the OpenAPI document, and one page for people rendered from it on this side.

The page needs no script and nothing from elsewhere. All of it comes from the document, so neither can fall behind.
"""

import base64
import re
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.types import Receive, Scope

from relais.api.openapi import document
from relais.api.ports import ApiSettings
from relais.api.problems import PRESENTED, EdgeProblem, problem
from relais.api.replies import Header, Reply, encode, refused

_HTML = b"text/html; charset=utf-8"
_CODE = re.compile(r"`([^`]+)`")
_CACHED: tuple[Header, ...] = ((b"cache-control", b"public, max-age=300"), (b"x-content-type-options", b"nosniff"))


class Documents:
    """Rendered once, when the application is made."""

    __slots__ = ("_openapi", "_page")

    def __init__(self, settings: ApiSettings) -> None:
        described = document(settings)
        self._openapi = Reply(200, encode(described), headers=_CACHED)
        page = render(described)
        style = page[page.index("<style>") + len("<style>") : page.index("</style>")]
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
        headers = (*_CACHED, (b"content-security-policy", policy.encode()))
        self._page = Reply(200, page.encode(), _HTML, headers)

    async def openapi(self, _scope: Scope, _receive: Receive) -> Reply:
        """The OpenAPI document."""
        return self._openapi

    async def page(self, _scope: Scope, _receive: Receive) -> Reply:
        """The page for people."""
        return self._page

    async def problem(self, scope: Scope, _receive: Receive) -> Reply:
        """Where a problem's `type` leads: its row on the page."""
        code = scope["path_params"]["code"]
        if code not in {str(known) for known in PRESENTED}:
            return refused(problem(EdgeProblem.NOT_FOUND))
        return Reply(302, b"", _HTML, ((b"location", f"/api/v1/docs#problem-{code}".encode()),))


def render(described: dict[str, Any]) -> str:
    """The page of an OpenAPI document, as HTML."""
    template = Template(files("relais.api").joinpath("docs.html").read_text("utf-8"))
    operations = [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = described["components"]["schemas"]
    return template.substitute(
        title=escape(described["info"]["title"]),
        version=escape(described["info"]["version"]),
        introduction=_prose(described["info"]["description"]),
        contents="".join(
            f'<li><a href="#{operation["operationId"]}">{escape(operation["summary"])}</a></li>'
            for _, _, operation in operations
        ),
        operations="".join(_operation(method, path, operation, described) for method, path, operation in operations),
        schemas="".join(_schema(name, schema) for name, schema in sorted(schemas.items())),
        statuses=_statuses(described["tags"]),
        problems=_problem_rows(),
    )


def _operation(method: str, path: str, operation: dict[str, Any], described: dict[str, Any]) -> str:
    parameters = [_resolved(parameter, described) for parameter in operation.get("parameters", ())]
    parts = [
        f'<section id="{operation["operationId"]}"><h2>{escape(operation["summary"])}</h2>',
        f'<p class="address"><span class="method">{method.upper()}</span> <code>{escape(path)}</code></p>',
        _prose(operation["description"]),
    ]
    if parameters:
        rows = ((item["name"], f"{item['in']}, {_type(item['schema'])}", item["description"]) for item in parameters)
        parts.append("<h3>Parameters</h3>" + _table(("Name", "Type", "Meaning"), rows))
    sample = _curl(method, path, operation, described)
    parts.append(f'<h3>Example</h3><pre tabindex="0"><code>{escape(sample)}</code></pre>')
    if "requestBody" in operation:
        parts.append("<h3>Body</h3>" + _fields(_named(_json(operation["requestBody"])["schema"], described)))
    for status, response in operation["responses"].items():
        if status < "300":
            example = msgspec.json.format(msgspec.json.encode(_json(response)["example"])).decode()
            parts.append(f"<h3>Answer {status}</h3>{_prose(response['description'])}")
            parts.append(f'<pre tabindex="0"><code>{escape(example)}</code></pre>')
    refusals = (
        (f'<a href="#problem-{code}">{code}</a>', status)
        for status, response in operation["responses"].items()
        for code in response["content"].get("application/problem+json", {}).get("examples", ())
    )
    listed = ", ".join(f"{link} ({status})" for link, status in refusals)
    parts.append(f'<h3>Problems</h3><p class="codes">{listed}</p></section>')
    return "".join(parts)


def _curl(method: str, path: str, operation: dict[str, Any], described: dict[str, Any]) -> str:
    origin = described["servers"][0]["url"].rstrip("/") or "$RELAIS"
    for parameter in (_resolved(item, described) for item in operation.get("parameters", ())):
        path = path.replace("{" + parameter["name"] + "}", parameter["example"])
    lines = [f"curl {origin}{path}", '  -H "Authorization: Bearer $KEY"']
    if operation.get("security") == []:
        given = {
            item["name"]: item["example"] for item in operation.get("parameters", ()) if item["name"] != "messageId"
        }
        lines = [f"curl '{origin}{path}?{urlencode(given | {'password': '$KEY'}, safe='$')}'" if given else lines[0]]
    if method == "post" and "requestBody" not in operation:
        lines[0] = lines[0].replace("curl ", "curl -X POST ")
    elif method == "post":
        body = msgspec.json.format(msgspec.json.encode(_json(operation["requestBody"])["example"]), indent=2).decode()
        lines += ['  -H "Content-Type: application/json"', f"  -d '{body}'"]
    return " \\\n".join(lines)


def _schema(name: str, schema: dict[str, Any]) -> str:
    return (
        f'<section id="schema-{name}"><h3>{name}</h3>{_prose(schema.get("description", ""))}{_fields(schema)}</section>'
    )


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = (
        (name, _type(field) + (", required" if name in required else _default(field)), _description(field))
        for name, field in schema["properties"].items()
    )
    return _table(("Field", "Type", "Meaning"), rows)


def _default(schema: dict[str, Any]) -> str:
    return "" if schema.get("default") is None else f", default `{schema['default']}`"


def _type(schema: dict[str, Any]) -> str:
    """What a value may be, in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(f"`{value}`" for value in values) if len(values) <= 3 else "one of the known values"
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if alternatives in schema:
            return " or ".join(dict.fromkeys(_type(item) for item in schema[alternatives]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if "items" in schema else "list"
    return str(schema.get("format") or schema.get("type", "value"))


def _description(schema: dict[str, Any]) -> str:
    if "description" in schema:
        return str(schema["description"])
    return next((_description(item) for item in schema.get("anyOf", ()) if "description" in item), "")


def _statuses(tags: list[dict[str, str]]) -> str:
    listed = (line.removeprefix("- ").partition(": ") for tag in tags for line in tag["description"].splitlines()[1:])
    return _table(("Status", "Meaning"), ((status, meaning) for status, _, meaning in listed))


def _problem_rows() -> str:
    rows = (
        f'<tr id="problem-{code}"><th scope="row"><code>{code}</code></th><td>{shown.status}</td>'
        f"<td><strong>{escape(shown.title)}.</strong> {_inline(shown.advice)}</td></tr>"
        for code, shown in sorted(PRESENTED.items())
    )
    return _framed(("Code", "HTTP", "What to do"), rows)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table whose first column names things; an empty one is not shown."""
    lines = [
        f'<tr><th scope="row"><code>{escape(first.strip("`"))}</code></th>'
        + "".join(f"<td>{_inline(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    ]
    return _framed(heads, lines)


def _framed(heads: tuple[str, ...], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{heads[0]}s"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _json(content: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = content["content"]["application/json"]
    return described


def _resolved(item: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """`item`, or what its $ref points to."""
    if "$ref" not in item:
        return item
    found: Any = described
    for step in item["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _named(schema: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    return _resolved(schema, described)
