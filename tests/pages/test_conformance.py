"""What every entity page does, whatever it declares: one set of tests over all of them.

A new entity is covered by its declaration, and by its values in `tests/pages/samples` when it has a form.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.pages.conformance import (
    NEWCOMER,
    SCRIPTED,
    STRANGER,
    World,
    audited,
    csv_of,
    entity,
    entity_names,
    errors_of,
    filled,
    is_added,
    is_shared,
    keeper_of,
    made,
    of_form,
    reader_of,
    rows_of,
    url_of,
    user_of,
)

NAMES = entity_names()
QUERIES_COUNT_MAX = 12
QUERY_COUNTS = Path(__file__).with_name("query_counts.json")  # entity → queries of its list's first page
LIST_PART = {"HX-Request": "true", "HX-Target": "list"}
OF_A_KIND = {"flag": ("true", "false"), "number": ("1",), "day": ("2025-01-01",), "instant": ("2025-01-01 10:00",)}
SUFFIXES = {"day": ("_after", "_before"), "instant": ("_after", "_before"), "number": ("_min", "_max")}
NONSENSE = (
    "\0",
    "a\0b",
    "'; --",
    "%",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{COMBINING ACUTE ACCENT}",
    "9" * 40,
    "-1",
    "[]",
    "1e999",
)

each_entity = pytest.mark.parametrize("name", NAMES)
# Of what the kit does alike for all.
some_entities = pytest.mark.parametrize("name", [n for n in NAMES if reader_of(n) == "reseller"][::3])


def listing(client: Any, name: str, query: Any = None) -> Any:
    """What the list shows; the part of the page that a script asks for, which costs least."""
    answer = client.get(f"/bo/{name}/", query, headers=LIST_PART)
    assert answer.status_code == 200, (name, query)
    return answer.context["list"]


def keys_of(listed: Any) -> list[str]:
    return [str(row.pk) for row in listed.table]


# --- the list


@each_entity
def test_the_list_opens_within_its_number_of_queries(name: str, world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = world.reader(name)
    client.get(f"/bo/{name}/")  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/bo/{name}/")
    body = answer.content.decode()
    assert answer.status_code == 200 and "<html" in body and entity(name).plural in body
    assert answer.context["list"].table, "there are records to show"
    assert len(queries) <= QUERIES_COUNT_MAX, [query["sql"][:200] for query in queries.captured_queries]
    baseline = json.loads(QUERY_COUNTS.read_text(encoding="utf-8"))
    assert len(queries) == baseline.get(name), (
        f"the committed number of queries is {baseline.get(name)}, now {len(queries)}"
    )


@some_entities
def test_a_part_of_the_list_is_the_same_without_the_frame(name: str, world: World) -> None:
    client = world.reader(name)
    part = client.get(f"/bo/{name}/", headers=LIST_PART)
    assert "<html" not in part.content.decode() and entity(name).plural in part.content.decode()
    assert keys_of(part.context["list"]) == keys_of(client.get(f"/bo/{name}/").context["list"])


@each_entity
def test_every_filter_filters_and_says_so(name: str, world: World) -> None:
    client, everything = world.reader(name), listing(world.reader(name), name).count.number
    for filter in entity(name).filters:
        offered = filter.choices() if callable(filter.choices) else filter.choices
        values = [value for value, _ in offered if value != ""] or OF_A_KIND.get(filter.kind, ())
        if filter.kind == "reference":
            options = client.get(f"/bo/{name}/?options={filter.key}").json()["options"]
            values = [option["value"] for option in options]
        if filter.kind == "text":
            none = listing(client, name, {filter.key: "no such text"})
            assert (none.count.number, none.empty) == (0, "filter"), f"{filter.key}: what fits nothing finds nothing"
            values = ("a",)
        for suffix in SUFFIXES.get(filter.kind, ("",)):
            for value in list(values)[:2]:
                listed = listing(client, name, {f"{filter.key}{suffix}": value})
                assert listed.problems == [], (filter.key, listed.problems)
                assert [chip.label for chip in listed.chips] == [filter.label], filter.key
                assert listed.count.number <= everything, filter.key


@each_entity
def test_every_column_sorts_or_says_that_it_does_not(name: str, world: World) -> None:
    client, both = world.reader(name), (("", "ascending"), ("-", "descending"))
    for turn, column in enumerate(entity(name).columns):
        for sign, direction in both if turn < 2 else both[turn % 2 :][:1]:  # both ways by two, then in turns
            sort = f"{sign}{column.key}"
            listed = listing(client, name, {"sort": sort})
            assert (listed.problems == []) == (column.sort_path is not None), (sort, listed.problems)
            told = [header.direction for header in listed.headers if header.key == column.key and column.sort_path]
            assert told in ([], [direction]), sort


@some_entities
def test_columns_their_order_and_the_page_size_are_kept_for_each_user(name: str, world: World) -> None:
    client, other = world.reader(name), world.client("owner")
    keys, before = [column.key for column in entity(name).columns], listing(other, name)
    fixed = [choice.key for choice in listing(client, name).column_choices if choice.fixed]
    chosen = fixed + [key for key in reversed(keys) if key not in fixed]
    try:
        assert client.post(f"/bo/{name}/columns/", {"columns": [*chosen, "gone"]}).status_code == 302
        client.post(f"/bo/{name}/columns/", {"page_size": "100"})
        listed = listing(client, name)
        assert [header.key for header in listed.headers] == chosen and listed.paging.size == 100
        again = listing(other, name)
        assert [header.key for header in again.headers] == [header.key for header in before.headers]
        assert again.paging.size == before.paging.size != 100
    finally:
        client.post(f"/bo/{name}/columns/", {"columns": []})
        client.post(f"/bo/{name}/columns/", {"page_size": "25"})


@some_entities
def test_a_column_that_is_gone_is_left_out_of_what_a_user_kept(name: str, world: World) -> None:
    from relais.records.people.models import ListPreference, SavedFilter

    client, user, kept = world.reader(name), user_of(reader_of(name)), entity(name).columns[-1].key
    ListPreference.objects.update_or_create(user=user, entity=name, defaults={"columns": ["gone", kept]})
    SavedFilter.objects.create(user=user, entity=name, name="Old", query="gone=1", position=0)
    try:
        answer = client.get(f"/bo/{name}/?gone=1&sort=gone")
        shown = [header.key for header in answer.context["list"].headers]
        assert answer.status_code == 200 and kept in shown and "gone" not in shown
        assert len(answer.context["list"].problems) == 2 and answer.context["list"].table
        assert client.get(f"/bo/{name}/tabs/").status_code == 200
        assert csv_of(client, f"/bo/{name}/csv/?gone=1")
    finally:
        client.post(f"/bo/{name}/columns/", {"columns": []})
        SavedFilter.objects.filter(user=user).delete()


@some_entities
def test_a_filter_is_saved_under_a_name_for_its_user_alone(name: str, world: World) -> None:
    from relais.records.people.models import SavedFilter

    client, query = world.reader(name), "q=no+such+text"
    saved = client.post(f"/bo/{name}/filters/", {"name": "  Nothing  ", "query": f"sort=-x&{query}&page=3"})
    assert saved.status_code == 302 and saved.headers["Location"] == f"/bo/{name}/?{query}"
    tabs = client.get(f"/bo/{name}/tabs/?{query}").context["tabs"]
    assert [(tab.label, tab.current) for tab in tabs] == [("All", False), ("Nothing", True)]
    assert tabs[1].count.number == 0 < tabs[0].count.number
    assert [tab.label for tab in world.client("owner").get(f"/bo/{name}/tabs/").context["tabs"]] == ["All"]
    pk = SavedFilter.objects.get(user=user_of("reseller"), entity=name).pk
    assert world.client("owner").post(f"/bo/{name}/filters/{pk}/delete/").status_code == 404
    assert client.post(f"/bo/{name}/filters/{pk}/delete/").status_code == 302
    assert not SavedFilter.objects.filter(pk=pk).exists()


@each_entity
def test_what_does_not_exist_is_said_and_left_out(name: str, world: World) -> None:
    listed = listing(world.reader(name), name, {"nonsense": 1, "sort": "nothing", "page": 10**9})
    assert len(listed.problems) == 3 + listed.paging.total.more and "nonsense" in listed.problems[0]
    assert listed.paging.page == listed.paging.pages and listed.table


@each_entity
def test_nonsense_in_any_parameter_breaks_nothing(name: str, world: World) -> None:
    client = world.reader(name)
    keys = [f"{each.key}{suffix}" for each in entity(name).filters for suffix in SUFFIXES.get(each.kind, ("",))]
    for text in NONSENSE:
        query = {key: text for key in (*keys, "q", "sort", "page", "size", "saved", text)}
        listing(client, name, query)
        if text in NONSENSE[::4]:  # a file reads its parameters as the list does
            csv_of(client, f"/bo/{name}/csv/?{urlencode(query | {'ids': text, 'columns': text})}")
    half, bad = {"name": "a\0b", "query": "q=1"}, {"name": "a", "query": "q=\0"}
    for sent in ({"columns": NONSENSE}, {"page_size": "\0"}, half, bad):
        for part in ("columns", "filters"):
            assert client.post(f"/bo/{name}/{part}/", sent).status_code in (302, 422), (part, sent)
    client.post(f"/bo/{name}/columns/", {"columns": []})


@each_entity
def test_csv_is_exactly_what_is_shown_or_what_was_chosen(name: str, world: World) -> None:
    client = world.reader(name)
    listed = listing(client, name)
    for query, labels in (
        ("?x=1", [header.label for header in listed.headers]),
        ("?columns=all", [column.label for column in entity(name).columns]),
    ):
        lines = csv_of(client, f"/bo/{name}/csv/{query}")
        assert [head.removesuffix(" (UTC)") for head in lines[0]] == labels, "a time may name the reader's zone"
        assert len(lines) - 1 == listed.rows().count()
    chosen = [row.pk for row in listed.table][:2]
    assert len(csv_of(client, f"/bo/{name}/csv/?ids={chosen[0]}&ids={chosen[-1]}")) == 1 + len(set(chosen))


@each_entity
def test_a_list_that_never_had_a_row_says_what_this_is_and_what_to_do_first(name: str, world: World) -> None:
    answer = world.client(NEWCOMER if reader_of(name) == "reseller" else "owner").get(f"/bo/{name}/")
    listed = answer.context["list"]
    assert answer.status_code == 200 and entity(name).empty
    assert listed.table or listed.empty == "first"
    assert listed.table or entity(name).empty.split("`")[0] in answer.content.decode().replace("&#x27;", "'")


@each_entity
def test_what_can_be_searched_for_is_found_in_the_list(name: str, world: World) -> None:
    client, rows = world.reader(name), rows_of(name, reader_of(name))
    for path in entity(name).search:
        record = rows.exclude(**{f"{path}__isnull": True}).values_list("pk", path).last()
        if record is None or record[1] == "":
            continue  # nobody has filled it in
        listed = listing(client, name, {"q": str(record[1]), "size": 250})
        assert listed.problems == [] and str(record[0]) in keys_of(listed), (path, record)


@each_entity
def test_a_record_opens_by_its_own_url_with_and_without_a_script(name: str, world: World) -> None:
    client = world.reader(name)
    row = listing(client, name).table[0]
    page = client.get(row.url)
    assert page.status_code == 200 and "<html" in page.content.decode()
    part = client.get(row.url, headers=SCRIPTED)
    assert part.status_code == 200 and ("<html" not in part.content.decode() or entity(name).own_page)
    for nobody in ("999999999", "9" * 30, "no-such-record"):
        assert client.get(url_of(name, nobody)).status_code == 404, nobody


# --- somebody else's


@each_entity
def test_a_record_of_another_branch_does_not_exist(name: str, world: World) -> None:
    if name not in world.strange:
        assert keeper_of(name) == "owner"
        return
    client, declared, key = world.reader(name), entity(name), world.strange[name]
    assert world.client(STRANGER).get(url_of(name, key)).status_code == 200, "it does exist"
    verbs = [verb for verb, has in (("edit", declared.form), ("delete", declared.deletes)) if has]
    urls = [url_of(name, key), *(url_of(name, key, verb) for verb in verbs)]
    urls += [f"/bo/{name}/{key}/do/{action.key}/" for action in declared.actions]
    for url in urls:
        assert client.get(url).status_code == 404, url
        assert client.post(url, {"sure": "1"}).status_code in (404, 405), url
    before = declared.model.objects.filter(pk=key).values().get()
    for action in [*(each.key for each in declared.actions if each.bulk), *(["delete"] if declared.deletes else [])]:
        answer = client.post(f"/bo/{name}/bulk/{action}/", {"ids": [key]}, headers=SCRIPTED)
        assert answer.context["count"] == 0, action
        client.post(f"/bo/{name}/bulk/{action}/", {"ids": [key], "sure": "1"}, headers=SCRIPTED)
    assert declared.model.objects.filter(pk=key).values().get() == before
    assert len(csv_of(client, f"/bo/{name}/csv/?ids={key}")) == 1, "the heading alone"
    assert str(key) not in [str(each) for each in listing(client, name).rows().values_list("pk", flat=True)]


@each_entity
def test_GEN_72_what_belongs_to_another_branch_is_neither_offered_nor_taken(name: str, world: World) -> None:
    client = world.reader(name)

    def own_keys(model: Any) -> set[str]:
        from relais.records.visibility import visible

        return {str(key) for key in visible(model, user_of(reader_of(name))).values_list("pk", flat=True)}

    for filter in entity(name).filters:
        if filter.of is not None:
            options = client.get(f"/bo/{name}/?options={filter.key}").json()["options"]
            assert {str(option["value"]) for option in options} <= own_keys(filter.of), filter.key
    if not is_added(name) or name not in world.strange:
        return
    from relais.pages.forms import ReferenceField

    form = client.get(f"/bo/{name}/new/", headers=SCRIPTED).context["drawer"].form
    values = of_form(name).new(user_of("reseller").company)
    theirs = of_form(name).new(user_of(STRANGER).company)
    for key, field in form.fields.items():
        if not isinstance(field, ReferenceField):
            continue
        query = {"options": key} | {of: values[of] for of in field.depends_on}
        options = client.get(f"/bo/{name}/new/", query).json()["options"]
        assert {str(option["value"]) for option in options} <= own_keys(field.queryset.model), key
        if str(theirs.get(key)) in own_keys(field.queryset.model) or key not in theirs:
            continue  # what both may use
        answer = client.post(f"/bo/{name}/new/", values | {key: theirs[key]}, headers=SCRIPTED)
        assert answer.status_code == 422 and key in answer.context["drawer"].form.errors, key


@each_entity
def test_a_record_is_found_by_ctrl_k_by_whoever_may_see_it_and_by_nobody_else(name: str, world: World) -> None:
    if not entity(name).search or name not in world.own:
        return
    key = world.make(name)
    row = rows_of(name, keeper_of(name)).filter(pk=key)
    texts = [str(value) for path in entity(name).search for value in row.values_list(path, flat=True) if value]
    found = world.keeper(name).get("/bo/find/", {"q": texts[0]}).content.decode()
    assert f'href="{url_of(name, key)}"' in found, texts[0]
    strangers = world.client(STRANGER).get("/bo/find/", {"q": texts[0]}).content.decode()
    assert (f'href="{url_of(name, key)}"' in strangers) is is_shared(name)


# --- adding, editing, deleting


@each_entity
def test_adding_stores_and_is_audited(name: str, world: World) -> None:
    client, declared = world.keeper(name), entity(name)
    if not is_added(name):
        assert client.get(f"/bo/{name}/new/").status_code == 404
        return
    assert client.get(f"/bo/{name}/new/").status_code == 200
    login = keeper_of(name)
    answer = client.post(f"/bo/{name}/new/", of_form(name).new(user_of(login).company))
    assert answer.status_code == 302, errors_of(answer)
    key = made(answer)
    assert answer.headers["Location"] == url_of(name, key) and client.get(url_of(name, key)).status_code == 200
    line = audited(name, key, "insert")
    assert line.old is None and line.new
    assert (line.action.action, line.action.ip_address) == (f"Add {declared.label}", "127.0.0.1")
    assert login in line.action.user_name


@each_entity
def test_an_empty_form_says_what_is_missing_and_changes_nothing(name: str, world: World) -> None:
    if not is_added(name):
        return
    before = entity(name).model.objects.count()
    answer = world.keeper(name).post(f"/bo/{name}/new/", {})
    assert answer.status_code == 422 and answer.context["drawer"].form.errors
    assert "<html" in answer.content.decode() and entity(name).model.objects.count() == before


@each_entity
def test_editing_stores_with_old_and_new_value_in_the_audit(name: str, world: World) -> None:
    if entity(name).form is None:
        return
    sample, key, client = of_form(name), world.make(name), world.keeper(name)
    url = url_of(name, key, "edit")
    answer = client.post(url, filled(client.get(url)) | sample.changes())
    assert answer.status_code == 302, errors_of(answer)
    line = audited(name, key, "update")
    assert sample.changed in line.new and line.old[sample.changed] != line.new[sample.changed]
    assert line.action.action == f"Edit {entity(name).label}"


@each_entity
def test_of_two_editors_the_second_is_told_both_values(name: str, world: World) -> None:
    if entity(name).form is None:
        return
    sample, key, client = of_form(name), world.make(name), world.keeper(name)
    url = url_of(name, key, "edit")
    first = filled(client.get(url, headers=SCRIPTED))
    second = dict(first)
    assert client.post(url, first | sample.changes(), headers=SCRIPTED).status_code == 204
    answer = client.post(url, second, headers=SCRIPTED)
    assert answer.status_code == 409, errors_of(answer)
    (conflict,) = answer.context["drawer"].conflicts
    assert conflict.theirs != conflict.ours and conflict.label in answer.content.decode()
    again = second | {"unchanged_since": answer.context["drawer"].stamp}
    assert client.post(url, again, headers=SCRIPTED).status_code == 204, "mine over theirs"


@some_entities
def test_a_session_that_ended_in_the_middle_of_a_form_asks_to_log_in_and_changes_nothing(
    name: str, world: World
) -> None:
    from django.test import Client

    if entity(name).form is None:
        return
    sample, key, client = of_form(name), world.own[name][0], world.keeper(name)
    url = url_of(name, key, "edit")
    sent = filled(client.get(url, headers=SCRIPTED)) | sample.changes()
    before = entity(name).model.objects.filter(pk=key).values().get()
    script = Client().post(url, sent, headers=SCRIPTED)
    assert script.status_code == 401 and "Your session has ended" in script.content.decode()
    page = Client().post(url, sent)
    assert page.status_code == 302 and page.headers["Location"] == f"/bo/log-in/?next={url.replace('/', '%2F')}"
    assert entity(name).model.objects.filter(pk=key).values().get() == before


@each_entity
def test_deleting_asks_then_deletes_and_is_audited(name: str, world: World) -> None:
    client = world.keeper(name)
    if entity(name).deletes is None or not of_form(name).deletable:
        return
    key = world.make(name)
    url = url_of(name, key, "delete")
    assert client.get(url).status_code == 200
    assert rows_of(name, keeper_of(name)).filter(pk=key).exists(), "asking deletes nothing"
    assert client.post(url).status_code == 302
    assert client.get(url_of(name, key)).status_code == 404
    line = audited(name, key, of_form(name).deleted_as)
    assert line.old and line.action.action == f"Delete {entity(name).label}"


@each_entity
def test_many_are_deleted_at_once_after_a_confirmation(name: str, world: World) -> None:
    if entity(name).deletes is None or not of_form(name).deletable:
        return
    client, url, keys = world.keeper(name), f"/bo/{name}/bulk/delete/", [world.make(name) for _ in range(2)]
    asked = client.post(url, {"ids": [*keys, "no-such-key", "9" * 40]}, headers=SCRIPTED)
    assert asked.status_code == 200 and asked.context["count"] == 2
    assert rows_of(name, keeper_of(name)).filter(pk__in=keys).count() == 2
    assert client.post(url, {"ids": keys, "sure": "1"}, headers=SCRIPTED).status_code == 204
    assert not rows_of(name, keeper_of(name)).filter(pk__in=keys).exists()


@each_entity
def test_what_is_in_use_stays_and_what_hangs_on_it_is_named(name: str, world: World) -> None:
    from django.db.models import PROTECT

    from relais.records.hanging import what_hangs_on

    declared, client = entity(name), world.keeper(name)
    others = [link for link in declared.model._meta.related_objects if link.on_delete is PROTECT]
    if declared.deletes is None or not others:
        return
    used = next((row for row in rows_of(name, keeper_of(name), "manage") if what_hangs_on(row)), None)
    assert used is not None, "no record in this world is in use"
    hanging, url = what_hangs_on(used), url_of(name, used.pk, "delete")
    asked = client.get(url).content.decode()
    for label, _ in hanging:
        assert label in asked
    refused = client.post(url)
    assert refused.status_code == 409 and hanging[0][0] in refused.content.decode()
    many = client.post(f"/bo/{name}/bulk/delete/", {"ids": [used.pk], "sure": "1"}, headers=SCRIPTED)
    assert many.status_code == 200 and many.context["refused"][0][0] == str(used)
    assert declared.model.objects.filter(pk=used.pk).exists()


# --- actions


@each_entity
def test_every_action_asks_then_is_done_and_audited(name: str, world: World) -> None:
    declared, client = entity(name), world.keeper(name)
    if not declared.actions or not is_added(name):
        return
    key, done = world.make(name), set()
    for action in (*declared.actions, *declared.actions):  # what one makes possible may stand before it
        url = f"/bo/{name}/{key}/do/{action.key}/"
        if not action.shown(rows_of(name, keeper_of(name)).get(pk=key)):
            assert client.post(url, headers=SCRIPTED).status_code == 404, action.key
            continue
        if action.key in done:
            continue
        asked = client.get(url, headers=SCRIPTED)
        assert asked.status_code == 200 and action.confirm.split("'")[0] in asked.content.decode(), action.key
        answer = client.post(url, of_form(name).asked.get(action.key, {}), headers=SCRIPTED)
        assert answer.status_code == 204, (action.key, answer.content.decode()[:1000])
        line = world.line_of(action, name, key, answer)
        assert line.action.action == f"{action.label.rstrip('…')} {declared.label}"
        done.add(action.key)
    assert done | of_form(name).never_new == {action.key for action in declared.actions}


@each_entity
def test_every_bulk_action_asks_then_is_done_to_each(name: str, world: World) -> None:
    declared, client = entity(name), world.keeper(name)
    if not any(action.bulk for action in declared.actions) or not is_added(name):
        return
    keys, done = [world.make(name) for _ in range(2)], set()
    for action in (each for each in (*declared.actions, *declared.actions) if each.bulk):
        url = f"/bo/{name}/bulk/{action.key}/"
        if action.key in done or not action.shown(rows_of(name, keeper_of(name)).get(pk=keys[0])):
            continue
        asked = client.post(url, {"ids": keys}, headers=SCRIPTED)
        assert asked.status_code == 200 and asked.context["count"] == 2, action.key
        assert client.post(url, {"ids": keys, "sure": "1"}, headers=SCRIPTED).status_code == 204, action.key
        lines = [audited(name, key, "update") for key in keys]
        assert {line.action.action for line in lines} == {f"{action.label.rstrip('…')} {declared.label}"}
        assert len({line.action_id for line in lines}) == 2, "each for itself"
        done.add(action.key)
    assert done == {action.key for action in declared.actions if action.bulk}
