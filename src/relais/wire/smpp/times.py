"""Times of SMPP 3.4 §7.1.1: 16 characters `YYMMDDhhmmsstnnp`, and the looser forms met in receipts."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_DAYS_A_MONTH, _DAYS_A_YEAR = 30, 365  # how relative months and years are read; never written

_FULL = re.compile(r"([0-9]{12})([0-9])([0-9]{2})([+-])")
_RELATIVE = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})000R")
_LOCAL = re.compile(r"[0-9]{10,15}")
_QUARTERS_MAX = 48


def absolute_time(instant: datetime) -> str:
    """`instant` (aware) in UTC, to the tenth of a second: "261122101600000+". ValueError outside 2000 to 2099."""
    utc = instant.astimezone(UTC)
    if not 2000 <= utc.year <= 2099:
        raise ValueError(f"SMPP has two digits for the year: {utc.year}")
    return f"{utc:%y%m%d%H%M%S}{utc.microsecond // 100_000}00+"


@lru_cache(maxsize=1024)  # messages of one second share their validity
def relative_time(after_s: int) -> str:
    """`after_s` seconds from the centre's clock in days, hours, minutes and seconds: 86400 -> "000001000000000R".

    Months and years have no fixed length, so they stay 0; what exceeds 99 days is written as 99 days.
    ValueError when negative.
    """
    if after_s < 0:
        raise ValueError(f"a relative time cannot lie {-after_s} s in the past")
    days, rest_s = divmod(after_s, 86_400)
    if days > 99:
        days, rest_s = 99, 0
    return f"0000{days:02d}{rest_s // 3600:02d}{rest_s // 60 % 60:02d}{rest_s % 60:02d}000R"


def relative_s(text: str) -> int | None:
    """Seconds of a relative time (a month counts 30 days, a year 365); None when it is not one."""
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return None
    years, months, days, hours, minutes, seconds = map(int, match.groups())
    return (years * _DAYS_A_YEAR + months * _DAYS_A_MONTH + days) * 86_400 + hours * 3600 + minutes * 60 + seconds


@lru_cache(maxsize=1024)  # receipts of one minute share their dates
def parse_time(text: str, utc_offset_min: int = 0) -> datetime | None:
    """The instant, aware UTC, of an absolute time of 16 characters or of a shorter one without zone, which is read at
    `utc_offset_min` minutes ahead of UTC: YYMMDDhhmm, with seconds, with tenths, or with four digits of year.

    None when it is none of them or no date of the calendar. Years are 2000 to 2099.
    """
    match = _FULL.fullmatch(text)
    if match:
        digits, tenths, quarters, sign = match.groups()
        if int(quarters) > _QUARTERS_MAX:
            return None
        offset_min = int(quarters) * 15 * (-1 if sign == "-" else 1)
        instant = _at(digits, "%y%m%d%H%M%S", offset_min)
        return instant and instant + timedelta(milliseconds=100 * int(tenths))
    if not _LOCAL.fullmatch(text):
        return None
    for length, layout in ((10, "%y%m%d%H%M"), (12, "%y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (14, "%Y%m%d%H%M%S")):
        if len(text) == length and (instant := _at(text, layout, utc_offset_min)):
            return instant
    return _at(text[:12], "%y%m%d%H%M%S", utc_offset_min) if len(text) in (13, 15) else None


def _at(digits: str, layout: str, offset_min: int) -> datetime | None:
    """The instant in UTC; two-digit years are of this century, whatever strptime thinks of 69 to 99."""
    try:
        local = datetime.strptime(digits, layout)
        if local.year < 2000 and layout.startswith("%y"):
            local = local.replace(year=local.year + 100)
        if not 2000 <= local.year <= 2099:
            return None
        return local.replace(tzinfo=timezone(timedelta(minutes=offset_min))).astimezone(UTC)
    except ValueError:
        return None
