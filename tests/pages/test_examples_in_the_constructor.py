"""The five examples of the specification, entered in the constructor record by record as their procedures say."""

from collections.abc import Mapping
from typing import Any

from tests.core.rating.rating_samples import EXAMPLE_1, Shape, rows_of
from tests.core.rating.test_example_3 import example
from tests.core.rating.test_example_4 import PACK
from tests.core.rating.test_example_5 import BUNDLE, INITIATOR, PICTURE
from tests.pages.test_rate_tree import SCRIPTED, a_service, body, live, url

from relais.core.rating.scale import read_scale
from relais.core.rating.types import NodeRow, PriceType

Trees = Mapping[tuple[str, str], Shape]


def sent(shape: Shape) -> dict[str, Any]:
    """The fields of the editor for one record."""
    if isinstance(shape, list):
        shape = {"steps": shape}
    if isinstance(shape, str):
        return {"price_type": shape} if shape in tuple(PriceType) else {"price_type": "flat", "price": shape}
    rules = {name: shape[name] for name in ("billing_rule", "quantity_rule") if name in shape}
    if "by" in shape:
        return {"price_type": "depends_on", "split_by": shape["by"], **rules}
    if "price" in shape:
        return {"price_type": "flat", "price": shape["price"], **rules}
    typed = {"up_to": [up_to for up_to, _ in shape["steps"][:-1]], "step_price": [price for _, price in shape["steps"]]}
    return {"price_type": "scale", "scale_type": "tier", "counter_group": shape.get("group", []), **typed, **rules}


def enter(client: Any, scope: Any, trees: Trees) -> None:
    def below(parent: Any, shape: Shape) -> None:
        """Values that say the same are added at once."""
        children = shape["is"] if isinstance(shape, dict) and "is" in shape else {}
        for child in {repr(child): child for child in children.values()}.values():
            values = [value for value, other in children.items() if other == child]
            chosen = ["*" if value == "others" else value for value in values]
            add = f"{url('new', scope=scope)}?parent={parent.pk}&several=1"
            body(client.post(add, sent(child) | {"values": chosen}, headers=SCRIPTED))
            for value in values:
                of = {"is_others": True} if value == "others" else {"value": value}
                below(live(scope).get(parent=parent, **of), child)

    for (_, resource), shape in trees.items():
        body(client.post(url("new", scope=scope), sent(shape) | {"resource": resource}, headers=SCRIPTED))
        below(live(scope).get(parent=None, resource=resource), shape)


def told(rows: list[NodeRow]) -> set[tuple[Any, ...]]:
    """Every record by the way to it, with its terms."""
    by_id = {row.id: row for row in rows}

    def way(row: NodeRow) -> tuple[str, ...]:
        above = way(by_id[row.parent_id]) if row.parent_id else (row.resource,)
        return (*above, row.value or ("others" if row.is_others else ""))

    return {
        (
            way(row),
            row.price_type,
            row.split_by,
            row.price_micros,
            row.scale and read_scale(row.scale, 0),
            row.billing_rule,
            row.quantity_rule,
        )
        for row in rows
    }


def regular(price: Shape) -> Shape:
    return {"by": "pricing_type", "is": {"regular": price}}


def steps(text: str) -> Shape:
    """ "100000 0.0289, 0.0275" """
    pairs = [part.split() for part in text.split(", ")]
    return [(int(pair[0]) if len(pair) == 2 else None, pair[-1]) for pair in pairs]


ARGENTINA = {
    "utility": regular(  # SV-151, SV-162
        steps("100000 0.0289, 1000000 0.0275, 4500000 0.0260, 15000000 0.0246, 30000000 0.0231, 0.0217")
    ),
    "authentication": regular(  # SV-152, SV-161
        steps("120000 0.0289, 400000 0.0275, 1000000 0.0260, 5000000 0.0246, 10000000 0.0231, 0.0217")
    ),
    "authentication_international": regular("0.0280"),  # SV-153, SV-163, SV-166: a picture has ten times as much
    "marketing": regular("0.0618"),
    "service": "free",
    "others": "free",  # SV-164
}
EGYPT = {
    "utility": regular(  # SV-154, SV-155: the fifth step as the list has it
        steps("100000 0.0052, 1000000 0.0049, 4500000 0.0047, 40000000 0.0044, 80000000 0.00421, 0.0039")
    ),
    "authentication": regular(  # SV-156
        steps("300000 0.0052, 2000000 0.0049, 10000000 0.0047, 20000000 0.0044, 40000000 0.0042, 0.0039")
    ),
    "authentication_international": regular(  # SV-157
        steps("300000 0.0650, 2000000 0.0618, 10000000 0.0585, 20000000 0.0553, 40000000 0.0520, 0.0488")
    ),
    "marketing": regular("0.1073"),  # SV-158
    "service": "free",
    "others": "free",
}
WHATSAPP: Trees = {  # SV-148 to SV-150, SV-159, SV-160, SV-165
    ("whatsapp_messaging", "whatsapp_message"): {
        "billing_rule": "submitted",
        "quantity_rule": "messages",
        "by": "whatsapp_region",
        "is": {
            "Argentina": {"by": "pricing_category", "is": ARGENTINA},
            "Egypt": {"by": "pricing_category", "is": EGYPT},
        },
    }
}


def test_SV_124_to_SV_228_the_examples_are_entered_and_are_what_was_wanted(reseller: Any) -> None:
    """Each tree as its procedure says, record by record; what is stored is compared with what was wanted, record by record."""
    from relais.records.catalog.rows import node_rows

    pack = a_service(name="USA SMS&WA Pack", type="unit_pack", size=1000)  # SV-194, SV-196
    bundle = a_service(name="Bundle_2_pack", type="bundle_pack", size=100)  # SV-224
    purchases = {("service_purchase", "unit_pack"): {"by": "pack", "is": {str(pack.service_id): "10"}}}
    picture = {  # SV-226, SV-227, SV-228
        **PICTURE,
        ("service_purchase", "bundle_pack"): {"by": "pack", "is": {str(bundle.service_id): "20"}},
    }
    for scope, trees in (
        # wanted: SV-120, SV-121, SV-122, SV-123; entered: SV-126, SV-127, SV-128, SV-129, SV-130, SV-131, SV-132, SV-133, SV-134
        (a_service(name="SMS service 2", type="pay_as_you_go", currency="EUR"), EXAMPLE_1),
        (a_service(name="WhatsApp", type="pay_as_you_go", currency="USD"), WHATSAPP),
        # SV-181, SV-182, SV-184, SV-185, SV-186, SV-187, SV-188
        (a_service(name="RCS mes", type="pay_as_you_go", currency="EUR"), example("0.93")),
        (pack, PACK),  # SV-197, SV-198, SV-199, SV-200; SV-2: of two channels
        (a_service(name="Prices", type="pay_as_you_go", currency="EUR"), purchases),  # SV-195, SV-201, SV-202
        (a_service(name="Bundle_1", type="bundle_initiator"), INITIATOR),  # SV-222, SV-223
        (bundle, BUNDLE),  # SV-225
        (a_service(name="Bundle_price", type="pay_as_you_go", currency="EUR"), picture),
    ):
        enter(reseller, scope, trees)
        assert told(node_rows(live(scope))) == told(rows_of(trees)), scope.service
        page = body(reseller.get(f"/bo/scopes/{scope.pk}/"))
        assert "incomplete record" not in page
    assert "by Pack" in page and "Bundle_2_pack - 100" in page, "SV-231"
