"""Records of rate trees as the database holds them, to the rows that `relais.core.rating` knows."""

from collections.abc import Iterable

from relais.core.rating.types import NodeRow
from relais.records.catalog.models import RateNode

TERMS = ("price_type", "split_by", "price_micros", "scale", "billing_rule", "quantity_rule")


def node_row(node: RateNode) -> NodeRow:
    return NodeRow(
        id=node.pk,
        parent_id=node.parent_id,
        domain=node.domain,
        resource=node.resource,
        price_type=node.price_type,
        is_others=node.is_others,
        value=node.value,
        split_by=node.split_by,
        price_micros=node.price_micros,
        scale=node.scale,
        billing_rule=node.billing_rule,
        quantity_rule=node.quantity_rule,
        counter_id=node.counter_id,
    )


def node_rows(nodes: Iterable[RateNode]) -> list[NodeRow]:
    return [node_row(node) for node in nodes]


def path_to(node: RateNode) -> list[RateNode]:
    """From the top of its resource down to the record itself: a look-up a level."""
    line = [node]
    while line[0].parent_id is not None:
        line.insert(0, RateNode.objects.get(pk=line[0].parent_id))
    return line
