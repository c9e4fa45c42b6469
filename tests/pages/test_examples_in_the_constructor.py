"""The five examples of the specification, entered in the constructor record by record as their procedures say."""

from collections.abc import Mapping
from typing import Any

from tests.core.rating.rating_samples import EXAMPLE_1, Shape, rows_of
from tests.core.rating.test_example_2 import EXAMPLE_2
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
    steps = {"up_to": [up_to for up_to, _ in shape["steps"][:-1]], "step_price": [price for _, price in shape["steps"]]}
    return {"price_type": "scale", "scale_type": "tier", "counter_group": shape.get("group", []), **steps, **rules}


def enter(client: Any, scope: Any, trees: Trees) -> None:
    def below(parent: Any, shape: Shape) -> None:
        for value, child in (shape["is"] if isinstance(shape, dict) and "is" in shape else {}).items():
            values = "*" if value == "others" else value
            add = f"{url('new', scope=scope)}?parent={parent.pk}"
            body(client.post(add, sent(child) | {"values": values}, headers=SCRIPTED))
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


def test_SV_124_to_SV_134_SV_159_to_SV_165_SV_185_to_SV_187_SV_197_to_SV_202_SV_222_to_SV_228_all_five(
    reseller: Any,
) -> None:
    """Also SV-119 to SV-123 and SV-146 to SV-158: what was wanted is what the records say. SV-181, SV-184, SV-194, SV-195,
    SV-223 to SV-227: packs, initiators and the service that prices them."""
    from relais.records.catalog.rows import node_rows

    pack = a_service(name="USA SMS&WA Pack", type="unit_pack", size=1000)
    bundle = a_service(name="Bundle_2_pack", type="bundle_pack", size=100)
    purchases = {("service_purchase", "unit_pack"): {"by": "pack", "is": {str(pack.service_id): "10"}}}
    picture = {
        **PICTURE,
        ("service_purchase", "bundle_pack"): {"by": "pack", "is": {str(bundle.service_id): "20"}},
    }
    for scope, trees in (
        (a_service(name="SMS service 2", type="pay_as_you_go", currency="EUR"), EXAMPLE_1),
        (a_service(name="WhatsApp", type="pay_as_you_go", currency="USD"), EXAMPLE_2),
        (a_service(name="RCS mes", type="pay_as_you_go", currency="EUR"), example("0.93")),
        (pack, PACK),
        (a_service(name="Prices", type="pay_as_you_go", currency="EUR"), purchases),
        (a_service(name="Bundle_1", type="bundle_initiator"), INITIATOR),
        (bundle, BUNDLE),
        (a_service(name="Bundle_price", type="pay_as_you_go", currency="EUR"), picture),
    ):
        enter(reseller, scope, trees)
        assert told(node_rows(live(scope))) == told(rows_of(trees)), scope.service
        page = body(reseller.get(f"/bo/scopes/{scope.pk}/"))
        assert "incomplete record" not in page
    assert "by Pack" in page and "Bundle_2_pack - 100" in page, "SV-231"
