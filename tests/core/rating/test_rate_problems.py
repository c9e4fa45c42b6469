"""What the check of a rate tree finds, and how it says so."""

import pytest
from msgspec.structs import replace
from tests.core.rating.rating_samples import EXAMPLE_1, SMS, Shape, rows_of, stored_scale

from relais.core.rating.catalogue import RULES, VALUE_FORMS
from relais.core.rating.problems import problems
from relais.core.rating.types import Domain, NodeRow, Parameter, Resource, ServiceType, Severity

TOP = "sms_messaging/sms_message"
STEPS = [(1000, "0.005"), (None, "0.004")]


def found(rows: list[NodeRow], service_type: ServiceType = ServiceType.PAY_AS_YOU_GO) -> list[tuple[str, str]]:
    return [(problem.path, problem.reason) for problem in problems(rows, service_type)]


def found_in(shape: Shape, service_type: ServiceType = ServiceType.PAY_AS_YOU_GO) -> list[tuple[str, str]]:
    return found(rows_of({SMS: shape}), service_type)


def by(parameter: str, **values: Shape) -> Shape:
    return {"by": parameter, "is": values}


def with_row(**fields: object) -> list[NodeRow]:
    """A tree split by country whose record 9 is the one in question."""
    row = {"id": 9, "parent_id": 1, "domain": SMS[0], "resource": SMS[1], "price_type": "free"} | fields
    return [*rows_of({SMS: by("country", FR="1")}), NodeRow(**row)]


def test_SV_248_a_value_cannot_stand_twice_among_siblings() -> None:
    assert found(with_row(value="FR")) == [(f"{TOP}/FR", "FR is there already")]
    rows = [*rows_of({SMS: by("country", others="1")}), NodeRow(9, 1, *SMS, "free", is_others=True)]
    assert found(rows) == [(f"{TOP}/Others", "Others is there already")]


def test_SV_21_SV_24_SV_54_SV_60_a_domain_has_resources_and_each_its_attributes_and_prices() -> None:
    """A resource belongs to one channel; a pay-as-you-go plan takes flat prices and scales; Mobile Push is Push Partner."""
    of = {domain: {resource for resource, rules in RULES.items() if rules.domain is domain} for domain in Domain}
    assert of[Domain.SMS_MESSAGING] == {"sms_message", "sender_id_setup_fee", "sender_id_usage_fee"}
    assert of[Domain("push_partner_messaging")] == {"push_partner_message"}
    assert all(of.values()) and sum(map(len, of.values())) == len(Resource)
    assert {"direction", "country", "network", "phone_number"} <= RULES["sms_message"].parameters
    for price in ("0.04", {"steps": STEPS}):
        assert found_in(by("direction", P2A="free", A2P=by("country", ES=price))) == []


def test_SV_248_a_resource_cannot_stand_twice() -> None:
    assert found(rows_of({SMS: "1"}) + rows_of({SMS: "1"}, first_id=5)) == [(TOP, "this resource is there already")]


def test_SV_250_a_parameter_stands_once_on_a_path() -> None:
    shape = by("country", ES=by("network", others=by("country", FR="1")), FR=by("network", others="1"))
    assert found_in(shape) == [(f"{TOP}/ES/Others", "country is used already on this path")]


def test_SV_249_a_split_needs_a_value() -> None:
    rows = with_row(value="ES", price_type="depends_on", split_by="network")
    (problem,) = problems(rows)
    assert problem.path == f"{TOP}/ES"
    assert problem.reason == "it depends on network, and no value is there yet"
    assert (problem.node_id, problem.severity) == (9, Severity.INCOMPLETE)


def test_SV_249_only_a_split_has_records_below_it() -> None:
    rows = [*with_row(value="ES"), NodeRow(10, 9, *SMS, "free", value="1")]
    assert found(rows) == [(f"{TOP}/ES", "price type free cannot have records below it")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price_type": "flat"}, "a price is missing"),
        ({"price_type": "scale"}, "a scale is missing"),
        ({"price_type": "depends_on"}, "choose the parameter it depends on"),
    ],
)
def test_SV_65_what_is_missing_makes_a_record_incomplete_not_invalid(fields: dict[str, object], reason: str) -> None:
    problem = problems(with_row(value="ES", **fields))[0]
    assert (problem.reason, problem.severity) == (reason, Severity.INCOMPLETE)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price_type": "flat", "price_micros": -1}, "a price cannot be negative"),
        ({"price_type": "flat", "price_micros": 0.5}, "a price is a whole number of micro-units: at most six decimals"),
        ({"price_micros": 5}, "price type free has no price"),
        ({"scale": stored_scale(STEPS)}, "price type free has no scale"),
        ({"split_by": "network"}, "price type free does not depend on a parameter"),
        ({"price_type": "cheap"}, "unknown price type 'cheap'"),
        ({"price_type": "included"}, "a pay_as_you_go service has no price type 'included'"),
        ({"billing_rule": "later"}, "billing rule 'later' is not one of delivered, submitted"),
        ({"quantity_rule": "minutes"}, "quantity rule 'minutes' is not one of messages, segments"),
        ({"value": "Spain"}, "'Spain' is not a value of country"),
        ({"is_others": True}, "Others has no value"),
        ({"resource": "sender_id_setup_fee"}, "it stands under another resource than its own"),
        (
            {"price_type": "scale", "scale": stored_scale([(5, "1"), (5, "2"), (None, "3")])},
            "step 2: thresholds must ascend",
        ),
    ],
)
def test_what_a_record_cannot_say_is_invalid(fields: dict[str, object], reason: str) -> None:
    """SV-100, SV-251, SV-252 and the words of the catalogue."""
    (problem,) = problems(with_row(**({"value": "ES"} | fields)))
    assert (problem.reason, problem.severity, problem.node_id) == (reason, Severity.INVALID, 9)


def test_a_record_below_a_split_needs_a_value() -> None:
    assert found(with_row()) == [(f"{TOP}/?", "a value is missing")]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (by("weather", sunny="1"), "unknown parameter 'weather'"),
        (by("pricing_category", utility="1"), "sms_message does not depend on pricing_category"),
    ],
)
def test_a_split_is_by_a_parameter_of_the_resource(shape: Shape, reason: str) -> None:
    assert found_in(shape) == [(TOP, reason)]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (("sms_messaging", "carrier_pigeon"), "unknown resource 'carrier_pigeon'"),
        (("sms_messaging", "rcs_message"), "rcs_message belongs to rcs_messaging, not to sms_messaging"),
        (("smoke_signals", "sms_message"), "sms_message belongs to sms_messaging, not to smoke_signals"),
    ],
)
def test_a_resource_belongs_to_its_domain(key: tuple[str, str], reason: str) -> None:
    assert found(rows_of({key: "1"})) == [("/".join(key), reason)]


def test_the_record_of_a_resource_has_no_value() -> None:
    assert found([NodeRow(1, None, *SMS, "free", value="ES")]) == [
        (TOP, "the record of a resource has no value and is not Others")
    ]


def test_SV_285_a_counter_group_is_not_what_the_path_has_fixed() -> None:
    grouped = {"steps": STEPS, "group": ["country"]}
    assert found_in(by("country", ES=grouped)) == [
        (f"{TOP}/ES", "country is fixed by the path, so it cannot be a counter group")
    ]
    assert found_in(by("country", ES="1", others=grouped)) == []


def test_SV_285_a_counter_group_is_one_of_four_parameters() -> None:
    assert found_in({"steps": STEPS, "group": ["direction"]}) == [
        (TOP, "direction cannot be a counter group of sms_message")
    ]
    assert found_in({"steps": STEPS, "group": ["sender_id", "country", "network", "mccmnc"]}) == []


def test_SV_56_packs_have_statuses_and_no_prices() -> None:
    """Also SV-57, SV-100, SV-101."""
    shape = by("country", US="included", CA="0.04")
    assert found_in(shape, ServiceType.UNIT_PACK) == [(f"{TOP}/CA", "a unit_pack service has no price type 'flat'")]
    assert found_in(by("country", US="included", others="not_included"), ServiceType.MONETARY_PACK) == []


def test_records_without_a_record_above_them_are_named() -> None:
    rows = rows_of({SMS: by("country", ES=by("network", **{"1": "1"}), FR="1")})
    retired = [replace(row, retired=row.value == "ES") for row in rows]
    assert found(retired) == [(f"{TOP}/1", "the record above it does not exist")]
    loop = [NodeRow(8, 9, *SMS, "free", value="ES"), NodeRow(9, 8, *SMS, "free", value="FR")]
    assert [reason for _, reason in found(loop)] == ["the record above it does not exist"] * 2


def test_all_problems_are_told_at_once_in_the_order_of_the_tree() -> None:
    rows = rows_of({SMS: by("country", ES=by("network", **{"x": "1", "2": "-1"}), Fr="1")})
    assert found(rows) == [
        (f"{TOP}/ES/x", "'x' is not a value of network"),
        (f"{TOP}/ES/2", "a price cannot be negative"),
        (f"{TOP}/Fr", "'Fr' is not a value of country"),
    ]


def test_nesting_without_end_is_told_as_far_as_a_path_can_be_right() -> None:
    rows = [NodeRow(1, None, *SMS, "depends_on", split_by="country")]
    rows += [NodeRow(n, n - 1, *SMS, "depends_on", value="ES", split_by="country") for n in range(2, 5000)]
    assert {reason for _, reason in found(rows)} == {"country is used already on this path"}
    assert len(problems(rows)) == len(Parameter)


def test_a_retired_record_is_not_checked() -> None:
    assert found(with_row(value="FR", retired=True)) == []


def test_SV_59_every_domain_has_a_resource_and_every_resource_its_rules() -> None:
    """Also SV-70, SV-75 to SV-80."""
    assert set(RULES) == set(Resource)
    assert {rules.domain for rules in RULES.values()} == set(Domain)
    for resource, rules in RULES.items():
        assert rules.default_billing_rule in rules.billing_rules, resource
        assert rules.default_quantity_rule in rules.quantity_rules, resource


def test_SV_83_every_parameter_has_the_form_of_its_values_and_a_resource_that_uses_it() -> None:
    """Also SV-84."""
    assert set(VALUE_FORMS) == set(Parameter)
    assert frozenset().union(*(rules.parameters for rules in RULES.values())) == set(Parameter)


def test_the_example_of_the_specification_has_no_problems() -> None:
    assert found(rows_of(EXAMPLE_1)) == []
