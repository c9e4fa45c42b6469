"""Rate trees edited record by record, scopes with copied trees, clones of services (spec 10)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.records.conftest import NOW, START, Books
from tests.records.test_services import SCALE, SMS, enabled, ids_in_force, service_of

from relais.core.rating.types import NodeRow

LATER = NOW + timedelta(minutes=1)
DEEP = [
    NodeRow(1, None, **SMS, price_type="depends_on", split_by="direction", quantity_rule="segments"),
    NodeRow(2, 1, **SMS, price_type="depends_on", split_by="country", value="A2P"),
    NodeRow(3, 2, **SMS, price_type="flat", value="ES", price_micros=40_000),
    NodeRow(4, 2, **SMS, price_type="scale", value="FR", scale=SCALE),
]


def terms(price_type: str, **columns: Any) -> Any:
    from relais.records.catalog.actions.edit_rate_tree import Terms

    return Terms(price_type, **columns)


def refused(verb: Any, *args: Any, **options: Any) -> str:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid) as refusal:
        verb(*args, **options)
    return str(refusal.value)


def test_SV_66_SV_248_SV_250_several_values_are_added_at_once_or_none(books: Books) -> None:
    """Also SV-249, SV-251, SV-252: what breaks a rule of the tree is refused, and nothing of the request is kept."""
    from relais.records.catalog.actions.edit_rate_tree import add_values
    from relais.records.catalog.models import RateNode

    service = service_of(books, rows=DEEP)
    country, before = ids_in_force(service)["A2P"], ids_in_force(service)
    assert len(add_values(country, ["PT", "IT", None], terms("flat", price_micros=90_000), NOW)) == 3
    after = ids_in_force(service)
    assert {key: after[key] for key in before} == before, "no other row was touched"
    assert RateNode.objects.get(pk=after["others"]).price_micros == 90_000
    for values, wrong, words in (
        (["DE", "PT"], terms("free"), "PT: there already"),
        ([None], terms("free"), "Others: there already"),
        (["DE", "DE"], terms("free"), "DE is there already"),
        (["de"], terms("free"), "is not a value of country"),
        (["DE"], terms("flat", price_micros=-1), "cannot be negative"),
        (["DE"], terms("depends_on", split_by="country"), "used already on this path"),
        (["DE"], terms("included"), "has no price type"),
        (["DE"], terms("flat", price_micros=1, billing_rule="when_applied"), "billing rule"),
        (["DE"], terms("scale", scale={"type": "tier", "steps": [{"price_micros": 1}]}), "at least two steps"),
        (["DE"], terms("scale", scale=SCALE | {"counter_group": ["country"]}), "fixed by the path"),
        ([], terms("free"), "choose a value"),
    ):
        assert words in refused(add_values, country, values, wrong, NOW), words
    assert words in refused(add_values, country, [], terms("free"), NOW)
    assert ids_in_force(service) == after
    assert "read the tree anew" in refused(add_values, after["ES"], ["214"], terms("free"), NOW), "SV-249"


def test_SV_253_SV_261_a_record_changed_in_its_place_leaves_all_others(books: Books) -> None:
    from relais.records.catalog.actions.edit_rate_tree import change_record
    from relais.records.catalog.models import RateNode

    service = service_of(books, rows=DEEP)
    before = ids_in_force(service)
    cheaper = SCALE | {"steps": [{"up_to": 1000, "price_micros": 4500}, {"price_micros": 4000}]}
    change_record(before["FR"], terms("scale", scale=cheaper), LATER)
    after = ids_in_force(service)
    assert {key for key in after if after[key] != before[key]} == {"FR"}
    assert RateNode.objects.get(pk=after["FR"]).counter_id == before["FR"], "the volume goes on"
    old = RateNode.objects.get(pk=before["FR"])
    assert (old.retired_at, old.scale) == (LATER, SCALE), "charges made by it stay explainable"
    assert change_record(after["ES"], terms("flat", price_micros=40_000), LATER).pk == after["ES"], "nothing changed"


def test_SV_108_SV_109_a_change_above_makes_everything_below_anew_with_its_counters(books: Books) -> None:
    from relais.records.catalog.actions.edit_rate_tree import change_record
    from relais.records.catalog.models import RateNode

    service = service_of(books, rows=DEEP)
    before = ids_in_force(service)
    change_record(before["A2P"], terms("depends_on", split_by="country", billing_rule="delivered"), LATER)
    after = ids_in_force(service)
    assert after.keys() == before.keys() and {key for key in after if after[key] == before[key]} == {None}
    assert RateNode.objects.get(pk=after["FR"]).counter_id == before["FR"]
    assert RateNode.objects.get(pk=after["ES"]).price_micros == 40_000


def test_SV_249_another_split_or_price_type_takes_what_is_below_away_when_somebody_is_sure(books: Books) -> None:
    from relais.records.catalog.actions.edit_rate_tree import change_record

    service = service_of(books, rows=DEEP)
    before = ids_in_force(service)
    for other in (terms("free"), terms("depends_on", split_by="mcc")):
        assert "2 records below it would be removed" in refused(change_record, before["A2P"], other, LATER)
    assert ids_in_force(service) == before
    change_record(before["A2P"], terms("free"), LATER, sure=True)
    assert ids_in_force(service).keys() == {None, "A2P"}


def test_SV_272_of_two_editors_the_second_is_told_what_the_first_stored(books: Books) -> None:
    from relais.records.catalog.actions.edit_rate_tree import add_values, change_record, remove_record
    from relais.records.saving import Changed

    service = service_of(books, rows=DEEP)
    seen = ids_in_force(service)
    first = change_record(seen["ES"], terms("flat", price_micros=50_000), LATER)
    with pytest.raises(Changed) as told:
        change_record(seen["ES"], terms("flat", price_micros=60_000), LATER)
    assert told.value.stored.pk == first.pk and ids_in_force(service)["ES"] == first.pk
    with pytest.raises(Changed):
        remove_record(seen["ES"], LATER)
    # a change above makes new rows that say the same: nobody is in the way of anybody
    change_record(seen["A2P"], terms("depends_on", split_by="country", billing_rule="delivered"), LATER)
    made = change_record(seen["FR"], terms("free"), LATER)
    assert ids_in_force(service)["FR"] == made.pk
    assert add_values(seen["A2P"], ["PT"], terms("free"), LATER)[0].parent_id == ids_in_force(service)["A2P"]
    remove_record(made.pk, LATER)
    assert "removed by somebody else" in refused(change_record, made.pk, terms("blocked"), LATER)


def test_SV_64_SV_70_resources_come_and_go_and_the_channels_of_the_service_with_them(books: Books) -> None:
    from relais.records.catalog.actions.edit_rate_tree import add_resource, remove_record
    from relais.records.catalog.models import EnabledServiceChannel

    service = service_of(books, rows=DEEP)
    scope, record = service.scopes.get(), enabled(books, service)
    channels = EnabledServiceChannel.objects.filter(enabled_service=record).order_by("domain")
    fee = add_resource(scope.pk, "sms_messaging", "sender_id_setup_fee", terms("flat", price_micros=1), NOW)
    add_resource(scope.pk, "rcs_messaging", "rcs_message", terms("free"), NOW)
    assert list(channels.values_list("domain", flat=True)) == ["rcs_messaging", "sms_messaging"]
    for domain, resource, words in (
        ("sms_messaging", "sms_message", "there already"),
        ("sms_messaging", "rcs_message", "belongs to"),
        ("sms_messaging", "nothing", "unknown resource"),
    ):
        assert words in refused(add_resource, scope.pk, domain, resource, terms("free"), NOW)
    other = service_of(books, "RCS only", [])
    enabled(books, other)
    taken = refused(add_resource, other.scopes.get().pk, "rcs_messaging", "rcs_message", terms("free"), NOW)
    assert "overlaps 'SMS'" in taken and ids_in_force(other) == {}
    assert remove_record(fee.pk, LATER) == 1
    message = scope.nodes.get(resource="sms_message", parent=None, retired_at=None)
    assert remove_record(message.pk, LATER) == 4, "with all that stands below it"
    assert list(channels.values_list("domain", flat=True)) == ["rcs_messaging"]


def test_SV_271_every_edit_is_audited_with_the_terms_before_and_after(books: Books) -> None:
    from relais.records.audit import audited
    from relais.records.catalog.actions.edit_rate_tree import change_record
    from relais.records.people.models import AuditAction

    service = service_of(books, rows=DEEP)
    with audited("Edit Rate", user=None, ip_address=None):
        change_record(ids_in_force(service)["ES"], terms("flat", price_micros=50_000), LATER)
    action = AuditAction.objects.filter(action="Edit Rate").get()
    lines = list(action.lines.filter(table="catalog_ratenode").order_by("pk"))
    assert [(line.operation, line.company_id) for line in lines] == [
        ("delete", books.reseller.pk),
        ("insert", books.reseller.pk),
    ]
    assert lines[0].old["price_micros"] == 40_000 and lines[1].new["price_micros"] == 50_000


def test_SV_43_SV_44_SV_277_a_scope_begins_with_a_copy_of_a_tree_of_the_same_kind(books: Books) -> None:
    """Also SV-48, SV-264: it may overlap another, and ends after its start."""
    from relais.records.catalog.actions.save_scope import save_scope
    from relais.records.catalog.models import RateNode, Scope

    service = service_of(books, rows=DEEP)
    source = service.scopes.get()
    copy = save_scope(Scope(service=service, effective_from=START), copied_from=source)
    nodes = RateNode.objects.filter(scope=copy, retired_at=None)
    assert nodes.count() == 4 and not nodes.exclude(counter=None).exists(), "its scales count for themselves"
    pack = service_of(books, "Pack", [], type="unit_pack", currency=None, size=10)
    foreign = service_of(books, "Foreign", DEEP, company=books.owner)
    for other, words in ((foreign, "belongs to another company"), (pack, "of another kind")):
        scope = Scope(service=service, effective_from=START)
        assert words in refused(save_scope, scope, copied_from=other.scopes.get())
    early = Scope(service=service, effective_from=START, effective_till=START)
    assert "later than effective_from" in refused(save_scope, early)
    assert service.scopes.count() == 2


def test_SV_12_SV_13_a_clone_has_everything_and_its_scopes_are_drafts(books: Books) -> None:
    from relais.records.catalog.actions.clone_service import clone_service
    from relais.records.catalog.models import RateNode

    service = service_of(books, rows=DEEP, description="Rates")
    clone = clone_service(service.pk)
    assert (clone.name, clone.type, clone.currency, clone.description) == (
        "SMS (copy)",
        "pay_as_you_go",
        "EUR",
        "Rates",
    )
    (scope,) = clone.scopes.all()
    assert scope.draft and scope.effective_from == START
    assert RateNode.objects.filter(scope=scope, retired_at=None).count() == 4
    assert not service.scopes.get().draft
