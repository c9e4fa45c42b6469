"""Amounts in a currency: how many decimals it has (PAY-61, AG-88)."""

from babel.numbers import get_currency_precision, list_currencies

from relais.core.money import round_to_minor


def is_currency(code: str) -> bool:
    return code in list_currencies()


def fits_minor_units(amount_micros: int, currency: str) -> bool:
    """Whether the amount can be paid in that currency: EUR has 2 decimals, JPY 0, KWD 3."""
    return round_to_minor(amount_micros, get_currency_precision(currency)) == amount_micros
