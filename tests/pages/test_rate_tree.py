"""The constructor of rate trees, as the page asks for its parts (spec 10)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

SCRIPTED = {"HX-Request": "true"}
SCALE = {
    "price_type": "scale",
    "scale_type": "tier",
    "counter_group": ["sender_id"],
    "up_to": ["1 000", "5 000"],
    "step_price": ["0.005", "0.004", "0.003"],
}


def the_scope(name: str = "SMS service") -> Any:
    from relais.records.catalog.models import Scope

    return Scope.objects.select_related("service").get(service__name=name)


def the_node(**columns: Any) -> Any:
    from relais.records.catalog.models import RateNode

    return RateNode.objects.get(scope__service__name="SMS service", retired_at=None, **columns)


def live(scope: Any = None) -> Any:
    from relais.records.catalog.models import RateNode

    return RateNode.objects.filter(scope=scope or the_scope(), retired_at=None)


def url(*parts: Any, scope: Any = None) -> str:
    return "/bo/scopes/" + "".join(f"{part}/" for part in ((scope or the_scope()).pk, "rates", *parts))


def body(answer: Any, status: int = 200) -> str:
    text = answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert answer.status_code == status, text[:3000]
    return text


def flat(price: str, **sent: Any) -> dict[str, Any]:
    return {"price_type": "flat", "price": price, "billing_rule": "", "quantity_rule": "", **sent}


def a_service(company: str = "Hornes and Hooves", **columns: Any) -> Any:
    """A service with an empty scope that holds now; the scope."""
    from relais.records.catalog.models import Scope, Service
    from relais.records.parties.models import Company

    service = Service.objects.create(company=Company.objects.get(name=company), **columns)
    return Scope.objects.create(service=service, effective_from=datetime(2025, 1, 1, tzinfo=UTC))


def test_SV_61_SV_62_SV_66_SV_88_a_value_is_added_and_edited_in_place_with_its_price(reseller: Any) -> None:
    """Also SV-53, SV-94, SV-108, SV-251: what is typed wrongly is said, and stores nothing."""
    add = f"{url('new')}?parent={the_node(split_by='country').pk}"
    before = live().count()
    assert "Choose a value" in body(reseller.post(add, flat("0.09"), headers=SCRIPTED), 422)
    for values in (["ZZ"], ["Spain"], ["x" * 300], ["\0"]):
        assert "not a value of Country" in body(reseller.post(add, flat("1", values=values), headers=SCRIPTED), 422)
    assert "there already" in body(reseller.post(add, flat("1", values=["ES", "PT"]), headers=SCRIPTED), 422)
    assert live().count() == before, "SV-248: all or none"
    made = reseller.post(add, flat("0.09", values="FR"), headers=SCRIPTED)
    assert "France" in body(made) and "0.09000" in body(made) and made.headers["HX-Retarget"] == "closest .rt-node"
    france = the_node(value="FR")
    assert france.price_micros == 90_000
    form = body(reseller.get(url(france.pk), headers=SCRIPTED))
    assert 'value="0.09"' in form and "Default (Submitted)" in form and "Default (Segments)" in form
    assert "new messages are charged by it at once" in form, "SV-53"
    for price, words in (
        ("0.0123456", "6 decimal places"),
        ("-1", "greater than or equal to 0"),
        ("x", "Enter a number"),
    ):
        assert words in body(reseller.post(url(france.pk), flat(price), headers=SCRIPTED), 422), price
    assert "0.01234" in body(reseller.post(url(france.pk), flat("0.01234"), headers=SCRIPTED))
    assert the_node(value="FR").price_micros == 12_340


def test_SV_66_SV_85_SV_284_what_is_offered_fits_the_way_and_is_not_there_yet(reseller: Any) -> None:
    spain = the_node(value="ES", parent__split_by="country")

    def offered(parent: Any, term: str = "") -> list[str]:
        answer = reseller.get(f"{url('new')}?parent={parent.pk}&options=values&term={term}", headers=SCRIPTED)
        return [option["text"] for option in answer.json()["options"]]

    assert len(offered(spain, "21403")) == 1, "a network is found by any of its codes"
    assert offered(spain, "21401") == [], "it has a record already"
    assert offered(the_node(split_by="country"), "portu") == ["Portugal"]
    assert offered(the_node(split_by="direction")) == ["Others"], "both directions are there"
    several = body(reseller.get(f"{url('new')}?parent={spain.pk}&several=1", headers=SCRIPTED))
    assert "multiple" in several and "Network" in several
    chosen = [option["value"] for option in reseller.get(
        f"{url('new')}?parent={spain.pk}&several=1&options=values&term=o", headers=SCRIPTED).json()["options"][:3]]  # fmt: skip
    answer = reseller.post(f"{url('new')}?parent={spain.pk}&several=1", flat("0.07", values=chosen), headers=SCRIPTED)
    assert body(answer).count("0.07000") == 3 and live().filter(parent=spain, price_micros=70_000).count() == 3


def test_SV_89_SV_90_SV_94_to_SV_98_SV_252_a_scale_is_typed_step_by_step_with_its_counter_group(reseller: Any) -> None:
    """Also SV-91, SV-95, SV-96, SV-97, SV-129, SV-285: what the path has fixed is no counter group."""
    node = live().get(value="ES", parent__split_by="country").children.get(is_others=True, retired_at=None)
    form = body(reseller.get(url(node.pk), headers=SCRIPTED))
    assert "Sender ID" in form and '<option value="country"' not in form and "∞" in form
    assert "0.00500 → 0.00300" in body(reseller.post(url(node.pk), SCALE, headers=SCRIPTED))
    stored = live().get(parent=node.parent, is_others=True)
    assert stored.scale == {
        "type": "tier",
        "counter_group": ["sender_id"],
        "steps": [
            {"up_to": 1000, "price_micros": 5000},
            {"up_to": 5000, "price_micros": 4000},
            {"price_micros": 3000},
        ],
    }
    assert 'value="5000"' in body(reseller.get(url(stored.pk), headers=SCRIPTED))
    for changes, words in (
        ({"up_to": ["5000", "1000"]}, "thresholds must ascend"),
        ({"up_to": ["0", "1"]}, "positive whole number"),
        ({"up_to": ["x", "1"]}, "positive whole number"),
        ({"step_price": ["1", "", "2"]}, "a price is missing"),
        ({"step_price": ["1"], "up_to": []}, "at least two steps"),
        ({"step_price": ["1", "2", "0.0000001"]}, "6 decimal places"),
    ):
        assert words in body(reseller.post(url(stored.pk), SCALE | changes, headers=SCRIPTED), 422).replace(
            "Step", "step"
        ), words
    empty = {"price_type": "scale", "scale_type": "back_to_first", "up_to": [""], "step_price": ["", ""]}
    assert "Enter the steps" in body(reseller.post(url(stored.pk), empty, headers=SCRIPTED)), "SV-65"


def test_SV_65_SV_67_SV_69_SV_117_what_lacks_something_is_counted_and_found_as_any_record_is(reseller: Any) -> None:
    """Also SV-247: what applies meanwhile is what the engine uses, and not the incomplete record."""
    scope, spain = the_scope(), the_node(value="ES", parent__split_by="country")
    place = {"scope": scope, "domain": spain.domain, "resource": "sender_id_usage_fee"}
    top = live().model.objects.create(**place, price_type="depends_on", split_by="mno")
    for key in ("542", "9867"):
        live().model.objects.create(**place, parent=top, value=key, price_type="flat", price_micros=200_000_000)
    add = f"{url('new')}?parent={spain.pk}"
    orange = reseller.get(f"{add}&options=values&term=21403", headers=SCRIPTED).json()["options"][-1]
    assert "1 incomplete record" in body(reseller.post(add, flat("", values=orange["value"]), headers=SCRIPTED))
    page = body(reseller.get(f"/bo/scopes/{scope.pk}/"))
    assert "Missed option: 542" in page and "200.00000" in page and "1 incomplete record" in page
    missing = body(reseller.get(f"{url('find')}?lacking=1", headers=SCRIPTED))
    assert orange["text"] in missing and "SMS message / A2P (MT) / Spain" in missing and "Enter a price" in missing
    node = live().get(price_type="flat", price_micros=None)
    assert f"?open={node.pk}" in missing and "data-marked" in body(
        reseller.get(f"/bo/scopes/{scope.pk}/?open={node.pk}")
    )
    for term, found in (
        ("vodafone", "0.04000"),
        ("spain", "Spain"),
        ("usage fee", "Sender ID usage fee"),
        ("21401", "Vodafone"),
    ):
        assert found in body(reseller.get(f"{url('find')}?q={term}", headers=SCRIPTED)), term
    assert "Nothing matches" in body(reseller.get(f"{url('find')}?q=no such thing", headers=SCRIPTED))
    below = body(reseller.get(f"{url()}?parent={spain.pk}&q=voda", headers=SCRIPTED))
    assert below.count("rt-node") == 1 and "Vodafone" in below
    probe = reseller.get(
        f"/bo/scopes/{scope.pk}/probe/", {"resource": "sms_message", "to": "+34 655 000 000", "text": "x"}
    )
    assert "0.08" in body(probe), "Others holds as long as the price is missing"


def test_SV_272_two_people_at_one_tree_are_warned_and_the_second_is_asked(reseller: Any, owner: Any) -> None:
    country = the_node(split_by="country")
    spain, stamp = the_node(value="ES", parent=country), the_scope().updated_at.isoformat()
    vodafone = live().get(parent=spain, price_micros=40_000)
    others = live().get(parent=spain, is_others=True)
    assert "Somebody else" not in body(
        reseller.post(url(vodafone.pk), flat("0.05") | {"stamp": stamp}, headers=SCRIPTED)
    )
    elsewhere = body(reseller.post(url(others.pk), flat("0.09") | {"stamp": stamp}, headers=SCRIPTED))
    assert "Somebody else has changed this tree" in elsewhere and "0.09000" in elsewhere
    asked = body(reseller.post(url(vodafone.pk), flat("0.06"), headers=SCRIPTED), 409)
    assert "0.05000" in asked and "0.06000" in asked and "Save mine over theirs" in asked
    stored = live().get(parent=spain, value=vodafone.value)
    assert stored.price_micros == 50_000, "nothing was overwritten"
    assert url(stored.pk) in asked and "0.06000" in body(reseller.post(url(stored.pk), flat("0.06"), headers=SCRIPTED))
    assert reseller.post(url(others.pk, "delete"), headers=SCRIPTED).status_code == 409
    now = live().get(parent=spain, is_others=True)
    assert "Delete Others?" in body(reseller.get(url(now.pk, "delete"), headers=SCRIPTED))
    assert reseller.post(url(now.pk, "delete"), headers=SCRIPTED).status_code == 200
    assert "Somebody else has removed" in body(reseller.get(url(now.pk), headers=SCRIPTED), 409)
    assert "removed by somebody else" in body(reseller.post(url(now.pk), flat("1"), headers=SCRIPTED), 422).lower()
    foreign = live(the_scope("SMS wholesale"))[0]
    for path in (url(foreign.pk), url(foreign.pk, "delete"), f"{url('new')}?parent={foreign.pk}", f"{url()}?parent={foreign.pk}",
                 url(foreign.pk, scope=foreign.scope), url("9" * 30), url("x")):  # fmt: skip
        assert reseller.get(path, headers=SCRIPTED).status_code == 404, path


def test_SV_249_SV_250_another_price_type_asks_before_it_takes_records_away(reseller: Any) -> None:
    spain = the_node(value="ES", parent__split_by="country")
    form = body(reseller.get(url(spain.pk), headers=SCRIPTED))
    splits = re.findall(r'<option value="(\w+)"', form.partition('name="split_by"')[2].partition("</select>")[0])
    assert "network" in splits and not {"direction", "country"} & {*splits}, "used on this path"
    groups = form.partition('name="counter_group"')[2].partition("</select>")[0]
    assert '"network"' in groups and '"country"' not in groups, "SV-285: fixed by its own value"
    asked = body(reseller.post(url(spain.pk), flat("0.10"), headers=SCRIPTED), 422)
    assert "records below it would be removed" in asked and 'name="sure"' in asked
    assert the_node(value="ES", parent__split_by="country").pk == spain.pk
    assert "0.10000" in body(reseller.post(url(spain.pk), flat("0.10", sure="on"), headers=SCRIPTED))
    top = live().get(parent=None, resource="sms_message")
    assert "go, too" in body(reseller.get(url(top.pk, "delete"), headers=SCRIPTED))
    removed = reseller.post(url(top.pk, "delete"), headers=SCRIPTED)
    assert removed.headers["HX-Retarget"] == "#tree" and not live().filter(resource="sms_message").exists()


def test_SV_56_to_SV_59_SV_70_SV_100_each_type_of_service_has_its_resources_and_statuses(reseller: Any) -> None:
    """Also SV-58, SV-60, SV-71, SV-75 to SV-80, SV-82, SV-83, SV-86, SV-99, SV-101 to SV-103: what the editor offers."""
    kinds = {
        "pay_as_you_go": {"currency": "EUR"}, "unit_pack": {"size": 5}, "monetary_pack": {"currency": "EUR", "size": 5},
        "bundle_initiator": {}, "bundle_pack": {"size": 10},
    }  # fmt: skip
    forms = {}
    for kind, columns in kinds.items():
        scope = a_service(name=kind, type=kind, **columns)
        forms[kind] = body(reseller.get(url("new", scope=scope), headers=SCRIPTED))
    paid = forms["pay_as_you_go"]
    for domain in ("SMS messaging", "RCS messaging", "Viber messaging", "WhatsApp messaging", "Service purchase",
                   "WeChat messaging", "Email messaging", "Additional service", "Telegram Gateway messaging",
                   "Bundle grouping", "Push messaging", "TTS messaging", "Voice calls", "Push Partner messaging",
                   "WhatsApp conversation", "Monetary pack"):  # fmt: skip
        assert domain in paid, domain
    for words in ("Flat rate", "Scale", "Free", "Not included", "Blocked", "Depends on"):
        assert words in paid, words
    assert "Included<" not in paid and "Sender ID setup fee" in paid
    for kind in ("unit_pack", "monetary_pack"):
        assert "Included<" in forms[kind] and "Flat rate" not in forms[kind] and "Status" in forms[kind]
        assert "Billing rule" in forms[kind] and "Service purchase" not in forms[kind]
    assert "Billing rule" not in forms["bundle_initiator"] and "SMS message" in forms["bundle_initiator"]
    assert "Bundle member" in forms["bundle_pack"] and "SMS message" not in forms["bundle_pack"], "SV-30, SV-78"
    scope = the_scope("unit_pack")
    sent = {"resource": "sms_message", "price_type": "depends_on", "split_by": "country", "quantity_rule": "segments"}
    made = reseller.post(url("new", scope=scope), sent, headers=SCRIPTED)
    assert made.headers["HX-Retarget"] == "#tree" and "Add a value" in body(made)
    top = live(scope).get()
    assert "Included" in body(
        reseller.post(
            f"{url('new', scope=scope)}?parent={top.pk}", {"values": "US", "price_type": "included"}, headers=SCRIPTED
        )
    )
    again = body(reseller.post(url("new", scope=scope), sent, headers=SCRIPTED), 422)
    assert "Select a valid choice" in again, "SV-248"
    page = body(reseller.get(f"/bo/scopes/{scope.pk}/"))
    assert ">Status<" in page and "Price," not in page and "United States" in page
    fee = body(reseller.get(f"{url('new')}?domain=rcs_messaging", headers=SCRIPTED))
    assert "RCS message" in fee and "SMS message" not in fee, "SV-76"
    initiator = the_scope("bundle_initiator")
    reseller.post(url("new", scope=initiator), {"resource": "sms_message", "price_type": "included"}, headers=SCRIPTED)
    page = body(reseller.get(f"/bo/scopes/{initiator.pk}/"))
    assert ">Status<" in page and "Included" in page and "Billing rule" not in page, "SV-58"


def test_SV_82_SV_87_SV_149_SV_150_closed_sets_offer_their_words(reseller: Any) -> None:
    """Also SV-72, SV-73, SV-77, SV-79, SV-83, SV-86, SV-107: which parameter each resource knows."""
    scope = a_service(name="All", type="pay_as_you_go", currency="EUR")
    for resource, parameter, wanted in (
        ("sender_id_setup_fee", "sender_id_type", ["Others", "Alphanumeric", "Short code", "Long code"]),
        ("sender_id_usage_fee", "periodicity", ["Others", "Monthly", "Weekly"]),
        ("rcs_message", "billing_event", ["Others", "Basic", "Conversation", "Single"]),
        ("whatsapp_message", "pricing_category", [
            "Others", "Authentication", "Authentication international", "Marketing", "Marketing lite", "Utility", "Service",
            "Referral conversion",
        ]),
        ("whatsapp_conversation", "pricing_type", ["Others", "Regular", "Free customer service", "Free entry point"]),
        ("viber_message", "direction", ["Others", "A2P (MT)", "P2A (MO)"]),
        ("additional_service", "additional_service", ["Others"]),
        ("monetary_pack", "pack", ["Others"]),
    ):  # fmt: skip
        sent = {"resource": resource, "price_type": "depends_on", "split_by": parameter}
        body(reseller.post(url("new", scope=scope), sent, headers=SCRIPTED))
        top = live(scope).get(resource=resource)
        options = reseller.get(f"{url('new', scope=scope)}?parent={top.pk}&options=values").json()["options"]
        assert [option["text"] for option in options] == wanted, resource
    fee = live(scope).get(resource="sender_id_usage_fee")
    form = body(reseller.get(url(fee.pk, scope=scope), headers=SCRIPTED))
    assert "Full period" in form and "Segments" not in form and "Submitted" not in form, "SV-107"
    named = live(scope).get(resource="additional_service")
    for typed in ("Setup of a short code", "Setup of a short code", "x" * 201):
        answer = reseller.post(
            f"{url('new', scope=scope)}?parent={named.pk}",
            flat("5", values=f"new:{typed}"), headers=SCRIPTED,
        )  # fmt: skip
    assert answer.status_code == 422
    assert live(scope).get(value="Setup of a short code").price_micros == 5_000_000, "SV-79: once"


def test_SV_119_to_SV_141_the_probe_tells_what_a_message_would_cost_and_why(reseller: Any) -> None:
    """Example 1 by the tree as it is: SV-136, SV-137, SV-139, SV-140, SV-287; refusals tell what is wrong."""
    scope = the_scope()

    def probe(status: int = 200, **asked: Any) -> str:
        asked = {"resource": "sms_message", "to": "+34 600 000 000", "text": "Hello"} | asked
        return body(reseller.get(f"/bo/scopes/{scope.pk}/probe/", asked, headers=SCRIPTED), status)

    vodafone = probe()
    for words in ("Spain · 21401 Vodafone", "0.04&nbsp;", "Can be sent", "A2P (MT)", "Country", "Network", "Submitted"):
        assert words in vodafone, words
    assert "3 \N{MULTIPLICATION SIGN} 0.04000" in probe(text="x" * 320) and "0.12&nbsp;" in probe(text="x" * 320)
    assert "0.08&nbsp;" in probe(to="+34 655 000 000") and "Others" in probe(to="+34 655 000 000")
    assert "0.05&nbsp;" in probe(to="+39 333 000 0000") and "Tier, all traffic together" in probe(to="+39 333 000 0000")
    spread = probe(to="+39 333 000 0000", text="x" * 320, used=9_999)
    assert (
        "1 \N{MULTIPLICATION SIGN} 0.05000" in spread
        and "2 \N{MULTIPLICATION SIGN} 0.04000" in spread
        and "0.13&nbsp;" in spread
    )
    assert "0.00&nbsp;" in probe(direction="P2A")
    assert "Enter the number with its country code" in probe(422, to="12") and "No country has such a number" in probe(
        to="9990000000"
    )
    blocked = live().get(parent=the_node(split_by="country"), is_others=True)
    assert reseller.post(url(blocked.pk), {"price_type": "blocked"}, headers=SCRIPTED).status_code == 200
    assert "Blocked" in probe(to="+39 333 000 0000") and "destination_blocked" in probe(to="+39 333 000 0000")
    now = live().get(parent=the_node(split_by="country"), is_others=True)
    reseller.post(url(now.pk, "delete"), headers=SCRIPTED)
    assert "rate_not_found" in probe(to="+39 333 000 0000"), "SV-193: no way back to a higher Others"
    assert reseller.get(f"/bo/scopes/{the_scope('SMS wholesale').pk}/probe/").status_code == 404


def test_SV_255_SV_214_the_probe_knows_corrections_and_packs(reseller: Any) -> None:
    scope = the_scope()
    others = live().get(parent=the_node(split_by="country"), is_others=True)
    sent = {"price_type": "scale", "scale_type": "back_to_first", "up_to": ["1000"], "step_price": ["0.005", "0.004"]}
    assert reseller.post(url(others.pk), sent, headers=SCRIPTED).status_code == 200
    asked = {"resource": "sms_message", "to": "+39 333 000 0000", "text": "x", "used": "1000"}
    told = body(reseller.get(f"/bo/scopes/{scope.pk}/probe/", asked, headers=SCRIPTED))
    assert "-1.00000" in told and "-0.996" in told and "Back-to-First" in told, "SV-144: 5.000 becomes 4.004"
    pack = a_service(name="Pack", type="unit_pack", size=10)
    live().model.objects.create(scope=pack, domain="sms_messaging", resource="sms_message", price_type="included")
    asked |= {"text": "x" * 200}
    told = body(reseller.get(f"/bo/scopes/{pack.pk}/probe/", asked, headers=SCRIPTED))
    assert "Takes 2 of the pack (segments)" in told


def test_SV_39_to_SV_49_SV_264_scopes_are_added_and_edited_and_the_page_says_which_is_current(reseller: Any) -> None:
    """SV-20, SV-125: a scope opens its tree and may be a draft. SV-40, SV-41, SV-45 and SV-46 by the way; SV-51: without a scope
    there is no tree, and no place to add rates."""
    from relais.records.catalog.models import Scope

    first, now = the_scope(), datetime.now(UTC)
    service = first.service
    bare = a_service(name="Bare", type="pay_as_you_go", currency="EUR")
    bare.delete()
    empty = body(reseller.get(f"/bo/services/{bare.service_id}/"))
    assert (
        "No scope yet" in empty and "New scope" in empty and "Service domain" not in empty and "treegrid" not in empty
    )
    sent = {
        "service": service.pk,
        "effective_from_0": f"{now - timedelta(hours=1):%d.%m.%Y, %H:%M:%S}", "effective_from_1": "Etc/UTC",
        "effective_till_1": "Etc/UTC", "copy": "on", "copy_service": service.pk, "copy_scope": first.pk,
    }  # fmt: skip
    form = reseller.get(f"/bo/scopes/new/?service={service.pk}").context["drawer"].form
    sources = reseller.get(f"/bo/scopes/new/?options=copy_service&service={service.pk}").json()["options"]
    assert {"value": service.pk, "text": "Current service"} in sources, "SV-44"
    offered = reseller.get(f"/bo/scopes/new/?options=copy_scope&service={service.pk}&copy_service={service.pk}").json()
    assert offered["preselected"]["value"] == first.pk and form.fields["copy_scope"].show_when == "copy=true"
    refused = reseller.post("/bo/scopes/new/", sent | {"copy_scope": ""})
    assert "copy_scope" in refused.context["drawer"].form.errors
    answer = reseller.post("/bo/scopes/new/", sent)
    second = Scope.objects.filter(service=service).latest("pk")
    assert answer.status_code == 302 and answer.headers["Location"] == f"/bo/scopes/{second.pk}/"
    assert live(second).count() == live(first).count() == 8
    page = body(reseller.get(f"/bo/scopes/{second.pk}/"))
    assert ">Overlapped<" in page and ">Current<" in page and "Saving here changes prices at once" not in page, "SV-48"
    till = {"effective_from_0": "01.01.2025, 00:00:00", "effective_from_1": "Etc/UTC", "effective_till_1": "Etc/UTC"}
    assert reseller.post(f"/bo/scopes/{first.pk}/edit/", till | {"draft": "on"}).status_code == 302
    page = body(reseller.get(f"/bo/scopes/{second.pk}/"))
    assert ">Draft<" in page and ">Current<" in page and "Saving here changes prices at once" in page, "SV-49"
    assert page.count(" \N{EN DASH} ∞</span>") == 2 and "01.01.2025 00:00" in page, "SV-42, SV-111"
    assert f'href="/bo/services/{service.pk}/scopes/{second.pk}/import/"' in page, "SV-104"
    wrong = reseller.post(f"/bo/scopes/{second.pk}/edit/", till | {"effective_till_0": "01.01.2024, 00:00:00"})
    assert wrong.status_code == 422 and "effective_till" in wrong.context["drawer"].form.errors


def test_SV_11_to_SV_16_SV_14_SV_36_a_row_offers_its_controls_and_a_clone_is_opened_for_its_name(reseller: Any) -> None:
    from relais.records.catalog.models import Service

    service = the_scope().service
    listed = body(reseller.get("/bo/services/"))
    for words in (
        "Clone SMS service",
        "Edit structure of SMS service",
        "Properties of SMS service",
        "Archive SMS service",
    ):
        assert words in listed, words
    asked = body(reseller.get(f"/bo/services/{service.pk}/do/clone/", headers=SCRIPTED))
    assert "drafts" in asked
    answer = reseller.post(f"/bo/services/{service.pk}/do/clone/", headers=SCRIPTED)
    clone = Service.objects.get(name="SMS service (copy)")
    assert f'"url": "/bo/services/{clone.pk}/edit/"' in answer.headers["HX-Trigger"]
    assert [scope.draft for scope in clone.scopes.all()] == [True] and live(
        clone.scopes.get()
    ).count() == live().count()


def test_SV_270_who_may_only_look_reads_trees_and_changes_nothing(reseller: Any) -> None:
    from tests.pages.conformance import user_of

    user = user_of("reseller")
    user.no_restrictions, user.deviations = False, {"Services": "view"}
    user.save()
    user.roles.clear()
    node = the_node(value="ES", parent__split_by="country")
    page = body(reseller.get(f"/bo/scopes/{the_scope().pk}/"))
    assert "Spain" in page and "What would this cost?" in page and "Import rates" not in page
    assert "data-edits" not in page and "New scope" not in page and "Clone" not in page
    for path in (url("new"), url(node.pk), url(node.pk, "delete")):
        assert reseller.get(path).status_code == 403 and reseller.post(path, flat("1")).status_code == 403, path
    assert reseller.get(f"{url()}?parent={node.pk}").status_code == 200
