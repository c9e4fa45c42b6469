"""Make or change a guard rail, and trust numbers. Gateways follow within a second."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from relais.core.links import host_of
from relais.core.numbers import normalise
from relais.records.errors import Invalid
from relais.records.guards.models import Cap, FloodFilter, LinkList, TrustedNumber
from relais.records.parties.models import Company
from relais.records.saving import find, prepare, require_fixed, save

NUMBERS_MAX = 1_000
HOSTS_MAX = 500
_FIXED = "cannot be changed: add another guard rail"


@transaction.atomic
def save_cap(cap: Cap, *, unchanged_since: datetime | None = None) -> Cap:
    """`Invalid` for a client that the keeper does not serve, a key or SMPP connection of another company or both at once, and
    without a limit. What is used of an hour or day begun is counted from the moment at which the cap is there."""
    former = prepare(cap, unchanged_since)
    if former is not None:
        require_fixed(cap, former, ("client_id", "period", "currency"), _FIXED)
    _require_served(cap.company, cap.client)
    if cap.api_key is not None and cap.api_key.company_id != cap.client_id:
        raise Invalid.of("api_key", "belongs to another company")
    if cap.client_connection is not None and cap.client_connection.company_id != cap.client_id:
        raise Invalid.of("client_connection", "belongs to another company")
    if cap.api_key is not None and cap.client_connection is not None:
        raise Invalid.of("client_connection", "excludes an API key: what comes over SMPP has none")
    cap.prefix = "".join(cap.prefix.split()).removeprefix("+")
    if cap.prefix and not (cap.prefix.isascii() and cap.prefix.isdigit()):
        raise Invalid.of("prefix", "is the first digits of a number, country code first")
    if cap.messages_max is None and cap.spend_max_micros is None:
        raise Invalid.of("messages_max", "is required where spend has no limit")
    if (cap.spend_max_micros is None) != (cap.currency == ""):
        raise Invalid.of("currency", "goes together with a limit of spend")
    if cap.spend_max_micros is not None and cap.spend_max_micros <= 0:
        raise Invalid.of("spend_max_micros", "must be more than 0")
    save(cap)
    return cap


@transaction.atomic
def save_flood_filter(filter: FloodFilter, *, unchanged_since: datetime | None = None) -> FloodFilter:
    """`Invalid` for a client that the keeper does not serve, a sender ID of another, and without a limit."""
    former = prepare(filter, unchanged_since)
    if former is not None:
        require_fixed(filter, former, ("client_id", "sender_id"), _FIXED)
    _require_served(filter.company, filter.client)
    if filter.sender is not None and filter.sender.company_id != filter.client_id:
        raise Invalid.of("sender", "belongs to another company")
    if filter.identical_max is None and filter.different_max is None:
        raise Invalid.of("identical_max", "is required where different texts have no limit")
    save(filter)
    return filter


@transaction.atomic
def save_link_list(listed: LinkList, *, unchanged_since: datetime | None = None) -> LinkList:
    """`Invalid` for a sender ID of a company that the keeper does not serve, and for a line that is no host. Hosts are kept as
    typed, one a line, once each."""
    former = prepare(listed, unchanged_since)
    if former is not None:
        require_fixed(listed, former, ("sender_id",), _FIXED)
    else:
        listed.client = listed.sender.company
        _require_served(listed.company, listed.client, "sender")
    hosts: dict[str, str] = {}
    for line in filter(None, map(str.strip, listed.hosts.replace(",", "\n").splitlines())):
        host = host_of(line)
        if host is None:
            raise Invalid.of("hosts", "%(line)s is no host, such as example.com", line=line[:60])
        hosts.setdefault(host, line)
    if len(hosts) > HOSTS_MAX:
        raise Invalid.of("hosts", "takes at most %(most)s hosts", most=HOSTS_MAX)
    listed.hosts = "\n".join(hosts.values())
    save(listed)
    return listed


@transaction.atomic
def trust_numbers(company: Company, numbers: Sequence[str], *, note: str = "") -> tuple[TrustedNumber, int]:
    """No guard of the company, or of anybody below it, stops or counts them. The entry of the first number, and how many are new.
    `Invalid` for a number that is none, then nobody is trusted."""
    digits = []
    for number in numbers:
        found = normalise(number)
        if found is None:
            raise Invalid.of("numbers", "%(number)s is no phone number in international form", number=number[:40])
        digits.append(found)
    if not 1 <= len(digits) <= NUMBERS_MAX:
        raise Invalid.of("numbers", "takes 1 to %(most)s numbers", most=NUMBERS_MAX)
    before = set(TrustedNumber.objects.filter(company=company, number__in=digits).values_list("number", flat=True))
    made = [
        TrustedNumber(company=company, number=each, note=note) for each in dict.fromkeys(digits) if each not in before
    ]
    TrustedNumber.objects.bulk_create(made, ignore_conflicts=True)
    return TrustedNumber.objects.get(company=company, number=digits[0]), len(made)


@transaction.atomic
def delete_guard(model: type[Cap | FloodFilter | LinkList | TrustedNumber], key: int) -> None:
    """It holds no more within a second; what it stopped stays listed."""
    find(model, key).delete()


def _require_served(keeper: Company, client: Company, field: str = "client") -> None:
    if client.pk != keeper.pk and client.parent_id != keeper.pk:
        raise Invalid.of(field, "is not served by this company: choose it or one directly below it")
