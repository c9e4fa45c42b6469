"""Rate trees that keep their rows, and services that never cover a channel twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.records.conftest import NOW, START, Books

from relais.core.rating.types import NodeRow

LATER = START + timedelta(days=90)
SMS = {"domain": "sms_messaging", "resource": "sms_message"}
SCALE = {
    "type": "tier",
    "counter_group": [],
    "steps": [{"up_to": 1000, "price_micros": 5000}, {"price_micros": 4000}],
}
TREE = [
    NodeRow(1, None, **SMS, price_type="depends_on", split_by="country"),
    NodeRow(2, 1, **SMS, price_type="flat", value="ES", price_micros=40_000),
    NodeRow(3, 1, **SMS, price_type="scale", value="FR", scale=SCALE),
    NodeRow(4, 1, **SMS, price_type="blocked", is_others=True),
]


def service_of(books: Books, name: str = "SMS", rows: list[NodeRow] | None = None, **fields: Any) -> Any:
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
    from relais.records.catalog.models import Scope, Service

    defaults = {"company": books.reseller, "type": "pay_as_you_go", "currency": "EUR"}
    service = Service.objects.create(name=name, **(defaults | fields))
    scope = Scope.objects.create(service=service, effective_from=START)
    replace_rate_tree(scope.pk, TREE if rows is None else rows, NOW)
    return service


def enabled(books: Books, service: Any, effective_from: datetime = START, till: datetime | None = None) -> Any:
    from relais.records.catalog.actions.enable_service import enable_service
    from relais.records.catalog.models import EnabledService

    return enable_service(
        EnabledService(agreement=books.agreement, service=service, effective_from=effective_from, effective_till=till),
        NOW,
    )


def ids_in_force(service: Any) -> dict[str | None, int]:
    from relais.records.catalog.models import RateNode

    live = RateNode.objects.filter(scope__service=service, retired_at=None)
    return {node.value or (None if node.parent_id is None else "others"): node.pk for node in live}


def put(service: Any, rows: list[NodeRow]) -> Any:
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree

    return replace_rate_tree(service.scopes.get().pk, rows, NOW)


def changed(number: int, **terms: Any) -> list[NodeRow]:
    return [replace(row, **terms) if row.id == number else row for row in TREE]


def test_an_unchanged_tree_keeps_every_row_whatever_ids_its_rows_bring(books: Books) -> None:
    service = service_of(books)
    before = ids_in_force(service)
    other_ids = [replace(row, id=row.id + 70, parent_id=row.parent_id and 71) for row in reversed(TREE)]
    assert not put(service, other_ids).changed
    assert ids_in_force(service) == before


def test_SV_261_an_edit_retires_the_row_and_makes_another_beside_those_that_stay(books: Books) -> None:
    from relais.records.catalog.models import RateNode

    service = service_of(books)
    before = ids_in_force(service)
    change = put(service, changed(2, price_micros=50_000))
    assert (change.kept_count, change.made_count, change.retired_count) == (3, 1, 1)
    after = ids_in_force(service)
    assert {value for value in after if after[value] != before[value]} == {"ES"}
    old = RateNode.objects.get(pk=before["ES"])
    assert (old.price_micros, old.retired_at) == (40_000, NOW)


def test_SV_253_a_scale_at_the_same_place_carries_its_counter_on(books: Books) -> None:
    from relais.records.catalog.models import RateNode

    service = service_of(books)
    first = ids_in_force(service)["FR"]
    cheaper = SCALE | {"steps": [{"up_to": 1000, "price_micros": 4500}, {"price_micros": 4000}]}
    put(service, changed(3, scale=cheaper))
    assert RateNode.objects.get(pk=ids_in_force(service)["FR"]).counter_id == first
    put(service, TREE)
    assert RateNode.objects.get(pk=ids_in_force(service)["FR"]).counter_id == first
    put(service, changed(1, billing_rule="delivered"))  # everything below the top is made anew
    assert RateNode.objects.get(pk=ids_in_force(service)["FR"]).counter_id == first


def test_a_value_means_something_else_below_another_split(books: Books) -> None:
    from relais.records.catalog.models import RateNode

    service = service_of(books)
    rows = changed(1, split_by="mcc")
    rows = [replace(row, value={"ES": "214", "FR": "208"}.get(row.value or "", row.value)) for row in rows]
    put(service, rows)
    assert RateNode.objects.get(pk=ids_in_force(service)["208"]).counter_id is None


def test_SV_248_a_value_twice_among_siblings_is_refused_by_path_and_nothing_changes(books: Books) -> None:
    from relais.records.errors import Invalid

    service = service_of(books)
    before = ids_in_force(service)
    twice = [*TREE, NodeRow(5, 1, **SMS, price_type="free", value="ES")]
    with pytest.raises(Invalid) as refusal:
        put(service, twice)
    assert list(refusal.value.reasons) == ["sms_messaging/sms_message/ES"]
    assert ids_in_force(service) == before


def test_a_rate_node_is_final_for_any_writer(books: Books) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.catalog.models import RateNode

    node = RateNode.objects.get(pk=ids_in_force(service_of(books))["ES"])
    rows = RateNode.objects.filter(pk=node.pk)
    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        rows.update(price_micros=1)
    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        rows.update(price_micros=1, retired_at=NOW)
    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        rows.delete()
    rows.update(retired_at=NOW)
    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        rows.update(retired_at=None)


def test_ES_19_two_services_of_one_channel_never_meet_and_the_one_in_the_way_is_named(books: Books) -> None:
    from relais.records.catalog.models import EnabledService
    from relais.records.errors import Invalid

    first = enabled(books, service_of(books, "Old"), till=LATER)
    other = service_of(books, "New")
    with pytest.raises(Invalid) as refusal:
        enabled(books, other, LATER - timedelta(microseconds=1))
    assert refusal.value.reasons == {
        "service": (f"overlaps 'Old' (enabled service ID {first.pk}), which covers sms_messaging then",)
    }
    assert EnabledService.objects.count() == 1
    enabled(books, other, LATER)  # ES-76: touching periods are allowed


def test_ES_19_the_end_of_an_enabled_service_cannot_be_moved_over_the_next(books: Books) -> None:
    from relais.records.catalog.actions.enable_service import change_enabled_service
    from relais.records.errors import Invalid

    first = enabled(books, service_of(books, "Old"), till=LATER)
    enabled(books, service_of(books, "New"), LATER)
    with pytest.raises(Invalid, match="overlaps 'New'"):
        change_enabled_service(first.pk, NOW, effective_till=None)
    first.refresh_from_db()
    assert first.effective_till == LATER


def test_ES_19_a_channel_that_comes_into_a_tree_later_is_checked_too(books: Books) -> None:
    from relais.records.errors import Invalid

    enabled(books, service_of(books, "SMS"))
    empty = service_of(books, "RCS", [])
    enabled(books, empty)
    rcs = NodeRow(1, None, "rcs_messaging", "rcs_message", "flat", price_micros=1)
    put(empty, [rcs])
    with pytest.raises(Invalid, match="overlaps 'SMS'"):
        put(empty, [rcs, NodeRow(2, None, **SMS, price_type="free")])
    assert len(ids_in_force(empty)) == 1


def test_ES_73_SV_268_a_service_fits_the_currency_and_the_seller_of_the_agreement(books: Books) -> None:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid, match="is in USD, the agreement in EUR"):
        enabled(books, service_of(books, "Dollars", currency="USD"))
    with pytest.raises(Invalid, match="not the seller"):
        enabled(books, service_of(books, "Wholesale", company=books.owner))
    with pytest.raises(Invalid, match="archived"):
        enabled(books, service_of(books, "Gone", archived_at=NOW))


def test_ES_74_dates_outside_the_agreement_are_refused(books: Books) -> None:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid, match="not in force"):
        enabled(books, service_of(books), START - timedelta(days=9), START)


def test_SV_262_currency_and_size_go_with_the_type(books: Books) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.catalog.models import Service

    for fields in (
        {"type": "pay_as_you_go"},
        {"type": "unit_pack", "size": 1000, "currency": "EUR"},
        {"type": "unit_pack"},
        {"type": "bundle_initiator", "size": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Service.objects.create(company=books.reseller, name="x", **fields)
    assert Service.objects.count() == 0


def reasons_of(act: Any, *arguments: Any, **options: Any) -> dict[str, tuple[str, ...]]:
    from tests.records.test_parties import reasons_of

    return reasons_of(act, *arguments, **options)


def copy_of(record: Any, **changes: Any) -> Any:
    from tests.records.test_parties import copy_of

    return copy_of(record, **changes)


def properties(books: Books, **fields: Any) -> Any:
    from relais.records.catalog.models import Service

    return Service(company=books.reseller, **({"name": "S", "type": "pay_as_you_go", "currency": "EUR"} | fields))


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"currency": None}, {"currency": ("is required for this type",)}),
        ({"currency": "XXZ"}, {"currency": ("is not the code of a currency",)}),
        ({"type": "unit_pack", "currency": None}, {"size": ("is required for this type",)}),
        (
            {"type": "monetary_pack", "size": 1_234_567},
            {"size": ("has more decimals than EUR",)},
        ),
        (
            {"type": "unit_pack", "size": 1000},
            {"currency": ("currency goes with pay_as_you_go and monetary_pack, and is required there",)},
        ),
        ({"size": 1}, {"size": ("size goes with packs, and is required there",)}),
        ({"name": " "}, {"name": ("This field cannot be blank.",)}),
    ],
)
def test_SV_31_SV_33_SV_34_currency_and_size_are_those_of_the_type(
    books: Books, fields: dict[str, Any], reasons: dict[str, tuple[str, ...]]
) -> None:
    from relais.records.catalog.actions.save_service import save_service

    assert reasons_of(save_service, properties(books, **fields)) == reasons


def test_SV_8_SV_262_names_may_repeat_while_type_currency_and_an_enabled_size_are_final(books: Books) -> None:
    from relais.records.catalog.actions.enable_service import enable_pack
    from relais.records.catalog.actions.save_service import save_service
    from relais.records.catalog.models import EnabledService

    save_service(properties(books))
    rated = save_service(properties(books))
    pack = save_service(properties(books, type="unit_pack", currency=None, size=1000))
    why = ("cannot be changed once the service exists",)
    assert reasons_of(save_service, copy_of(rated, currency="USD", type="monetary_pack", size=1)) == {
        "type": why,
        "currency": why,
    }
    assert save_service(copy_of(pack, size=2000, name="renamed")).size == 2000
    enable_pack(EnabledService(agreement=books.agreement, service=pack, effective_from=START), NOW)
    assert reasons_of(save_service, copy_of(pack, size=1)) == {
        "size": ("cannot be changed: the service is enabled on an agreement",)
    }
    assert save_service(copy_of(pack, description="named for the client")).pk == pack.pk


def test_SV_266_SV_276_archiving_frees_the_channel_and_can_be_undone_while_it_is_free(books: Books) -> None:
    from relais.records.catalog.actions.save_service import archive_service, stopped_by_archiving, unarchive_service
    from relais.records.catalog.models import EnabledServiceChannel

    old, new = service_of(books, "Old"), service_of(books, "New")
    first = enabled(books, old)
    assert stopped_by_archiving(old, NOW) == [first]
    for _ in range(2):
        assert archive_service(old.pk, NOW).archived_at == NOW
    assert not EnabledServiceChannel.objects.exists()
    unarchive_service(old.pk)
    assert EnabledServiceChannel.objects.get().enabled_service == first
    archive_service(old.pk, NOW)
    enabled(books, new)
    assert list(reasons_of(unarchive_service, old.pk)) == ["service"]
    assert reasons_of(enabled, books, old) == {"service": ("is archived",)}


def test_SV_267_a_service_that_prices_a_pack_is_named_before_the_pack_is_archived(books: Books) -> None:
    from relais.records.catalog.actions.save_service import priced_in, save_service

    pack = save_service(properties(books, type="unit_pack", currency=None, size=1000))
    assert priced_in(pack) == []
    place = {"domain": "service_purchase", "resource": "unit_pack"}
    rows = [
        NodeRow(1, None, **place, price_type="depends_on", split_by="pack"),
        NodeRow(2, 1, **place, price_type="flat", value=str(pack.pk), price_micros=40_000_000),
    ]
    prices = service_of(books, "Prices", rows)
    assert priced_in(pack) == [prices]


def test_a_service_is_deleted_only_while_it_has_no_scope(books: Books) -> None:
    from relais.records.catalog.actions.save_service import delete_service, save_service
    from relais.records.catalog.models import Service

    rated = service_of(books)
    assert reasons_of(delete_service, rated.pk) == {"": ("SMS cannot be deleted: it has 1 scope",)}
    mistaken = save_service(properties(books))
    delete_service(mistaken.pk)
    assert list(Service.objects.all()) == [rated]


def test_ES_23_the_start_moves_only_while_it_lies_ahead_and_the_rest_stays_open(books: Books) -> None:
    from relais.records.catalog.actions.enable_service import change_enabled_service

    ahead = enabled(books, service_of(books), NOW + timedelta(days=1))
    moved = change_enabled_service(
        ahead.pk, NOW, effective_from=NOW - timedelta(days=1), effective_from_timezone="Europe/Madrid"
    )
    assert (moved.effective_from, moved.effective_from_timezone) == (NOW - timedelta(days=1), "Europe/Madrid")
    assert reasons_of(change_enabled_service, ahead.pk, NOW, effective_from=NOW) == {
        "effective_from": ("cannot be changed: the service has started",)
    }
    assert change_enabled_service(ahead.pk, NOW, hidden_from_client=True).hidden_from_client
    assert list(reasons_of(change_enabled_service, ahead.pk, NOW, effective_till_timezone="Mars")) == [
        "effective_till_timezone"
    ]


def test_ES_75_ES_82_the_end_is_later_than_the_start_and_than_the_last_message_it_rated(books: Books) -> None:
    from tests.records.test_statistics import put as put_message

    from relais.records.catalog.actions.enable_service import end_enabled_service

    service = service_of(books)
    association = enabled(books, service)
    assert list(reasons_of(end_enabled_service, association.pk, START, NOW)) == ["effective_till"]
    sent = NOW - timedelta(hours=1)
    put_message(books, sent, 1, node_ids=[ids_in_force(service)["ES"]])
    assert reasons_of(end_enabled_service, association.pk, sent, NOW) == {
        "effective_till": ("is too early: a message was charged by it at 15.06.2025 11:00:00 UTC",)
    }
    ended = end_enabled_service(association.pk, sent + timedelta(milliseconds=1), NOW)
    assert ended.effective_till == sent + timedelta(milliseconds=1)


def test_ES_72_ES_73_packs_have_a_verb_of_their_own_and_may_overlap(books: Books) -> None:
    from relais.records.catalog.actions.enable_service import enable_pack, enable_service
    from relais.records.catalog.actions.save_service import save_service
    from relais.records.catalog.models import EnabledService

    units = save_service(properties(books, type="unit_pack", currency=None, size=1000))
    dollars = save_service(properties(books, type="monetary_pack", currency="USD", size=10_000_000))

    def bought(service: Any) -> Any:
        return EnabledService(agreement=books.agreement, service=service, effective_from=START)

    enable_pack(bought(units), NOW)
    enable_pack(bought(units), NOW)
    assert reasons_of(enable_pack, bought(dollars), NOW) == {"service": ("is in USD, the agreement in EUR",)}
    assert reasons_of(enable_service, bought(units), NOW) == {"service": ("is not a pay-as-you-go service",)}
    assert reasons_of(enable_pack, bought(service_of(books)), NOW) == {"service": ("is not a pack",)}


def test_AG_94_ES_74_an_agreement_that_has_ended_takes_no_service(books: Books) -> None:
    service = service_of(books)
    books.version.effective_till = NOW
    books.version.save()
    assert reasons_of(enabled, books, service) == {"agreement": ("has ended: add a version to it first",)}
