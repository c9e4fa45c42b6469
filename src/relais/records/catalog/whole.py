"""Changes by the thousand, which the audit keeps as one action without its lines."""

from django.db import connection


def as_a_whole() -> None:
    """Until the transaction ends, changes of dictionaries make no lines of their own. Inside a transaction only."""
    _set("relais.whole_dictionary")


def tree_as_a_whole() -> None:
    """The same for records of rate trees."""
    _set("relais.whole_tree")


def _set(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'yes', true)", [name])
