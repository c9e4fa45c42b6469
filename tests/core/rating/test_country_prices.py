"""Prices by country: costs read out of any tree of SMS rates, sales made of them to the micro."""

from hypothesis import given
from hypothesis import strategies as st
from tests.core.rating.rating_samples import SMS, rows_of

from relais.core.rating.country_prices import (
    Cost,
    country_costs,
    sale_micros,
    sold_by_country,
    with_country_prices,
)
from relais.core.rating.problems import problems
from relais.core.rating.types import NodeRow, ServiceType


def located(parameter: str, value: str) -> str | None:
    return {("network", "7"): "ES", ("mccmnc", "21401"): "ES", ("mcc", "262"): "DE"}.get((parameter, value))


def costs(tree: object) -> dict[str, Cost]:
    return country_costs(rows_of({SMS: tree}), located)


def test_WC_18_the_samples_of_the_guide_at_25_percent() -> None:
    """WC-20: and at nothing they are the cost."""
    assert [sale_micros(cost, 2_500) for cost in (62_000, 123_400)] == [77_500, 154_250]
    assert [sale_micros(cost, 0) for cost in (62_000, 123_400)] == [62_000, 123_400]


@given(st.integers(0, 10**9), st.integers(-9_999, 10**6))
def test_WC_21_a_sale_is_the_cost_by_the_rate_rounded_half_up_to_the_micro(cost: int, profit_bp: int) -> None:
    sale = sale_micros(cost, profit_bp)
    exact = cost * (10_000 + profit_bp)  # of micros in ten thousandths
    assert 2 * (exact - sale * 10_000) < 10_000 and 2 * (sale * 10_000 - exact) <= 10_000


def test_WC_4_costs_of_countries_whatever_the_tree_is_split_by() -> None:
    assert costs({"by": "country", "is": {"US": "0.062", "DE": "0.1234", "others": "9"}}) == {
        "US": Cost(62_000, 62_000), "DE": Cost(123_400, 123_400),
    }  # fmt: skip
    assert costs({"by": "country", "is": {"ES": {"by": "network", "is": {"7": "0.04", "others": "0.06"}}}}) == {
        "ES": Cost(40_000, 60_000)
    }
    assert costs({"by": "mccmnc", "is": {"21401": "0.03", "99999": "1", "others": "2"}}) == {"ES": Cost(30_000, 30_000)}
    received = {"by": "country", "is": {"DE": "0"}}
    sent = {"by": "mcc", "is": {"262": "0.05"}}
    assert costs({"by": "direction", "is": {"A2P": sent, "P2A": received}}) == {"DE": Cost(50_000, 50_000)}
    assert costs("0.05") == {}, "one price for everybody is no country's"
    assert country_costs([], located) == {}


def test_WC_33_a_tree_takes_prices_of_countries_and_keeps_what_else_it_has() -> None:
    tree = rows_of({SMS: {"by": "country", "is": {"ES": "0.04", "FR": "0.05", "others": "0.2"}}})
    priced = with_country_prices(tree, {"ES": 44_000, "US": 77_500})
    assert sold_by_country(priced) == {"ES": 44_000, "FR": 50_000, "US": 77_500}
    assert [row.price_micros for row in priced if row.is_others] == [200_000]
    assert not [
        problem for problem in problems(priced, ServiceType.PAY_AS_YOU_GO) if problem.severity.name == "INVALID"
    ]
    assert sold_by_country(with_country_prices([], {"US": 1})) == {"US": 1}


def test_a_tree_that_asks_for_more_than_the_country_is_no_price_list() -> None:
    def sold(tree: object) -> dict[str, int] | None:
        rows: list[NodeRow] = rows_of({SMS: tree})
        return sold_by_country(rows)

    directed = {"by": "direction", "is": {"P2A": "free", "A2P": {"by": "country", "is": {"ES": "0.04"}}}}
    assert sold(directed) == {"ES": 40_000}
    priced = with_country_prices(rows_of({SMS: directed}), {"ES": 50_000, "PT": 60_000})
    assert sold_by_country(priced) == {"ES": 50_000, "PT": 60_000}
    assert [row.price_type for row in priced if row.value == "P2A"] == ["free"]
    assert sold("0.05") is None
    assert sold({"by": "mccmnc", "is": {"21401": "0.03"}}) is None
    assert sold({"by": "country", "is": {"ES": {"by": "network", "is": {"7": "0.04"}}}}) is None
