"""The configuration as the data plane sees it: one immutable snapshot, replaced within a second of a change.

Reads through `store/configuration.sql` and nothing else. Rate trees are compiled here, once a change, never a message.
"""

import ipaddress
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import asyncpg
import msgspec
import structlog

from relais.contracts.registry import SMPP, vendors
from relais.core.billing.periods import BillingPeriod, BillingTerms, VersionTerms, version_period_at
from relais.core.billing.periods import Period as Span
from relais.core.numbers import NumberPlan
from relais.core.opt_out import Asked, own_words
from relais.core.rating.tree import compile_tree
from relais.core.rating.types import CoverKind, ServiceType
from relais.pipeline import default_senders, sender_rules
from relais.pipeline.default_senders import DefaultSenders
from relais.pipeline.numbering import build_number_plan
from relais.pipeline.portability import NOBODY, Portability, load_portability
from relais.pipeline.rails import Rails, load_rails
from relais.pipeline.rate_trees import RateTree, load_rate_trees
from relais.pipeline.sender_rules import SenderRules
from relais.secretbox import SecretBox
from relais.store.blocks import blocks

RIGHT_SEND, RIGHT_STATUS, RIGHT_BALANCE = 1, 2, 4
ANSWER_KEY_ID = -2  # in place of an API key's: a sender ID answered a word like STOP by itself
SMPP_KEY_ID = -1  # in place of an API key's: the message came over SMPP
MOVE_AFTER_S = 60.0  # longer than most vendors' sessions need to come back

PACK_KINDS: Mapping[str, CoverKind] = {
    ServiceType.UNIT_PACK: CoverKind.UNITS,
    ServiceType.MONETARY_PACK: CoverKind.MONEY,
    ServiceType.BUNDLE_PACK: CoverKind.MEMBERS,
}
_PAY_AS_YOU_GO, _INITIATOR = ServiceType.PAY_AS_YOU_GO, ServiceType.BUNDLE_INITIATOR

_SQL = blocks("configuration")
NO_RATES = compile_tree(())
_RATE_TABLES = frozenset(("catalog_ratenode", "catalog_scope"))
_NUMBERING_TABLES = frozenset(
    {"catalog_country", "catalog_network", "catalog_networkcode", "catalog_numberprefix", "catalog_callingcode"}
)
log = structlog.get_logger()


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


class ApiKey(msgspec.Struct, frozen=True):
    """`rights`: bits `RIGHT_SEND`, `RIGHT_STATUS`, `RIGHT_BALANCE`. What a `sandbox` key sends is neither charged nor sent.
    `webhook_url`: told of messages that name no address themselves. `networks`: whence, empty = from anywhere. `rps_limit`:
    messages a second, of one gateway."""

    id: int
    company_id: int
    rights: int
    company_enabled: bool
    sandbox: bool = False
    webhook_url: str | None = None
    networks: Networks = ()
    rps_limit: int | None = None
    expires_at: datetime | None = None
    names: frozenset[str] = frozenset()  # its own and its company's, case-folded


class Version(msgspec.Struct, frozen=True):
    """Terms of an agreement from `effective_from` (inclusive) to `effective_till` (exclusive; None = open)."""

    effective_from: datetime
    effective_till: datetime | None
    credit_limit_micros: int | None
    tax_bp: int
    billing: BillingTerms


class Agreement(msgspec.Struct, frozen=True):
    """`seller_id`: the company of the own legal entity. `versions` in order of time, never overlapping."""

    id: int
    company_id: int
    seller_id: int
    own_legal_entity_id: int
    code: str
    currency: str
    versions: tuple[Version, ...]


class Period(msgspec.Struct, frozen=True):
    """A record that holds for a time: `item` is an id or a compiled tree."""

    effective_from: datetime
    effective_till: datetime | None
    item: Any


class EnabledPack(msgspec.Struct, frozen=True):
    """A pack of an agreement: `kind` is UNITS, MONEY or MEMBERS."""

    effective_from: datetime
    effective_till: datetime | None
    id: int
    service_id: int
    kind: CoverKind


class Sender(msgspec.Struct, frozen=True):
    """An SMS sender ID; `text` is its spelling on the wire. New messages take the second connection while the first is down."""

    id: int
    company_id: int
    agreement_id: int | None
    text: str
    status: str
    connection_id: int | None
    second_connection_id: int | None = None
    keyword: str = ""  # of incoming messages, on a number that several senders share
    client_connection_id: int | None = None  # who is told of them over SMPP
    webhook_url: str | None = None  # and over HTTP
    opt_out_words: bool = True  # whether STOP, START and HELP are understood
    words: Mapping[str, Asked] = MappingProxyType({})  # its own, beside those of core.opt_out
    answers: Mapping[Asked, str] = MappingProxyType({})  # what it answers to such a word
    mcc: str = ""  # of incoming messages: the country in which a short code is its
    default: bool = False  # of its company's messages that name no sender


class VendorConnection(msgspec.Struct, frozen=True):
    """`settings` is the adapter's own dataclass. `statuses_map` maps (status, error or "") to "unsent" or
    "undelivered" (VSMPP-27 to 37). `receipt_parts`: "all", "first" or "last" part decides about a long message.
    `resends`: a part that was not answered goes out again, at the risk that the vendor has it twice. `fallback_sender`: what a
    message goes out under once the vendor has refused its sender, "" = nothing. `disconnected`: in use, but
    not bound until somebody connects it again; another `reconnect_at` than before asks for new sessions. `move_after_s`: down
    for so long, what waits goes to the other connection of its sender; None = never."""

    id: int
    name: str
    kind: str
    settings: Any
    rps_limit: int | None
    window_limit: int | None
    disabled: bool
    statuses_map: Mapping[tuple[str, str], str]
    receipt_parts: str
    resends: bool = True
    fallback_sender: str = ""
    disconnected: bool = False
    reconnect_at: datetime | None = None
    move_after_s: float | None = MOVE_AFTER_S

    @property
    def binds(self) -> bool:
        return not (self.disabled or self.disconnected)


class ClientConnection(msgspec.Struct, frozen=True):
    """What a client may bind with at the SMPP server. `networks`: whence, empty = from anywhere. `data_coding` is how texts of
    data_coding 0 are read: gsm7, ascii, latin1, ucs2 or binary. Limits None = the server's own."""

    id: int
    name: str
    login: str
    password: str
    key: ApiKey  # what it may do, as a key of its company
    networks: Networks
    system_type: str
    tls: bool
    data_coding: str
    disabled: bool
    rps_limit: int | None
    window_limit: int | None
    sessions_limit: int | None

    def __repr__(self) -> str:
        """Without the password."""
        return f"ClientConnection(id={self.id}, login={self.login!r})"


class Network(msgspec.Struct, frozen=True):
    """`mccmnc` is the lowest of its codes."""

    id: int
    name: str
    operator: str
    mcc: str | None
    mccmnc: str | None
    country: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything accepting, rating and sending need. Keys are ids where not said otherwise."""

    change: int
    api_keys: Mapping[bytes, ApiKey]  # by SHA-256 of the key
    companies: Mapping[int, tuple[int | None, bool]]  # parent, enabled
    agreements: Mapping[int, Agreement]
    reselling: Mapping[int, tuple[Period, ...]]  # own legal entity → agreements, in the order they are tried
    services: Mapping[int, tuple[Period, ...]]  # agreement → enabled pay-as-you-go services
    packs: Mapping[int, tuple[EnabledPack, ...]]  # agreement → its packs, bundle packs too, in the order they are asked
    initiators: Mapping[int, tuple[Period, ...]]  # agreement → enabled bundle initiators
    scopes: Mapping[int, tuple[Period, ...]]  # service → compiled trees
    senders: Mapping[tuple[int, str, str], Sender]  # company, channel, case-folded sender ID
    connections: Mapping[int, VendorConnection]
    client_connections: Mapping[str, ClientConnection]  # by login
    networks: Mapping[int, Network]
    number_plan: NumberPlan
    mcc_countries: Mapping[str, frozenset[str]]  # MCC → ISO codes
    rate_trees: Mapping[int, RateTree]  # scope → what `scopes` was made of
    default_senders: DefaultSenders  # of messages that name none
    sender_rules: SenderRules | None  # what countries take as senders; None = no country has a rule
    rails: Rails | None = None  # None: no guard rail is set
    portability: Portability = NOBODY
    final_only_keys: frozenset[int] = frozenset()  # whose webhook is told of final statuses only; revoked keys too


def in_force(periods: Sequence[Any], now: datetime) -> list[Any]:
    """Those of `periods` that hold at `now`, in their order."""
    return [p for p in periods if p.effective_from <= now and (p.effective_till is None or now < p.effective_till)]


def billing_period(agreement: Agreement, at: datetime) -> Span:
    """The agreement's billing period that holds that instant (rulings 5, 21)."""
    terms = [VersionTerms(version.effective_from, version.billing, version.tax_bp) for version in agreement.versions]
    return version_period_at(at, terms)


def period_start(snapshot: "Snapshot", agreement_id: int, at: datetime) -> datetime:
    return billing_period(snapshot.agreements[agreement_id], at).start


async def load_snapshot(
    session: asyncpg.Connection, box: SecretBox, former: Snapshot | None, *, allow_internal: bool = False
) -> Snapshot:
    """Read the configuration in one transaction. What `former` already holds of dictionaries and rates is kept where they did
    not change: they are the large part. `allow_internal`: vendors may be where the platform itself is (VSMPP-45)."""
    async with session.transaction(isolation="repeatable_read", readonly=True):
        changes = await session.fetchrow(_SQL["changes"], former.change if former else 0)
        if former is None or not _NUMBERING_TABLES.isdisjoint(changes["tables"]):
            networks = {
                row["id"]: Network(
                    row["id"], row["name"], row["operator"], row["mcc"], row["mccmnc"], row["country_id"]
                )
                for row in await session.fetch(_SQL["networks"])
            }
            number_plan = build_number_plan(
                await session.fetch(_SQL["number_prefixes"]), await session.fetch(_SQL["calling_codes"])
            )
            mcc_countries = {r["mcc"]: frozenset(r["countries"]) for r in await session.fetch(_SQL["mccs"])}
        else:
            networks, number_plan = dict(former.networks), former.number_plan
            mcc_countries = dict(former.mcc_countries)
        if former is None or not _RATE_TABLES.isdisjoint(changes["tables"]):
            rate_trees = await load_rate_trees(session, former.rate_trees if former else {})
        else:
            rate_trees = dict(former.rate_trees)
        companies = {r["id"]: (r["parent_id"], r["enabled"]) for r in await session.fetch(_SQL["companies"])}
        enabled = await session.fetch(_SQL["enabled_services"])
        agreements = await _agreements(session)
        senders = {
            (r["company_id"], r["channel"], r["sender_id"].casefold()): _sender(r)
            for r in await session.fetch(_SQL["sender_ids"])
        }
        return Snapshot(
            change=changes["newest"],
            api_keys={
                bytes(r["key_hash"]): _api_key(r, _enabled(companies, r["company_id"]))
                for r in await session.fetch(_SQL["api_keys"])
            },
            companies=companies,
            agreements=agreements,
            reselling=_grouped(await session.fetch(_SQL["reselling_agreements"]), "legal_entity_id", "agreement_id"),
            services=_grouped([r for r in enabled if r["type"] == _PAY_AS_YOU_GO], "agreement_id", "service_id"),
            packs=_packs(enabled),
            initiators=_grouped([r for r in enabled if r["type"] == _INITIATOR], "agreement_id", "service_id"),
            scopes=await _scopes(session, rate_trees),
            senders=senders,
            connections={
                r["id"]: _connection(r, box, allow_internal) for r in await session.fetch(_SQL["connections"])
            },
            client_connections={
                r["login"]: _client_connection(r, box, _enabled(companies, r["company_id"]))
                for r in await session.fetch(_SQL["client_connections"])
            },
            networks=networks,
            number_plan=number_plan,
            mcc_countries=mcc_countries,
            rate_trees=rate_trees,
            default_senders=default_senders.compiled(
                senders,
                agreements.values(),
                next((id for id, (parent_id, _) in companies.items() if parent_id is None), None),
            ),
            sender_rules=sender_rules.compiled(
                await session.fetch(_SQL["sender_rules"]), await session.fetch(_SQL["sender_registrations"])
            ),
            rails=await load_rails(session, companies, agreements.values()),
            portability=await load_portability(session, box, companies),
            final_only_keys=frozenset([row["id"] for row in await session.fetch(_SQL["final_only_keys"])]),
        )


def _enabled(companies: Mapping[int, tuple[int | None, bool]], company_id: int) -> bool:
    return companies[company_id][1]


def _grouped(rows: Sequence[Any], key: str, item: str) -> dict[int, tuple[Period, ...]]:
    groups: dict[int, list[Period]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(Period(row["effective_from"], row["effective_till"], row[item]))
    return {group: tuple(periods) for group, periods in groups.items()}


def _packs(rows: Sequence[Any]) -> dict[int, tuple[EnabledPack, ...]]:
    groups: dict[int, list[EnabledPack]] = defaultdict(list)
    for row in rows:
        if row["type"] in PACK_KINDS:
            groups[row["agreement_id"]].append(
                EnabledPack(
                    row["effective_from"], row["effective_till"], row["id"], row["service_id"], PACK_KINDS[row["type"]]
                )
            )
    return {agreement_id: tuple(packs) for agreement_id, packs in groups.items()}


async def _agreements(session: asyncpg.Connection) -> dict[int, Agreement]:
    sellers = {row["id"]: row["company_id"] for row in await session.fetch(_SQL["legal_entities"])}
    versions: dict[int, list[Version]] = defaultdict(list)
    for row in await session.fetch(_SQL["agreement_versions"]):
        billing = BillingTerms(
            row["billing_timezone"], BillingPeriod(row["billing_period"]), row["billing_day"], row["split_by_month"]
        )
        versions[row["agreement_id"]].append(
            Version(row["effective_from"], row["effective_till"], row["credit_limit_micros"], row["tax_bp"], billing)
        )
    return {
        row["id"]: Agreement(
            row["id"], row["company_id"], sellers[row["own_legal_entity_id"]], row["own_legal_entity_id"],
            row["agreement_code"], row["currency"], tuple(versions[row["id"]]),
        )
        for row in await session.fetch(_SQL["agreements"])
    }  # fmt: skip


async def _scopes(session: asyncpg.Connection, trees: Mapping[int, RateTree]) -> dict[int, tuple[Period, ...]]:
    scopes: dict[int, list[Period]] = defaultdict(list)
    for row in await session.fetch(_SQL["scopes"]):
        tree = trees[row["id"]].tree if row["id"] in trees else NO_RATES
        scopes[row["service_id"]].append(Period(row["effective_from"], row["effective_till"], tree))
    return {service: tuple(periods) for service, periods in scopes.items()}


def _connection(row: Any, box: SecretBox, allow_internal: bool) -> VendorConnection:
    """A connection whose settings cannot be used counts as disabled: the others must go on."""
    options = json.loads(row["options"] or "{}")
    receipt_parts, resends = options.pop("receipt_parts", "all"), options.pop("resends", True)
    move_after_s = options.pop("move_after_s", MOVE_AFTER_S)
    kind, settings = options.pop("vendor", SMPP), None
    if kind == SMPP:
        columns = ("host_name", "port", "system_id", "system_type", "use_tls", "use_tlv", "inverse_address_mode")
        options |= {name: row[name] for name in columns} | {"allow_internal": allow_internal}
    try:
        if kind == SMPP:
            options["password"] = box.decrypt(row["password_encrypted"])
        settings = vendors()[kind].settings(**options)
    except (ValueError, TypeError, KeyError) as error:
        log.error("connection.unusable", connection=row["id"], reason=str(error))
    statuses = {
        (status.upper(), str(code).lstrip("0") or ("0" if code else "")): line["method"]
        for status, lines in json.loads(row["statuses_map"] or "{}").items()
        for line in lines
        for code in line["codes"] or [""]
    }
    return VendorConnection(
        row["id"], row["name"], kind, settings, row["rps_limit"], row["window_limit"],
        row["disabled"] or settings is None, statuses, receipt_parts, bool(resends), row["fallback_sender"],
        row["disconnected"], row["reconnect_at"], move_after_s,
    )  # fmt: skip


def _client_connection(row: Any, box: SecretBox, company_enabled: bool) -> ClientConnection:
    """A connection whose password cannot be opened counts as disabled."""
    password, disabled = "", row["disabled"]
    try:
        password = box.decrypt(row["password_encrypted"])
    except ValueError as error:
        disabled = True
        log.error("client_connection.unusable", connection=row["id"], reason=str(error))
    return ClientConnection(
        row["id"], row["name"], row["login"], password,
        ApiKey(SMPP_KEY_ID, row["company_id"], RIGHT_SEND | RIGHT_STATUS, company_enabled),
        _networks(row["network"]),
        row["system_type"], row["ssl_type"] != "none", row["default_data_coding"], disabled,
        row["rps_limit"], row["window_limit"], row["sessions_limit"],
    )  # fmt: skip


def _sender(row: Any) -> Sender:
    answers = {Asked.STOP: row["stop_answer"], Asked.START: row["start_answer"], Asked.HELP: row["help_answer"]}
    return Sender(
        row["id"], row["company_id"], row["agreement_id"], row["sender_id"], row["status"], row["smpp_connection_id"],
        row["second_smpp_connection_id"], row["keyword"], row["client_smpp_connection_id"], row["webhook_url"] or None,
        row["opt_out_words"], own_words(row["stop_words"], row["start_words"], row["help_words"]),
        {asked: answer for asked, answer in answers.items() if answer},
        mcc=row["mcc"], default=row["is_default"],
    )  # fmt: skip


def _api_key(row: Any, company_enabled: bool) -> ApiKey:
    return ApiKey(
        row["id"], row["company_id"], row["rights"], company_enabled, row["sandbox"], row["webhook_url"] or None,
        _networks(row["networks"]), row["rps_limit"], row["expires_at"],
        frozenset((row["name"].casefold(), row["company_name"].casefold())),
    )  # fmt: skip


def _networks(listed: str) -> Networks:
    return tuple(ipaddress.ip_network(part.strip()) for part in listed.split(",") if part.strip())
