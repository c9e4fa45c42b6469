"""Example 4 of the specification: packs, of units and of money."""

import pytest
from tests.core.rating.rating_samples import AGREEMENT, JANUARY, SMS, attributes_of, rows_of, tree_of
from tests.core.rating.shop import Shop

from relais.core.charging.types import Capture, Captured, Lacking, Release, Reverse, Unrated
from relais.core.money import parse_micros
from relais.core.rating.problems import problems
from relais.core.rating.types import CoverKind, ServiceType
from relais.core.refusals import Refusal

WHATSAPP = ("whatsapp_messaging", "whatsapp_message")
PACK = {
    SMS: {"billing_rule": "submitted", "quantity_rule": "segments", "by": "country", "is": {"US": "included"}},
    WHATSAPP: {"billing_rule": "submitted", "quantity_rule": "messages", "by": "country", "is": {"US": "included"}},
}
USA, CANADA = attributes_of(country="US"), attributes_of(country="CA")
PRICES = tree_of({SMS: "0.05", WHATSAPP: "0.07"})


def pack_shop(size: int = 1000, balance: str = "50.00") -> tuple[Shop, int]:
    shop = Shop(PRICES, balance=balance)
    return shop, shop.add_pack(tree_of(PACK), size)


def test_SV_196_to_SV_200_the_pack_can_be_saved_as_it_stands() -> None:
    assert problems(rows_of(PACK), ServiceType.UNIT_PACK) == []


@pytest.mark.parametrize(
    ("balance", "price", "balances"),
    [("50.00", "10.00", "40.0000 40.0000 39.9500"), ("500.00", "100.00", "400.0000 400.0000 399.9500")],
)
def test_SV_209_in_figures(balance: str, price: str, balances: str) -> None:
    """Also SV-203, SV-208 and SV-213: unit 1,001 is priced by the pay-as-you-go service."""
    shop, pack = pack_shop(balance=balance)
    shop.buy(price)
    seen = [shop.balance]
    shop.send_many(1000, SMS, USA)
    seen.append(shop.balance)
    assert shop.used(pack) == (1000, 0)
    shop.send(SMS, USA)
    assert [*seen, shop.balance] == balances.split()


def test_SV_26_SV_210_one_counter_for_all_channels() -> None:
    shop, pack = pack_shop()
    shop.send_many(900, SMS, USA)
    shop.send_many(100, WHATSAPP, USA)
    assert (shop.used(pack), shop.balance) == ((1000, 0), "50.0000")


def test_SV_211_an_sms_of_two_segments_takes_two_units_a_whatsapp_message_one() -> None:
    shop, pack = pack_shop()
    shop.send(SMS, USA, 2)
    shop.send(WHATSAPP, USA, 2)
    assert shop.used(pack) == (3, 0)


def test_SV_212_elsewhere_the_pack_has_no_say() -> None:
    """Also ES-78: not included goes to the next source, and is refused without one."""
    shop, pack = pack_shop()
    shop.send(SMS, CANADA)
    assert (shop.used(pack), shop.balance) == ((0, 0), "49.9500")
    alone = Shop()
    alone.add_pack(tree_of(PACK), 5)
    assert alone.send(SMS, CANADA) is Refusal.RATE_NOT_FOUND
    assert isinstance(alone.send(SMS, USA, 5), Captured)
    assert alone.send(SMS, USA) == Unrated(Refusal.RATE_NOT_FOUND)


def test_SV_215_a_message_is_never_split_over_two_sources() -> None:
    """Ruling 2: the unit left stays for a later message that fits."""
    shop, pack = pack_shop(size=3)
    shop.send(SMS, USA, 2)
    shop.send(SMS, USA, 2)
    assert (shop.used(pack), shop.balance) == ((2, 0), "49.9000")
    shop.send(SMS, USA)
    assert (shop.used(pack), shop.balance) == ((3, 0), "49.9000")


def test_ruling_3_the_pack_that_was_associated_earlier_is_used_first() -> None:
    """Also ES-39, SV-213, SV-245."""
    shop, first = pack_shop(size=2)
    second = shop.add_pack(tree_of(PACK), 2)
    used = []
    for _ in range(5):
        shop.send(SMS, USA)
        used.append((shop.used(first)[0], shop.used(second)[0]))
    assert used == [(1, 0), (2, 0), (2, 1), (2, 2), (2, 2)]
    assert shop.balance == "49.9500"


def test_SV_103_SV_245_a_pack_that_blocks_ends_the_search() -> None:
    shop, _ = pack_shop(size=1)
    shop.add_pack(tree_of({SMS: {"by": "country", "is": {"US": "blocked", "CA": "blocked"}}}), 5)
    assert shop.send(SMS, CANADA) is Refusal.DESTINATION_BLOCKED
    assert isinstance(shop.send(SMS, USA), Captured)
    assert shop.send(SMS, USA) == Unrated(Refusal.DESTINATION_BLOCKED)
    assert shop.balance == "50.0000"


def test_SV_254_units_are_reserved_captured_released_and_paid_back_like_money() -> None:
    shop, pack = pack_shop(size=2)
    terms = shop.reserve(SMS, USA, 2)
    assert isinstance(terms, tuple)
    assert shop.used(pack) == (0, 2)
    shop.send(SMS, USA)  # reserved units count as used: the balance pays
    assert shop.balance == "49.9500"
    shop.do(Release(terms))
    assert shop.used(pack) == (0, 0)
    terms = shop.reserve(SMS, USA, 2)
    assert isinstance(terms, tuple)
    (captured,) = shop.do(Capture(terms, None, "1"))
    assert isinstance(captured, Captured)
    assert shop.used(pack) == (2, 0)
    shop.do(Reverse(captured.charges, terms))
    assert (shop.used(pack), shop.balance) == ((0, 0), "49.9500")


def test_SV_214_a_monetary_pack_is_worth_its_amount_in_messages() -> None:
    """1,000.00 at 0.04 covers 25,000 segments; the next is charged. Also SV-28, SV-56."""
    shop = Shop(tree_of({SMS: "0.04"}), balance="10.00")
    pack = shop.add_pack(tree_of({SMS: "included"}), parse_micros("1000.00"), CoverKind.MONEY)
    for _ in range(250):
        shop.send(SMS, USA, 100)
    assert (shop.used(pack), shop.balance) == ((parse_micros("1000.00"), 0), "10.0000")
    shop.send(SMS, USA)
    assert shop.balance == "9.9600"


def test_SV_288_a_monetary_pack_is_used_up_by_net_amounts_and_needs_the_whole_price() -> None:
    shop = Shop(tree_of({SMS: "0.04"}), balance="1", tax_bp=2100)
    pack = shop.add_pack(tree_of({SMS: {"by": "country", "is": {"US": "included"}}}), 100_000, CoverKind.MONEY)
    shop.send(SMS, USA, 2)
    assert (shop.used(pack), shop.balance) == ((80_000, 0), "1.0000")
    shop.send(SMS, USA)
    assert (shop.used(pack), shop.balance) == ((80_000, 0), "0.9516")
    alone = Shop()
    alone.add_pack(tree_of({SMS: "included"}), 100, CoverKind.MONEY)
    assert alone.send(SMS, USA) is Refusal.RATE_NOT_FOUND  # no price to go by


def test_a_monetary_pack_pays_the_position_on_a_scale_and_gets_back_what_is_cheaper() -> None:
    shop = Shop(tree_of({SMS: [(2, "0.03"), (None, "0.01")]}))
    pack = shop.add_pack(tree_of({SMS: "included"}), 1_000_000, CoverKind.MONEY)
    terms = shop.reserve(SMS, USA, 3)
    assert isinstance(terms, tuple)
    assert shop.used(pack) == (0, 90_000)
    shop.do(Capture(terms, (JANUARY,), "1"))
    assert shop.used(pack) == (70_000, 0)


def test_AG_87_packs_need_no_money_and_what_follows_them_does() -> None:
    shop, _ = pack_shop(size=1, balance="0")
    assert isinstance(shop.send(SMS, USA), Captured)
    assert shop.send(SMS, USA) == Lacking(0, AGREEMENT)
