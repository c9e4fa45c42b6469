"""Example 5 of the specification: bundles, which count people beside what messages cost."""

from itertools import permutations

import pytest
from tests.core.rating.rating_samples import AGREEMENT, JANUARY, SMS, Shape, attributes_of, rows_of, tree_of
from tests.core.rating.shop import Shop

from relais.core.charging.types import Capture, Captured, Lacking, Release, Reverse, Unrated
from relais.core.rating.problems import problems
from relais.core.rating.types import ServiceType, Term
from relais.core.refusals import Refusal

WHATSAPP = ("whatsapp_messaging", "whatsapp_message")
CONVERSATION = ("whatsapp_messaging", "whatsapp_conversation")
MEMBER = ("bundle_grouping", "bundle_member")
INITIATOR: dict[tuple[str, str], Shape] = {SMS: "included", WHATSAPP: "included", CONVERSATION: "included"}
BUNDLE: dict[tuple[str, str], Shape] = {MEMBER: "included"}
PICTURE: dict[tuple[str, str], Shape] = {
    ("service_purchase", "bundle_pack"): {"by": "pack", "is": {"494": "20"}},
    MEMBER: "1",
    WHATSAPP: {"billing_rule": "delivered", "by": "country", "is": {"AF": "0.1", "AO": "0.2", "others": "0.5"}},
    CONVERSATION: "0.2",
    SMS: {"price": "0.3", "billing_rule": "submitted"},
}
SOMEWHERE = attributes_of(country="AF")


def bundle_shop(prices: dict[tuple[str, str], Shape], size: int = 100, balance: str = "500.00") -> tuple[Shop, int]:
    shop = Shop(tree_of(prices), balance=balance)
    return shop, shop.add_bundle(tree_of(INITIATOR), tree_of(BUNDLE), size)


def reserved(shop: Shop, person: str) -> tuple[Term, ...]:
    """The terms of an SMS to somebody that is under way now."""
    terms = shop.reserve(SMS, SOMEWHERE, 1, person)
    assert isinstance(terms, tuple)
    return terms


def test_SV_222_to_SV_228_the_example_can_be_saved_as_it_stands() -> None:
    assert problems(rows_of(INITIATOR), ServiceType.BUNDLE_INITIATOR) == []
    assert problems(rows_of(BUNDLE), ServiceType.BUNDLE_PACK) == []
    assert problems(rows_of(PICTURE)) == []


def test_SV_241_SV_243_in_figures() -> None:
    """Also SV-217, SV-218, SV-219 and SV-239: the opening list, channel prices 0."""
    shop, pack = bundle_shop({SMS: "free", MEMBER: "0.2"})
    shop.buy("100.00")
    assert shop.balance == "400.0000"
    shop.send_many(100, SMS, SOMEWHERE)
    assert shop.balance == "400.0000"
    shop.send(SMS, SOMEWHERE, 1, "100")
    assert (shop.balance, shop.used(pack)) == ("399.8000", (101, 0))
    shop.send_many(99, SMS, SOMEWHERE, 101)
    assert (shop.balance, shop.used(pack)) == ("380.0000", (200, 0))


@pytest.mark.parametrize(("first_recipient", "spent"), [(0, 180), (-1, 80)])
def test_SV_242_SV_229_every_message_at_its_channel_price_and_people_once(first_recipient: int, spent: int) -> None:
    """The picture's figures: 200 SMS to 200 people, or all to one. Also SV-216, SV-221, ruling 4."""
    shop, _ = bundle_shop(PICTURE)
    shop.buy("20")
    shop.send_many(200, SMS, SOMEWHERE, first_recipient)
    assert shop.balance == f"{500 - spent:.4f}"


def test_SV_220_a_person_is_counted_once_whatever_the_channel() -> None:
    shop, pack = bundle_shop(PICTURE, size=1)
    shop.send(SMS, SOMEWHERE, 1, "34600123456")
    shop.send(WHATSAPP, SOMEWHERE, 1, "34600123456")
    assert (shop.used(pack), shop.balance) == ((1, 0), "499.6000")
    shop.send(WHATSAPP, SOMEWHERE, 1, "34600123457")
    assert (shop.used(pack), shop.balance) == ((2, 0), "498.5000")


def test_SV_29_what_no_initiator_includes_does_not_count() -> None:
    shop = Shop(tree_of(PICTURE), balance="10")
    pack = shop.add_bundle(tree_of({WHATSAPP: {"by": "country", "is": {"AO": "included"}}}), tree_of(BUNDLE), 5)
    shop.send(SMS, SOMEWHERE)
    shop.send(WHATSAPP, SOMEWHERE)
    assert shop.used(pack) == (0, 0)
    shop.send(WHATSAPP, attributes_of(country="AO"))
    assert shop.used(pack) == (1, 0)


def test_SV_220_a_member_is_counted_at_the_billing_moment_and_its_price_reserved_with_the_message() -> None:
    """Two messages to one new person on their way hold one place: whichever is billed first makes the member; and a place that
    its last message leaves is free."""
    shop, pack = bundle_shop({SMS: "free", MEMBER: "1"}, size=2)
    first, second, third = [reserved(shop, person) for person in ("a", "a", "b")]
    beyond = reserved(shop, "c")
    assert [term.reserved_micros for term in (*first, *second, *third, *beyond)] == [0, 0, 0, 0, 0, 0, 0, 1_000_000]
    assert shop.used(pack) == (0, 2)
    shop.do(Release(first, "a"))
    assert shop.used(pack) == (0, 2), "the second one holds it"
    shop.do(Capture(third, None, "b"), Capture(second, None, "a"))
    shop.do(Capture(beyond, None, "c"))
    assert (shop.used(pack), shop.balance) == ((3, 0), "499.0000")


def test_SV_220_a_bundle_without_a_price_of_members_takes_as_many_people_as_its_size() -> None:
    """However many messages each of them is sent at once."""
    shop, pack = bundle_shop({SMS: "free"}, size=2)
    under_way = [(person, reserved(shop, person)) for person in "aaabbb"]
    assert shop.reserve(SMS, SOMEWHERE, 1, "c") == Unrated(Refusal.RATE_NOT_FOUND)
    shop.do(*(Release(terms, person) for person, terms in under_way[:3]))
    under_way += [("c", reserved(shop, "c"))]
    shop.do(*(Capture(terms, None, person) for person, terms in under_way[3:]))
    assert (shop.used(pack), shop.balance) == ((2, 0), "500.0000")


@pytest.mark.parametrize("order", permutations(range(4)), ids=str)
def test_SV_219_only_members_beyond_the_size_are_paid_in_whatever_order_messages_are_billed(
    order: tuple[int, ...],
) -> None:
    """Size 2; of four people under way two have a place and two the price; then more to people known by then."""
    for gone in (None, *range(4)):
        shop, pack = bundle_shop({SMS: "free", MEMBER: "0.2"}, size=2)
        under_way = [reserved(shop, person) for person in "abcd"]
        for number in order:
            terms, person = under_way[number], "abcd"[number]
            shop.do(Release(terms, person) if number == gone else Capture(terms, None, person))
        assert (shop.used(pack), shop.balance) == (((4, 0), "499.6000") if gone is None else ((3, 0), "499.8000"))
        shop.send_many(2, SMS, SOMEWHERE)
        assert (shop.used(pack)[0], shop.balance) == ((6, "499.2000") if gone is None else (5, "499.4000"))


def test_SV_219_a_price_of_members_that_changes_under_way_is_that_of_whoever_pays() -> None:
    """The place was reserved at 3, what is kept for it is 1: both are members, one is beyond, and pays what was told to it."""
    shop, pack = bundle_shop({SMS: "free", MEMBER: "1"}, size=1)
    first, beyond = reserved(shop, "a"), reserved(shop, "b")
    shop.do(Release(first, "a"))
    dearer, _ = bundle_shop({SMS: "free", MEMBER: "3"}, size=1)
    shop.level = dearer.level
    inside = reserved(shop, "c")
    shop.do(Capture(beyond, None, "b"))
    assert (shop.used(pack), shop.reserved) == ((1, 1), "1.0000"), "kept for whoever finds the place taken"
    shop.do(Capture(inside, None, "c"))
    assert (shop.used(pack), shop.balance) == ((2, 0), "497.0000")


def test_what_is_free_again_when_a_member_is_counted_costs_nothing() -> None:
    shop, pack = bundle_shop({SMS: "free", MEMBER: "1"}, size=1)
    inside, beyond = shop.reserve(SMS, SOMEWHERE, 1, "a"), shop.reserve(SMS, SOMEWHERE, 1, "b")
    assert isinstance(inside, tuple) and isinstance(beyond, tuple)
    shop.do(Release(inside, "a"), Capture(beyond, None, "b"))
    assert (shop.used(pack), shop.balance) == ((1, 0), "500.0000")


def test_SV_257_a_member_paid_beyond_the_size_is_paid_back_and_stays_counted() -> None:
    shop, pack = bundle_shop(PICTURE, size=1)
    shop.send(SMS, SOMEWHERE, 1, "a")
    terms = shop.reserve(SMS, SOMEWHERE, 1, "b")
    assert isinstance(terms, tuple)
    (captured,) = shop.do(Capture(terms, None, "b"))
    assert isinstance(captured, Captured)
    assert [charged.taken for charged in captured.charges] == [0, 1]
    assert shop.balance == "498.4000"
    shop.do(Reverse(captured.charges, terms))
    assert (shop.used(pack), shop.balance) == ((2, 0), "499.7000")
    shop.send(SMS, SOMEWHERE, 1, "b")
    assert (shop.used(pack), shop.balance) == ((2, 0), "499.4000")


def test_without_a_price_of_members_the_size_is_the_limit() -> None:
    """SV-244 for the resource Bundle member; people inside are still reached."""
    for price, refusal in (
        (None, Refusal.RATE_NOT_FOUND),
        ("not_included", Refusal.RATE_NOT_FOUND),
        ("blocked", Refusal.DESTINATION_BLOCKED),
    ):
        shop, pack = bundle_shop({SMS: "0.3"} | ({MEMBER: price} if price else {}), size=1)
        assert isinstance(shop.send(SMS, SOMEWHERE, 1, "a"), Captured)
        assert shop.send(SMS, SOMEWHERE, 1, "b") == Unrated(refusal)
        assert isinstance(shop.send(SMS, SOMEWHERE, 1, "a"), Captured)
        assert (shop.used(pack), shop.balance) == ((1, 0), "499.4000")


def test_a_member_that_cannot_be_paid_stops_the_whole_message() -> None:
    shop, pack = bundle_shop({SMS: "0.3", MEMBER: "1"}, size=1, balance="1.2")
    shop.send(SMS, SOMEWHERE, 1, "a")
    assert shop.send(SMS, SOMEWHERE, 1, "b") == Lacking(0, AGREEMENT)
    assert (shop.used(pack), shop.balance) == ((1, 0), "0.9000")


def test_two_bundle_packs_are_filled_in_order_and_the_first_takes_what_is_beyond() -> None:
    shop, first = bundle_shop({SMS: "free", MEMBER: "1"}, size=1)
    second = shop.add_bundle(tree_of(INITIATOR), tree_of(BUNDLE), 1)
    for person in "abca":
        shop.send(SMS, SOMEWHERE, 1, person)
    assert (shop.used(first), shop.used(second), shop.balance) == ((2, 0), (1, 0), "499.0000")


def test_members_beside_a_unit_pack_and_on_a_scale_of_their_own() -> None:
    """Bundles count beside the sources (ruling 3), and their price may fall with volume."""
    shop, bundle = bundle_shop({SMS: "0.3", MEMBER: [(1, "1"), (None, "0.5")]}, size=1)
    pack = shop.add_pack(tree_of({SMS: "included"}), 3)
    for person in "abcd":
        terms = shop.reserve(SMS, SOMEWHERE, 1, person)
        assert isinstance(terms, tuple)
        starts = tuple(JANUARY if term.scale is not None else None for term in terms)
        shop.do(Capture(terms, starts, person))
    assert (shop.used(pack), shop.used(bundle)) == ((3, 0), (4, 0))
    assert shop.balance == "497.7000"  # 0 + 1 + 0.5 + 0.5 for members, 0.3 for the fourth message
