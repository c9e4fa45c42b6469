"""What was read of the sheets that people work on, kept in this process from one answer to the next: 50,000 rows take a second or
two, and looking at another page of them, or at the values of another column, reads nothing new."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from django.db import connection

from relais.core.price_sheets.read import Reading
from relais.records.catalog.models import RateImport

KEPT_MAX = 2  # readings; one of 50,000 rows takes some 40 MB

_kept: OrderedDict[Hashable, Reading] = OrderedDict()
_lock = threading.Lock()


def kept_reading(rate_import: RateImport, read: Callable[[], Reading]) -> Reading:
    """That of the import with its settings as they are, and the dictionaries: read where it is not kept. Whoever gets it changes
    nothing of it."""
    key = (connection.settings_dict["NAME"], rate_import.pk, rate_import.updated_at, _newest_change())
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
    if found is None:
        found = read()
        with _lock:
            _kept[key] = found
            while len(_kept) > KEPT_MAX:
                _kept.popitem(last=False)
    return found


def _newest_change() -> int:
    """Of whatever a sheet is read against."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM config_change")
        return int(cursor.fetchone()[0])
