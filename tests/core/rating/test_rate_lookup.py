"""Which rate a tree gives."""

import pytest
from msgspec.structs import replace
from tests.core.rating.rating_samples import SMS, attributes_of, rows_of, stored_scale, to, tree_of

from relais.core.money import parse_micros
from relais.core.rating.tree import compile_tree, lookup, rates_of_nodes
from relais.core.rating.types import BLOCKED, Answer, NodeRow, Parameter, Rate, Tree

PICTURE = {  # SV-112, SV-113, SV-116 to SV-118
    SMS: {
        "billing_rule": "submitted",
        "quantity_rule": "segments",
        "by": "direction",
        "is": {
            "P2A": "free",
            "A2P": {
                "by": "mcc",
                "is": {
                    "250": {"by": "network_name", "is": {"MTS": "0.01", "Beeline": "0.02", "others": "3"}},
                    "others": "1",
                },
            },
        },
    },
    ("sms_messaging", "sender_id_setup_fee"): "100",
    ("sms_messaging", "sender_id_usage_fee"): {
        "quantity_rule": "full_period",
        "by": "periodicity",
        "is": {
            "monthly": "500",
            "weekly": {
                "by": "mno",
                "is": {
                    "542": "200",
                    "9867": {"by": "sender_id_type", "is": {"alphanumeric": "300", "others": "150"}},
                    "456": "125",
                },
            },
        },
    },
}
RCS = {  # Example 3
    ("rcs_messaging", "rcs_message"): {
        "billing_rule": "delivered",
        "quantity_rule": "messages",
        "by": "billing_event",
        "is": {
            "basic": {"by": "country", "is": {"ES": "0.04", "IT": "0.05", "FR": "0.034"}},
            "conversation": {"by": "country", "is": {"ES": "0.08", "IT": "0.088", "FR": "0.09"}},
            "single": {"by": "country", "is": {"ES": "0.93", "IT": "0.089", "FR": "1"}},
            "others": "1.5",
        },
    }
}


def rate_in(tree: Tree, key: tuple[str, str], **attributes: str) -> Rate | Answer | None:
    return lookup(tree, *key, attributes_of(**attributes))


def price_in(tree: Tree, key: tuple[str, str], **attributes: str) -> int:
    rate = rate_in(tree, key, **attributes)
    assert isinstance(rate, Rate)
    return rate.price_micros


@pytest.mark.parametrize(
    ("attributes", "price"),
    [
        ({"direction": "A2P", "mcc": "250", "network_name": "MTS"}, "0.01"),
        ({"direction": "A2P", "mcc": "250", "network_name": "Beeline"}, "0.02"),
        ({"direction": "A2P", "mcc": "250", "network_name": "Tele2"}, "3.00"),
        ({"direction": "A2P", "mcc": "250"}, "3.00"),
        ({"direction": "A2P", "mcc": "262", "network_name": "MTS"}, "1.00"),
        ({"direction": "P2A", "mcc": "250", "network_name": "MTS"}, "0"),
    ],
)
def test_SV_115_the_picture_gives_its_prices(attributes: dict[str, str], price: str) -> None:
    assert price_in(tree_of(PICTURE), SMS, **attributes) == parse_micros(price)


@pytest.mark.parametrize(
    ("attributes", "price"),
    [
        ({"periodicity": "monthly"}, "500"),
        ({"periodicity": "weekly", "mno": "542"}, "200"),
        ({"periodicity": "weekly", "mno": "9867", "sender_id_type": "alphanumeric"}, "300"),
        ({"periodicity": "weekly", "mno": "9867", "sender_id_type": "short_code"}, "150"),
        ({"periodicity": "weekly", "mno": "456"}, "125"),
    ],
)
def test_SV_117_the_usage_fee_of_the_picture(attributes: dict[str, str], price: str) -> None:
    """Also SV-118: the operators stand below Weekly, the types of sender ID below their operator."""
    assert price_in(tree_of(PICTURE), ("sms_messaging", "sender_id_usage_fee"), **attributes) == parse_micros(price)


def test_SV_116_the_setup_fee_of_the_picture_is_one_price() -> None:
    assert price_in(tree_of(PICTURE), ("sms_messaging", "sender_id_setup_fee")) == parse_micros("100")


def test_SV_193_a_country_missing_below_basic_is_not_included() -> None:
    """Also SV-244: the Others of the level above does not apply to it."""
    tree = tree_of(RCS)
    key = ("rcs_messaging", "rcs_message")
    assert price_in(tree, key, billing_event="basic", country="IT") == parse_micros("0.05")
    assert rate_in(tree, key, billing_event="basic", country="DE") is None


def test_SV_192_an_event_of_no_known_type_costs_the_others_price() -> None:
    tree = tree_of(RCS)
    assert price_in(tree, ("rcs_messaging", "rcs_message"), billing_event="?", country="DE") == parse_micros("1.50")


def test_SV_244_a_deeper_level_without_an_answer_never_falls_back_on_others_above() -> None:
    shape = {"by": "country", "is": {"ES": {"by": "network", "is": {"1": "0.04"}}, "others": "0.5"}}
    tree = tree_of({SMS: shape})
    assert lookup(tree, *SMS, to("ES", "2")) is None
    assert lookup(tree, *SMS, to("ES")) is None
    assert isinstance(lookup(tree, *SMS, to("FR")), Rate)


def test_SV_244_a_domain_or_resource_without_a_tree_is_not_included() -> None:
    assert lookup(tree_of(PICTURE), "rcs_messaging", "rcs_message", {}) is None


def test_SV_102_not_included_beats_others_and_gives_no_answer() -> None:
    tree = tree_of({SMS: {"by": "country", "is": {"ES": "not_included", "others": "0.5"}}})
    assert lookup(tree, *SMS, to("ES")) is None


def test_SV_103_blocked_is_told_apart_from_not_included() -> None:
    tree = tree_of({SMS: {"by": "country", "is": {"RU": "blocked", "others": "0.5"}}})
    assert lookup(tree, *SMS, to("RU")) is BLOCKED


def test_SV_284_an_unknown_network_matches_only_others() -> None:
    shape = {"by": "network", "is": {"1": "0.04", "others": "0.5"}}
    rate = lookup(tree_of({SMS: shape}), *SMS, to("ES"))
    assert isinstance(rate, Rate)
    assert rate.price_micros == parse_micros("0.5")
    assert lookup(tree_of({SMS: {"by": "network", "is": {"1": "0.04"}}}), *SMS, to("ES")) is None


UNUSABLE = {
    "a flat rate without a price": {"price_type": "flat"},
    "a negative price": {"price_type": "flat", "price_micros": -1},
    "a scale that is missing": {"price_type": "scale"},
    "a scale of one step": {"price_type": "scale", "scale": stored_scale([(None, "1")])},
    "a split without a parameter": {"price_type": "depends_on"},
    "a split without values": {"price_type": "depends_on", "split_by": "network"},
    "a split by an unknown parameter": {"price_type": "depends_on", "split_by": "weather"},
    "an unknown price type": {"price_type": "cheap"},
    "an unknown billing rule": {"price_type": "free", "billing_rule": "tomorrow"},
}


@pytest.mark.parametrize("fields", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_SV_247_an_incomplete_record_is_as_if_it_were_not_there(fields: dict[str, object]) -> None:
    rows = rows_of({SMS: {"by": "country", "is": {"others": "0.5"}}})
    spain = NodeRow(id=90, parent_id=rows[0].id, domain=SMS[0], resource=SMS[1], value="ES", **fields)
    rate = lookup(compile_tree([*rows, spain]), *SMS, to("ES"))
    assert isinstance(rate, Rate)
    assert rate.price_micros == parse_micros("0.5")


def test_SV_247_a_split_whose_values_are_all_incomplete_is_incomplete_itself() -> None:
    rows = rows_of({SMS: {"by": "country", "is": {"ES": {"by": "network", "is": {"1": "0.04"}}, "others": "0.5"}}})
    rows = [replace(row, price_micros=None) if row.value == "1" else row for row in rows]
    rate = lookup(compile_tree(rows), *SMS, to("ES", "1"))
    assert isinstance(rate, Rate)
    assert rate.price_micros == parse_micros("0.5")


def test_SV_247_an_incomplete_others_leaves_the_level_without_one() -> None:
    rows = rows_of({SMS: {"by": "country", "is": {"ES": "0.04", "others": "0.5"}}})
    rows = [replace(row, price_micros=None) if row.is_others else row for row in rows]
    assert lookup(compile_tree(rows), *SMS, to("FR")) is None


def test_SV_108_rules_come_from_the_node_above_unless_a_child_has_its_own() -> None:
    """Also SV-109 and SV-230."""
    shape = {
        "billing_rule": "delivered",
        "quantity_rule": "messages",
        "by": "country",
        "is": {
            "ES": {"by": "network", "is": {"1": {"price": "1", "billing_rule": "submitted"}, "others": "2"}},
            "others": {"price": "3", "quantity_rule": "segments"},
        },
    }
    tree = tree_of({SMS: shape})

    def rules(attributes: dict[Parameter, str]) -> tuple[str, str]:
        rate = lookup(tree, *SMS, attributes)
        assert isinstance(rate, Rate)
        return rate.billing_rule, rate.quantity_rule

    assert rules(to("ES", "1")) == ("submitted", "messages")
    assert rules(to("ES", "9")) == ("delivered", "messages")
    assert rules(to("FR")) == ("delivered", "segments")


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        (SMS, ("submitted", "segments")),
        (("whatsapp_messaging", "whatsapp_message"), ("submitted", "messages")),
        (("voice_calls", "voice_call"), ("submitted", "minutes")),
        (("tts_messaging", "tts_message"), ("submitted", "messages")),
        (("sms_messaging", "sender_id_usage_fee"), ("when_applied", "once")),
        (("service_purchase", "unit_pack"), ("when_applied", "once")),
    ],
)
def test_SV_286_default_means_what_the_resource_says(key: tuple[str, str], rules: tuple[str, str]) -> None:
    rate = rate_in(tree_of({key: "1"}), key)
    assert isinstance(rate, Rate)
    assert (rate.billing_rule, rate.quantity_rule) == rules


def test_order_of_records_does_not_matter() -> None:
    rows = rows_of(PICTURE)
    assert compile_tree(rows) == compile_tree(reversed(rows))


def test_of_two_records_with_one_value_the_older_holds() -> None:
    rows = rows_of({SMS: {"by": "country", "is": {"ES": "0.04", "others": "0.5"}}})
    spain, others = (row for row in rows if row.parent_id is not None)
    again = [replace(spain, id=90, price_micros=1), replace(others, id=91, price_micros=2), replace(rows[0], id=92)]
    assert compile_tree([*again, *rows]) == compile_tree(rows)


def test_retired_records_and_all_below_them_are_not_in_the_tree() -> None:
    rows = rows_of({SMS: {"by": "country", "is": {"ES": {"by": "network", "is": {"1": "0.04"}}, "others": "0.5"}}})
    retired = [replace(row, retired=row.value == "ES") for row in rows]
    rate = lookup(compile_tree(retired), *SMS, to("ES", "1"))
    assert isinstance(rate, Rate)
    assert rate.price_micros == parse_micros("0.5")


def test_SV_261_a_retired_node_still_tells_its_price_to_the_messages_that_have_it() -> None:
    """Also SV-281. Rules are found upwards."""
    rows = rows_of({SMS: {"billing_rule": "delivered", "by": "country", "is": {"ES": "0.04", "RU": "blocked"}}})
    rates = rates_of_nodes(replace(row, retired=True) for row in rows)
    assert {node_id: (rate.price_micros, rate.billing_rule) for node_id, rate in rates.items()} == {
        2: (40_000, "delivered")
    }


def test_records_that_nest_for_ever_end_the_search() -> None:
    chain = [NodeRow(1, None, *SMS, "depends_on", split_by="country")]
    chain += [NodeRow(n, n - 1, *SMS, "depends_on", value="ES", split_by="country") for n in range(2, 5000)]
    looped = [NodeRow(9001, 9002, *SMS, "free", value="ES"), NodeRow(9002, 9001, *SMS, "free", value="ES")]
    assert lookup(compile_tree(chain + looped), *SMS, to("ES")) is None
    assert set(rates_of_nodes(chain + looped)) == {9001, 9002}


def test_SV_253_a_new_version_of_a_scale_carries_on_its_counter() -> None:
    rows = rows_of({SMS: [(10, "2"), (None, "1")]}, first_id=40)
    first = lookup(compile_tree(rows), *SMS, {})
    newer = lookup(compile_tree([replace(rows[0], id=55, counter_id=40)]), *SMS, {})
    assert isinstance(first, Rate) and first.scale is not None
    assert isinstance(newer, Rate) and newer.scale is not None
    assert (first.scale.counter_id, newer.scale.counter_id) == (40, 40)
    assert (first.node_id, newer.node_id) == (40, 55)


def test_a_compiled_tree_cannot_be_changed() -> None:
    tree = tree_of(PICTURE)
    with pytest.raises(TypeError):
        tree.resources[SMS] = None  # type: ignore[index]  # that it cannot is what is tested
