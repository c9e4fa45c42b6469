"""The OpenAPI document, the page made from it, and the addresses that machines watch."""

import asyncio
import base64
import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.api.api_client import Client
from tests.api.fake_pipeline import FakePipeline

from relais.api.app import create_app
from relais.api.documents import render
from relais.api.main import serve
from relais.api.openapi import document, main
from relais.api.ports import ApiSettings
from relais.api.problems import PRESENTED
from relais.api.shapes import STATUS_MEANINGS
from relais.core.lifecycle import State
from relais.core.refusals import Refusal

SNAPSHOT = Path(__file__).with_name("openapi.json")
MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}


class Page(HTMLParser):
    """Collects what the page links to, what it loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [given["href"] or ""] if tag == "a" else []
        self.loads += [tag] if tag in {"script", "link", "img", "iframe"} or "style" in given else []
        self.ids += [given["id"] or ""] if "id" in given else []
        self.open += [tag] if tag not in {"meta"} else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_contract_changes_only_knowingly(capsys: pytest.CaptureFixture[str]) -> None:
    """On purpose? `python -m relais.api.openapi > tests/api/openapi.json`"""
    main()
    assert capsys.readouterr().out == SNAPSHOT.read_text()


def test_the_document_is_served_as_it_is_kept(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json", key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == json.loads(SNAPSHOT.read_text())


def test_the_public_address_is_the_server_of_the_document() -> None:
    described = document(ApiSettings(public_url="https://api.example.com"))
    assert described["servers"] == [{"url": "https://api.example.com"}]
    assert "curl https://api.example.com/api/v1/messages" in render(described)


def test_every_refusal_is_an_answer_that_sending_one_message_announces() -> None:
    responses = document()["paths"]["/api/v1/messages"]["post"]["responses"]
    announced = {
        code: int(status)
        for status, response in responses.items()
        for code in response["content"].get("application/problem+json", {}).get("examples", ())
    }
    assert {code: announced.get(code) for code in Refusal} == {code: PRESENTED[code].status for code in Refusal}


def test_every_status_is_explained() -> None:
    assert list(STATUS_MEANINGS) == list(State)


def examples(described: dict[str, Any]) -> list[Any]:
    """(schema, example) of every body of every operation."""
    found = []
    for methods in described["paths"].values():
        for operation in methods.values():
            for described_body in (operation.get("requestBody"), *operation["responses"].values()):
                for content in (described_body or {"content": {}})["content"].values():
                    given = [content["example"]] if "example" in content else []
                    given += [
                        described["components"]["examples"][code]["value"] for code in content.get("examples", ())
                    ]
                    found += [(content["schema"], example) for example in given]
    return found


def test_every_example_fits_its_schema() -> None:
    described = json.loads(msgspec.json.encode(document()))
    pairs = examples(described)
    assert len(pairs) > 40
    for schema, example in pairs:
        jsonschema_rs.validate(schema | {"components": described["components"]}, example)


def test_answers_fit_the_schemas_that_announce_them(client: Client) -> None:
    described = json.loads(SNAPSHOT.read_text())

    def fits(name: str, answer: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        jsonschema_rs.validate(schema, answer)

    accepted = client.post(MESSAGE).json()
    fits("MessageAccepted", accepted)
    fits("MessageScheduled", client.post(MESSAGE | {"send_at": "2031-01-01T08:00:00Z"}).json())
    fits("BatchResults", client.post_batch({"messages": [MESSAGE, MESSAGE | {"to": "1"}]}).json())
    fits("Message", client.get(f"/api/v1/messages/{accepted['id']}").json())
    fits("Balances", client.get("/api/v1/balance").json())
    fits("Problem", client.post({}).json())
    fits("Problem", client.post(MESSAGE | {"text": "fault"}).json())


def test_the_page_needs_nothing_from_elsewhere_and_names_everything(client: Client) -> None:
    answer = client.get("/api/v1/docs", key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = answer.body.decode()
    page = Page()
    page.feed(text)
    assert (page.loads, page.open) == ([], [])
    assert len(page.ids) == len(set(page.ids))
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.ids] == []
    assert {link for link in page.links if not link.startswith("#")} == {"/api/v1/openapi.json"}
    assert all(f'id="problem-{code}"' in text for code in PRESENTED)
    assert all(f"<code>{state.label}</code>" in text for state in State)
    assert "$" not in re.sub(r"\$(RELAIS|KEY)\b", "", text)


def test_the_pages_policy_allows_its_own_style_and_nothing_else(client: Client) -> None:
    answer = client.get("/api/v1/docs", key=None)
    style = re.search(r"<style>(.*)</style>", answer.body.decode(), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    assert answer.headers["content-security-policy"] == policy


@pytest.mark.parametrize("code", list(PRESENTED))
def test_the_type_of_a_problem_leads_to_its_description(client: Client, code: str) -> None:
    answer = client.get(f"/problems/{code}", key=None)
    assert (answer.status, answer.headers["location"]) == (302, f"/api/v1/docs#problem-{code}")


def test_a_head_request_gets_the_headers_alone(client: Client) -> None:
    answer = client.ask("HEAD", "/api/v1/docs", key=None)
    assert (answer.status, answer.body) == (200, b"") and int(answer.headers["content-length"]) > 10_000


def test_health_is_ok_and_readiness_follows_the_pipeline(client: Client, pipeline: FakePipeline) -> None:
    assert client.get("/healthz", key=None).json() == {"status": "ok"}
    assert client.get("/readyz", key=None).json() == {"status": "ready"}
    pipeline.ready = False
    assert client.get("/healthz", key=None).status == 200
    answer = client.get("/readyz", key=None)
    assert (answer.status, answer.json()["code"], answer.headers["retry-after"]) == (503, "not_ready", "1")


def counted(metrics: str, line: str) -> float:
    """The value on the line that starts with `line`; 0 when there is none yet."""
    return next((float(row.rpartition(" ")[2]) for row in metrics.splitlines() if row.startswith(line + " ")), 0.0)


def test_metrics_count_requests_by_operation_and_status(client: Client) -> None:
    accepted = 'relais_api_requests_total{operation="send_message",status="202"}'
    timed = 'relais_api_request_seconds_count{operation="send_message"}'
    lost = 'relais_api_requests_total{operation="none",status="404"}'
    before = client.get("/metrics", key=None).body.decode()
    client.post(MESSAGE)
    client.get("/nowhere")
    answer = client.get("/metrics", key=None)
    after = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain")
    assert [counted(after, line) - counted(before, line) for line in (accepted, timed, lost)] == [1.0, 1.0, 1.0]


def test_metrics_can_be_kept_off_the_customers_port() -> None:
    async def ask() -> int:
        async with serve(create_app(FakePipeline(), ApiSettings(serves_metrics=False)), "127.0.0.1", 0) as server:
            return (await asyncio.to_thread(Client(server.host, server.port).get, "/metrics")).status

    assert asyncio.run(ask()) == 404
