"""Money is an integer of 10^-6 of a currency unit ("micros"); the currency stands beside it and is not this module's.

No float ever enters or leaves. Text is exact or refused; rounding happens only in the two functions named for it, half
away from zero (ruling 10), so that an amount and its reversal round to the same size.
"""

import re

MICROS = 1_000_000
DECIMALS_MAX = 6
TAX_BP_WHOLE = 10_000  # basis points of a percentage with two decimals: 21.00 % is 2,100

_AMOUNT = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]{1,6}))?")


def parse_micros(text: str) -> int:
    """Micros of a plain decimal such as "0.04", "-12" or "+1.500000".

    ValueError for anything that is not exact here: more than six decimals (also when the rest are zeros: a writer of
    seven decimals expects seven), exponents, group separators, a comma, blanks, digits of other scripts.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount of at most {DECIMALS_MAX} decimals: {text!r}")
    sign, units, decimals = match.groups()
    micros = int(units) * MICROS + int((decimals or "").ljust(DECIMALS_MAX, "0"))
    return -micros if sign == "-" else micros


def format_micros(micros: int, decimals: int = DECIMALS_MAX) -> str:
    """The amount with exactly `decimals` decimals (0 to 6): 40000 -> "0.040000"; the edges' text of money.

    Fewer than six decimals round half away from zero; a result of zero has no sign.
    """
    rounded = round_to_minor(micros, decimals)
    units, rest = divmod(abs(rounded), MICROS)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{units}.{rest:06d}"[: None if decimals == DECIMALS_MAX else decimals - DECIMALS_MAX].rstrip(".")


def round_to_minor(micros: int, minor_units: int) -> int:
    """`micros` rounded half away from zero to a currency of `minor_units` decimals (EUR 2, JPY 0, KWD 3); still micros.

    ValueError when `minor_units` is outside 0 to 6.
    """
    if not 0 <= minor_units <= DECIMALS_MAX:
        raise ValueError(f"a currency has 0 to {DECIMALS_MAX} decimals, not {minor_units}")
    step: int = 10 ** (DECIMALS_MAX - minor_units)
    return _rounded_quotient(micros, step) * step


def add_tax(net_micros: int, tax_bp: int) -> int:
    """The tax alone, in micros, on `net_micros` at `tax_bp` (percent x 100), rounded half away from zero to a micro.

    ValueError when the rate is outside 0 to 100 % (AG-98).
    """
    if not 0 <= tax_bp <= TAX_BP_WHOLE:
        raise ValueError(f"a tax is 0 to {TAX_BP_WHOLE} basis points, not {tax_bp}")
    return _rounded_quotient(net_micros * tax_bp, TAX_BP_WHOLE)


def _rounded_quotient(dividend: int, divisor: int) -> int:
    """dividend / divisor, half away from zero; `divisor` positive."""
    quotient = (2 * abs(dividend) + divisor) // (2 * divisor)
    return -quotient if dividend < 0 else quotient
