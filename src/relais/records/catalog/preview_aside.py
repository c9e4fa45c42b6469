"""Makes the preview of a large sheet aside, so that nobody waits for an answer: the page asks how far it is.

A thread of the process that was asked; when that ends meanwhile, whoever asks next begins again.
"""

import threading
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from relais.records.catalog.actions.import_rates import preview_import
from relais.records.catalog.models import RateImport, RateImportFile
from relais.records.errors import Invalid

ROWS_AT_ONCE_MAX = 20_000  # rows whose preview is made while the answer waits
_SILENT_MAX = timedelta(seconds=30)  # of a thread that is at work


class Progress(NamedTuple):
    """`trouble`: why the preview could not be made, "" while it is being made."""

    rows_done: int
    trouble: str


def make_preview_aside(rate_import: RateImport, now: datetime) -> Progress:
    """How far it is; begun where nobody is at it. Ask until `kept_preview` has it."""
    about = RateImportFile.objects.filter(rate_import=rate_import)
    found = about.values_list("rows_done", "told_at", "trouble").first()
    if found is None:
        return Progress(0, "The file is gone: choose it again.")
    rows_done, told_at, trouble = found
    if trouble:
        about.update(trouble="", told_at=None)
        return Progress(0, trouble)
    if told_at is not None and now - told_at < _SILENT_MAX:
        return Progress(rows_done, "")
    about.update(rows_done=0, told_at=now)
    threading.Thread(target=_make, args=[rate_import.pk], name="preview", daemon=True).start()
    return Progress(0, "")


def _make(import_id: int) -> None:
    about = RateImportFile.objects.filter(rate_import=import_id)
    try:
        preview_import(
            RateImport.objects.select_related("scope__service").get(pk=import_id),
            lambda row: about.update(rows_done=row, told_at=timezone.now()) and None,
        )
        about.update(told_at=None)
    except Invalid as why:
        about.update(trouble=str(why))
    finally:
        connection.close()
