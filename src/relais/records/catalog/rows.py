"""Records of rate trees as the database holds them, to the rows that `relais.core.rating` knows."""

from operator import attrgetter

from django.db.models import QuerySet

from relais.core.rating.types import NodeRow
from relais.records.catalog.models import RateNode

_COLUMNS = ("id", "parent_id", "domain", "resource", "price_type", "is_others", "value", "split_by", "price_micros", "scale",
            "billing_rule", "quantity_rule", "counter_id")  # fmt: skip  # in the order of `NodeRow`, which is never a retired one
TERMS = ("price_type", "split_by", "price_micros", "scale", "billing_rule", "quantity_rule")
terms_of = attrgetter(*TERMS)  # of a `NodeRow` or a `RateNode`


def node_row(node: RateNode) -> NodeRow:
    *columns, counter_id = (getattr(node, name) for name in _COLUMNS)
    return NodeRow(*columns, False, counter_id)


def node_rows(nodes: QuerySet[RateNode]) -> list[NodeRow]:
    """Without making a model of each: there are 50,000."""
    return [NodeRow(*row[:-1], False, row[-1]) for row in nodes.values_list(*_COLUMNS)]


def path_to(node: RateNode) -> list[RateNode]:
    """From the top of its resource down to the record itself: a look-up a level."""
    line = [node]
    while line[0].parent_id is not None:
        line.insert(0, RateNode.objects.get(pk=line[0].parent_id))
    return line
