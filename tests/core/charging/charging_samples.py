"""Terms and states as small data; amounts in micros."""

from datetime import UTC, datetime

from relais.core.charging.types import Account, State
from relais.core.money import add_tax
from relais.core.rating.types import Parameter, Scale, ScaleType, Term

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2025, 2, 1, tzinfo=UTC)
CLIENT, RESELLER, OWNER = 1, 2, 3


def flat(agreement_id: int, price_micros: int, units: int = 1, tax_bp: int = 0) -> Term:
    net_micros = units * price_micros
    gross_micros = net_micros + add_tax(net_micros, tax_bp)
    return Term(agreement_id, 100 + agreement_id, units, price_micros, gross_micros, tax_bp, False, None, "")


def tiered(
    agreement_id: int, steps: list[tuple[int | None, int]], units: int = 1, group: str = "", tax_bp: int = 0
) -> Term:
    """`steps` are (up to, price in micros), the last one open; the reservation is at the dearest."""
    thresholds = tuple(up_to for up_to, _ in steps if up_to is not None)
    prices_micros = tuple(price_micros for _, price_micros in steps)
    node_id = 200 + agreement_id
    scale = Scale(ScaleType.TIER, thresholds, prices_micros, (Parameter.SENDER_ID,) if group else (), node_id)
    net_micros = units * max(prices_micros)
    gross_micros = net_micros + add_tax(net_micros, tax_bp)
    return Term(agreement_id, node_id, units, 0, gross_micros, tax_bp, False, scale, group)


def prepaid(**balances_micros: int) -> State:
    """Accounts without credit: `prepaid(client=100, reseller=50)`."""
    ids = {"client": CLIENT, "reseller": RESELLER, "owner": OWNER}
    return State({ids[name]: Account(balance, 0, 0) for name, balance in balances_micros.items()}, {})
