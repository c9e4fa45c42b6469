"""Changes of a dictionary by the thousand, which the audit keeps as one action without its lines."""

from django.db import connection


def as_a_whole() -> None:
    """Until the transaction ends, changes of dictionaries make no lines of their own. Inside a transaction only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('relais.whole_dictionary', 'yes', true)")
