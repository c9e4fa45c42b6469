"""What every entity page does, whatever it declares: one set of tests over all of them.

A new entity is covered by its declaration, and by its values in `tests/pages/samples` when it has a form.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.pages.conformance import entity, entity_names, errors_of
from tests.pages.conftest import log_in
from tests.pages.samples import Sample, sample_of

NAMES = entity_names()
QUERIES_COUNT_MAX = 12
QUERY_COUNTS = Path(__file__).with_name(
    "query_counts.json"
)  # the committed baseline: entity → queries of its list's first page
HTMX = {"HX-Request": "true", "HX-Target": "list"}
OF_A_KIND = {"flag": ("true",), "text": ("a",), "number": ("1",), "day": ("2025-01-01",)}

each_entity = pytest.mark.parametrize("name", NAMES)


def of_form(name: str) -> Sample:
    sample = sample_of(name)
    assert sample is not None, (
        f"{name} has a form: tests/pages/samples/{name.replace('-', '_')}.py must hold its SAMPLE"
    )
    return sample


def made(client: Any, name: str, who: str) -> Any:
    """A record added through its form by that user; its key."""
    from relais.records.people.models import User

    company = User.objects.get(login=who, interface="backoffice").company
    model = entity(name).model
    before = set(model.objects.values_list("pk", flat=True))
    answer = client.post(f"/bo/{name}/new/", of_form(name).new(company))
    assert answer.status_code == 302, errors_of(answer)
    (key,) = set(model.objects.values_list("pk", flat=True)) - before
    return key


def audited(table: str, key: Any, operation: str) -> Any:
    from relais.records.people.models import AuditLine

    return AuditLine.objects.filter(table=table, object_id=str(key), operation=operation).latest("pk")


@each_entity
def test_the_list_opens_within_its_number_of_queries(name: str, owner: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    owner.get(f"/bo/{name}/")  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        answer = owner.get(f"/bo/{name}/")
    assert answer.status_code == 200 and entity(name).plural in answer.content.decode()
    assert len(queries) <= QUERIES_COUNT_MAX, [query["sql"][:200] for query in queries.captured_queries]
    baseline = json.loads(QUERY_COUNTS.read_text(encoding="utf-8"))
    assert len(queries) == baseline.get(name), (
        f"the committed number of queries is {baseline.get(name)}, now {len(queries)}"
    )


@each_entity
def test_a_part_of_the_list_is_the_same_without_the_frame(name: str, owner: Any) -> None:
    part = owner.get(f"/bo/{name}/", headers=HTMX).content.decode()
    assert "<html" not in part and entity(name).plural in part


@each_entity
def test_every_filter_filters(name: str, owner: Any) -> None:
    for filter in entity(name).filters:
        offered = filter.choices() if callable(filter.choices) else filter.choices
        values = [value for value, _ in offered if value != ""] or OF_A_KIND.get(filter.kind)
        if filter.kind == "reference":
            values = [option["value"] for option in owner.get(f"/bo/{name}/?options={filter.key}").json()["options"]]
        for suffix in {"day": ("_after", "_before"), "number": ("_min", "_max")}.get(filter.kind, ("",)):
            for value in (values or ())[:2]:
                answer = owner.get(f"/bo/{name}/", {f"{filter.key}{suffix}": value})
                listed = answer.context["list"]
                assert answer.status_code == 200 and listed.problems == [], (filter.key, listed.problems)
                assert [chip.label for chip in listed.chips] == [filter.label]


@each_entity
def test_every_column_sorts_both_ways_or_says_that_it_does_not(name: str, owner: Any) -> None:
    for column in entity(name).columns:
        for sort in (column.key, f"-{column.key}"):
            listed = owner.get(f"/bo/{name}/", {"sort": sort}).context["list"]
            assert (listed.problems == []) == (column.sort_path is not None), (sort, listed.problems)


@each_entity
def test_every_column_can_be_shown_and_stays_in_the_order_chosen(name: str, owner: Any) -> None:
    keys = [column.key for column in entity(name).columns]
    fixed = [choice.key for choice in owner.get(f"/bo/{name}/").context["list"].column_choices if choice.fixed]
    chosen = fixed + [key for key in reversed(keys) if key not in fixed]
    assert owner.post(f"/bo/{name}/columns/", {"columns": chosen}).status_code == 302
    listed = owner.get(f"/bo/{name}/").context["list"]
    assert [header.key for header in listed.headers] == chosen


@each_entity
def test_what_does_not_exist_is_said_and_left_out(name: str, owner: Any) -> None:
    listed = owner.get(f"/bo/{name}/?nonsense=1&sort=nothing&page=1000000000").context["list"]
    assert len(listed.problems) == 3 and "nonsense" in listed.problems[0]
    assert listed.paging.page == listed.paging.pages


@each_entity
def test_csv_is_exactly_what_is_shown(name: str, owner: Any) -> None:
    listed = owner.get(f"/bo/{name}/").context["list"]
    for query, labels in (
        ("", [header.label for header in listed.headers]),
        ("?columns=all", [column.label for column in entity(name).columns]),
    ):
        answer = owner.get(f"/bo/{name}/csv/{query}")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text)))
        assert lines[0] == labels
        assert len(lines) - 1 == listed.rows().count()


@each_entity
def test_a_record_opens_by_its_own_url_with_and_without_a_script(name: str, owner: Any) -> None:
    listed = owner.get(f"/bo/{name}/").context["list"]
    if not listed.table:
        assert listed.empty == "first" and entity(name).empty, "an empty list says what this is and what to do first"
        return
    for headers in ({}, {"HX-Request": "true", "HX-Target": "drawer"}):
        answer = owner.get(listed.table[0].url, headers=headers)
        assert answer.status_code == 200
        assert ("<html" in answer.content.decode()) is (not headers)


@each_entity
def test_adding_stores_and_is_audited(name: str, reseller: Any) -> None:
    if entity(name).form_of_new is None and entity(name).form is None:
        assert reseller.get(f"/bo/{name}/new/").status_code == 404
        return
    assert reseller.get(f"/bo/{name}/new/").status_code == 200
    key = made(reseller, name, "reseller")
    line = audited(entity(name).model._meta.db_table, key, "insert")
    assert line.old is None and line.new
    assert (line.action.action, line.action.ip_address) == (f"Add {entity(name).label}", "127.0.0.1")
    assert "reseller" in line.action.user_name


@each_entity
def test_an_empty_form_says_what_is_missing_and_changes_nothing(name: str, reseller: Any) -> None:
    if entity(name).form_of_new is None and entity(name).form is None:
        return
    before = entity(name).model.objects.count()
    answer = reseller.post(f"/bo/{name}/new/", {})
    assert answer.status_code == 422 and answer.context["drawer"].form.errors
    assert entity(name).model.objects.count() == before


@each_entity
def test_editing_stores_with_old_and_new_value_in_the_audit(name: str, reseller: Any) -> None:
    if entity(name).form is None:
        return
    sample, key = of_form(name), made(reseller, name, "reseller")
    answer = reseller.get(f"/bo/{name}/{key}/edit/")
    sent = filled(answer) | sample.change
    answer = reseller.post(f"/bo/{name}/{key}/edit/", sent)
    assert answer.status_code == 302, errors_of(answer)
    line = audited(entity(name).model._meta.db_table, key, "update")
    assert sample.changed in line.new and line.old[sample.changed] != line.new[sample.changed]
    assert line.action.action == f"Edit {entity(name).label}"


@each_entity
def test_of_two_editors_the_second_is_told_both_values(name: str, reseller: Any) -> None:
    if entity(name).form is None or not hasattr(entity(name).model, "updated_at"):
        return
    sample, key = of_form(name), made(reseller, name, "reseller")
    first = filled(reseller.get(f"/bo/{name}/{key}/edit/"))
    second = dict(first)
    assert reseller.post(f"/bo/{name}/{key}/edit/", first | sample.change).status_code == 302
    answer = reseller.post(f"/bo/{name}/{key}/edit/", second)
    assert answer.status_code == 409
    assert answer.context["drawer"].conflicts
    again = second | {"unchanged_since": answer.context["drawer"].stamp}
    assert reseller.post(f"/bo/{name}/{key}/edit/", again).status_code == 302, "mine over theirs"


@each_entity
def test_deleting_asks_then_deletes_and_is_audited(name: str, reseller: Any) -> None:
    if entity(name).deletes is None or not of_form(name).deletable:
        return
    key = made(reseller, name, "reseller")
    assert reseller.get(f"/bo/{name}/{key}/delete/").status_code == 200
    assert entity(name).model.objects.filter(pk=key).exists(), "asking deletes nothing"
    assert reseller.post(f"/bo/{name}/{key}/delete/").status_code == 302
    assert reseller.get(f"/bo/{name}/{key}/edit/").status_code == 404
    assert audited(entity(name).model._meta.db_table, key, "delete").old


@each_entity
def test_many_are_deleted_at_once_after_a_confirmation(name: str, reseller: Any) -> None:
    if entity(name).deletes is None or not of_form(name).deletable:
        return
    keys = [made(reseller, name, "reseller") for _ in range(2)]
    asked = reseller.post(f"/bo/{name}/bulk/delete/", {"ids": keys})
    assert asked.status_code == 200 and asked.context["count"] == 2
    assert entity(name).model.objects.filter(pk__in=keys).count() == 2
    assert reseller.post(f"/bo/{name}/bulk/delete/", {"ids": keys, "sure": "1"}).status_code == 302
    assert not entity(name).model.objects.filter(pk__in=keys).exists()


@each_entity
def test_a_record_of_another_branch_does_not_exist_for_a_reseller(name: str, pages: str) -> None:
    if entity(name).form is None:
        return
    stranger, key = log_in(a_stranger()), None
    key = made(stranger, name, "stranger")
    reseller = log_in(("reseller", "Reseller-demo-2025"))
    urls = [f"/bo/{name}/{key}/edit/"] + ([f"/bo/{name}/{key}/delete/"] if entity(name).deletes else [])
    for url in [f"/bo/{name}/{key}/", *urls]:
        assert reseller.get(url).status_code == 404
    for url in urls:
        assert reseller.post(url, {}).status_code == 404
    assert entity(name).model.objects.filter(pk=key).exists()
    assert str(key) not in [str(row.pk) for row in reseller.get(f"/bo/{name}/").context["list"].table]


def filled(answer: Any) -> dict[str, Any]:
    """The fields of a form as the page shows them, ready to be sent back."""
    drawer = answer.context["drawer"]
    sent: dict[str, Any] = {"unchanged_since": drawer.stamp}
    for field in drawer.form:
        value = field.value()
        widget = field.field.widget
        if hasattr(widget, "decompress"):
            parts = value if isinstance(value, list) else widget.decompress(value)
            sent |= {f"{field.html_name}_{n}": part for n, part in enumerate(parts) if part is not None}
        elif isinstance(value, bool):
            sent |= {field.html_name: "on"} if value else {}
        elif value is not None:
            sent[field.html_name] = value
    return sent


def a_stranger() -> tuple[str, str]:
    """A user of a reseller in another branch, with a legal entity, a client and what forms refer to."""
    from tests.pages.strangers import LOG_IN, make_stranger

    make_stranger()
    return LOG_IN
