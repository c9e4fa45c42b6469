"""The second wall between companies: the role of SQL reports sees what `visible` shows, and nothing of any other table."""

import secrets
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from tests.records.conftest import EUR, NOW, START
from tests.records.test_dictionaries_and_people import new_user
from tests.records.test_visibility import COMPANIES, World, make_assets, make_business, note, world
from tests.records.traffic_rows import id_at, put

__all__ = ["world"]  # the fixture: owner → reseller → client, owner → neighbour, with everything they can have

# Of one person, whom a report does not know: what a person keeps, what log-ins leave, and roles, of which each interface has
# its own.
PERSONAL = {
    *("people_listpreference", "people_savedfilter", "people_role", "people_role_companies", "people_userrole"),
    *("access_access", "access_authenticator", "access_avatar", "access_formerpassword", "access_passwordpolicy"),
    *("catalog_rateimport", "catalog_rateimportfile"),
    *("access_recoverycode", "access_session", "access_smscode", "access_try"),
}
MACHINERY = {
    # sessions, jobs, Django's own, the signal of changes, seals, queues and counters of the data plane
    *("django_migrations", "django_content_type", "auth_group", "auth_group_permissions"),
    *("auth_permission", "config_change", "audit_seal", "audit_waiting", "reports_readable"),
    *("procrastinate_events", "procrastinate_jobs", "procrastinate_periodic_defers", "procrastinate_workers"),
    *(
        "billing_told",
        "traffic_answer",
        "traffic_bundle_member",
        "traffic_bundle_place",
        "traffic_counter",
        "traffic_delivery",
        "traffic_gateway_beat",
        "traffic_idempotency",
        "traffic_incoming_part",
        "traffic_outbox",
        "traffic_sandbox_message",
        "traffic_session_member",
        "traffic_unmatched_receipt",
        "traffic_waiting_message",
        "traffic_withdrawal",
        "senders_stopchange",
        "guards_capuse",
        "guards_floodgot",
        "guards_watchedsender",
    ),
}
SECRET = ("password", "key_hash", "password_encrypted", "webhook_guid")
OF_ALL_LEVELS = ("agreement_ids", "node_ids", "units", "reserved_micros", "tax_bp")


def as_reports(
    session: psycopg.Connection, company_id: int | None, query: Any, site: str = "backoffice"
) -> list[tuple[Any, ...]]:
    """What the query gives the role of reports that asks for that company on that site."""
    with session.transaction():
        session.execute("SELECT set_config('relais.site', %s, true)", [site])
        if company_id is not None:
            session.execute("SELECT set_config('relais.company_id', %s, true)", [str(company_id)])
        session.execute("SET LOCAL ROLE relais_reports")
        return session.execute(query).fetchall()


def key_of(session: psycopg.Connection, table: str) -> list[str]:
    """Columns of the primary key."""
    rows = session.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
        " WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY a.attnum",
        [table],
    )
    return [row[0] for row in rows]


def put_traffic(company: Any, agreements: dict[Any, Any]) -> UUID:
    """A message of the company with two parts, each reported, and an EDR for each agreement of its chain, client first."""
    from django.db import connection

    from relais.records.people.models import ApiKey

    message_id = id_at(NOW)
    key = ApiKey.objects.get(company=company)
    terms = {"agreement_ids": list(agreements.values()), "node_ids": [1] * len(agreements),
             "units": [1] * len(agreements), "reserved_micros": [EUR] * len(agreements)}  # fmt: skip
    put("traffic_message", id=message_id, company_id=company.pk, api_key_id=key.pk, sender_id=1, connection_id=1,
        validity_s=60, status=10, channel=1, encoding=0, segments_count=2, delivered_rules=0, country="ES", source="S",
        destination="34600123456", body="Hola", **terms)  # fmt: skip
    for part in range(2):
        put("traffic_sent", message_id=message_id, connection_id=1, sent_at=NOW, part=part, vendor_id="v")
        if not part:
            put("traffic_fallback", message_id=message_id, at=NOW, source="34600", error="0x0A")
        put("traffic_part_receipt", message_id=message_id, at=NOW, part=part, status=10)
    for level, agreement_id in enumerate(agreements.values()):
        put("traffic_edr", message_id=message_id, agreement_id=agreement_id, node_id=1, net_micros=EUR, tax_micros=0,
            at=NOW, units=1, level=level, entry=1)  # fmt: skip
    told = {"company_id": company.pk, "api_key_id": key.pk, "url": secrets.token_hex(4)}
    put("traffic_callback", due_at=NOW, attempts=0, event="{}", **told)
    put("traffic_incoming", id=id_at(NOW), received_at=NOW, connection_id=1, company_id=company.pk, sender_id=1, source="1",
        destination="2", body="")  # fmt: skip
    put("traffic_callback_stop", stopped_at=NOW, **told)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM traffic_callback")
        (callback_id,) = cursor.fetchone()
    put(
        "traffic_callback_attempt",
        callback_id=callback_id,
        attempt=1,
        at=NOW,
        took_ms=1,
        status=200,
        error="",
        answer="",
    )
    return message_id


@pytest.fixture
def full(world: World) -> World:
    """With traffic, dictionaries, and one service that is hidden from its buyer."""
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from relais.records.agreements.models import Agreement
    from relais.records.catalog.models import (
        CallingCode,
        CountryPrices,
        EnabledService,
        EnabledServiceChannel,
        Network,
        NetworkCode,
        Service,
    )
    from relais.records.catalog.models import NumberPrefix as Prefix
    from relais.records.connections.models import ClientSmppConnection
    from relais.records.guards.models import Cap, FloodFilter, LinkList, NoticeAddresses, TrafficNotice, TrustedNumber
    from relais.records.people.models import Department
    from relais.records.senders.models import FeeRule, SenderFee, SenderId, SenderRegistration, SenderRule, StopEntry
    from relais.records.traffic.models import Message

    for name in ("client", "neighbour"):
        Department.objects.create(company=world.companies[name], name="Desk")
    agreements = dict(Agreement.objects.values_list("agreement_code", "pk"))
    put_traffic(world.companies["client"], {name: agreements[name] for name in ("client", "reseller")})
    put_traffic(world.companies["neighbour"], {"neighbour": agreements["neighbour"]})
    for name in ("client", "neighbour"):
        ClientSmppConnection.objects.create(
            company=world.companies[name], name="Centre", login=name, password_encrypted="x"
        )
    for enabled in EnabledService.objects.all():
        during = DateTimeTZRange(START, None)
        EnabledServiceChannel.objects.create(
            enabled_service=enabled, agreement=enabled.agreement, domain="sms", during=during
        )
        put("traffic_pack", pack_id=enabled.pk, used=1, reserved=0)
    for name in ("reseller", "neighbour"):
        sold, bought = (
            Service.objects.create(company=world.companies[name], name=label, type="pay_as_you_go", currency="EUR")
            for label in ("Sold", "Bought")
        )
        CountryPrices.objects.create(company=world.companies[name], service=sold, cost_service=bought)
    for name in ("owner", "reseller"):
        keeper, client = world.companies[name], world.companies["reseller" if name == "owner" else "client"]
        Cap.objects.create(company=keeper, client=client, messages_max=1)
        FloodFilter.objects.create(company=keeper, client=client, identical_max=1)
        LinkList.objects.create(company=keeper, client=client, sender=SenderId.objects.exclude(agreement=None)[0])
        TrustedNumber.objects.create(company=keeper, number="34600123456")
        NoticeAddresses.objects.create(company=keeper, emails="noc@example.com")
        TrafficNotice.objects.create(company=keeper, client=client, sender=SenderId.objects.exclude(agreement=None)[0],
                                     trouble="failing" if name == "owner" else "silent", at=NOW, true_at=NOW,
                                     window_minutes=1, messages=1, failed=1)  # fmt: skip
        put("guards_guarded", at=NOW, company_id=keeper.pk, client_id=client.pk, sender="", recipient="", country="",
            why="messages", guard_id=1, detail="1", refused=True, messages=1)  # fmt: skip
    for sender in SenderId.objects.exclude(agreement=None).select_related("company"):
        SenderRegistration.objects.create(company=sender.company, sender=sender, country_id="ES")
        StopEntry.objects.create(company=sender.company, sender=sender, number="34600123456")
        FeeRule.objects.create(company=sender.company, sender=sender, effective_from=START.date())
        SenderFee.objects.create(agreement=sender.agreement, sender=sender, kind="setup", sender_id_type="short_code")
    for row in Message.objects.values_list("pk", flat=True):
        put("traffic_lookup", message_id=row, connection_id=1, result=1, took_ms=1)
    for agreement in Agreement.objects.all():
        put("traffic_shortage", agreement_id=agreement.pk, hour=NOW, messages=1, last_at=NOW)
    EnabledService.objects.filter(agreement=agreements["reseller"]).update(hidden_from_client=True)
    network = Network.objects.create(country_id="ES", name="N")
    NetworkCode.objects.create(mccmnc="21401", mcc="214", mnc="01", network=network)
    Prefix.objects.create(prefix="346", country_id="ES", network=network)
    CallingCode.objects.create(calling_code="34", country_id="ES", main=True, national_lengths=[9])
    SenderRule.objects.create(country_id="ES", names="not_allowed")
    return world


def test_ruling_9_reports_see_for_every_model_and_company_what_its_people_see(full: World, records: str) -> None:
    from relais.records.catalog.models import CallingCode, Country, Network, NetworkCode, NumberPrefix
    from relais.records.senders.models import SenderRule
    from relais.records.visibility import _RULES, visible

    everybodys = {Country, Network, NetworkCode, NumberPrefix, CallingCode, SenderRule}
    with psycopg.connect(records, autocommit=True) as session:
        for model in _RULES:
            table = model._meta.db_table
            if table in PERSONAL:
                continue
            key = key_of(session, table)
            query = sql.SQL("SELECT {} FROM {}").format(
                sql.SQL(", ").join(map(sql.Identifier, key)), sql.Identifier(table)
            )
            everything, seen = set(session.execute(query)), {}
            for name in COMPANIES:
                company = full.companies[name].pk
                shown = set(visible(model, full.users[name]).values_list(*key))
                assert set(as_reports(session, company, query)) == shown, (table, name)
                seen[name] = shown
            assert everything and any(seen.values()), f"{table}: nobody sees anything, which proves nothing"
            assert model in everybodys or any(rows != everything for rows in seen.values()), table
            assert as_reports(session, None, query) == [], f"{table}: no company is said"
            assert as_reports(session, 0, query) == [], f"{table}: no such company"
            assert as_reports(session, full.companies["owner"].pk, query, site="") == [], f"{table}: no site is said"


def test_CP_62_in_the_portal_reports_see_what_a_company_has_as_a_client(full: World, records: str) -> None:
    from relais.records.visibility import _PORTAL_RULES, _RULES, visible

    clients = ("reseller", "client")
    people = {name: new_user(full.companies[name], login=f"{name}-2", interface="client_portal") for name in clients}
    with psycopg.connect(records, autocommit=True) as session:
        for model in (each for each in _RULES if each._meta.db_table not in PERSONAL):
            key, table, seen = key_of(session, model._meta.db_table), model._meta.db_table, set()
            query = sql.SQL("SELECT {} FROM {}").format(
                sql.SQL(", ").join(map(sql.Identifier, key)), sql.Identifier(table)
            )
            for name in clients:
                shown = set(visible(model, people[name]).values_list(*key))
                assert set(as_reports(session, full.companies[name].pk, query, "client_portal")) == shown, (table, name)
                seen |= shown
            assert bool(seen) == (model in _PORTAL_RULES), table


def test_every_table_is_either_read_by_a_rule_or_not_at_all(full: World, records: str) -> None:
    with psycopg.connect(records, autocommit=True) as session:
        tables = {
            row[0]
            for row in session.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
                " AND NOT relispartition"
            )
        }
        ruled = {row[0] for row in session.execute("SELECT tablename FROM pg_policies WHERE policyname = 'reports'")}
        assert tables - ruled == PERSONAL | MACHINERY, "a new table has its rule by let_reports_read, or a place above"
        children = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
        partitions = {row[0] for row in session.execute(children)}
        assert len(partitions) > 4
        for table in sorted(PERSONAL | MACHINERY | partitions):
            query = sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_reports(session, full.companies["owner"].pk, query)
        granted = {
            (row[0], row[1], row[2])
            for row in session.execute(
                "SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges"
                " WHERE grantee = 'relais_reports'"
            )
        }
        assert {table for table, _, _ in granted} == ruled
        assert {privilege for _, _, privilege in granted} == {"SELECT"}
        assert not {column for _, column, _ in granted} & set(SECRET)
        assert not {column for table, column, _ in granted if table == "traffic_message"} & set(OF_ALL_LEVELS)


def test_the_role_changes_nothing_logs_in_nowhere_and_the_product_passes_unchecked(full: World, records: str) -> None:
    with psycopg.connect(records, autocommit=True) as session:
        row = session.execute(
            "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'relais_reports'"
        ).fetchone()
        assert row == (False, False, False, False)
        owner = full.companies["owner"].pk
        for statement in (
            "INSERT INTO parties_company (name) VALUES ('x') RETURNING id",
            "UPDATE parties_company SET name = 'x' RETURNING id",
            "DELETE FROM traffic_edr RETURNING level",
            "SELECT body, reserved_micros FROM traffic_message",
            "SELECT password FROM people_user",
            "SELECT audit_forget() WHERE EXISTS (SELECT * FROM audit_seal)",
            "CREATE TABLE x AS SELECT 1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_reports(session, owner, statement)
        active = "SELECT row_security_active('traffic_message'), row_security_active('agreements_balance')"
        assert session.execute(active).fetchone() == (False, False)
        assert as_reports(session, owner, active) == [(True, True)]
        plan = "\n".join(row[0] for row in session.execute("EXPLAIN SELECT * FROM agreements_balance"))
        assert "SubPlan" not in plan and "Filter" not in plan


def test_RSL_52_a_chain_of_any_depth_shows_each_level_its_own_and_the_one_below(records: str) -> None:
    """Owner → first → second → third → last, who sends: four levels are charged."""
    from tests.records import test_visibility as chains

    from relais.records.agreements.models import Agreement
    from relais.records.parties.models import Company, LegalEntity
    from relais.records.people.models import ApiKey, User
    from relais.records.traffic.models import Edr, Message
    from relais.records.visibility import visible

    names = ["owner", "first", "second", "third", "last"]
    parents = dict(zip(names[1:], names, strict=False))
    deep = World({"owner": Company.objects.get(parent=None)}, {}, {})
    for name, parent in parents.items():
        deep.companies[name] = Company.objects.create(name=name, parent=deep.companies[parent], type="reseller")
    for name in names:
        deep.users[name] = new_user(deep.companies[name], login=name, interface="backoffice")
        make_assets(deep, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "PARENTS", parents)
        for name in parents:
            make_business(deep, name)
    note(deep, User, {name: user.pk for name, user in deep.users.items()})
    agreements = {name: deep.rows[Agreement][name] for name in reversed(names[1:])}
    message_id = put_traffic(deep.companies["last"], agreements)
    below = dict(zip(names, [*names[1:], ""], strict=True))
    levels = {agreement: level for level, agreement in enumerate(agreements.values())}
    with psycopg.connect(records, autocommit=True) as session:
        for name in names:
            own = {name, below[name]} - {""}
            for model in (LegalEntity, ApiKey, User):
                keys = {deep.rows[model][each] for each in own}
                assert set(visible(model, deep.users[name]).values_list("pk", flat=True)) == keys, (name, model)
            bought_and_sold = {deep.rows[Agreement][each] for each in own - {"owner"}}
            charged = visible(Edr, deep.users[name]).values_list("agreement", flat=True)
            assert set(charged) == bought_and_sold, name
            asks = deep.companies[name].pk
            query = "SELECT level, agreement_id, net_micros FROM traffic_edr"
            assert set(as_reports(session, asks, query)) == {(levels[each], each, EUR) for each in bought_and_sold}
            messages = [message_id] if name in ("third", "last") else []
            assert list(visible(Message, deep.users[name]).values_list("pk", flat=True)) == messages, name
            assert as_reports(session, asks, "SELECT id FROM traffic_message") == [(each,) for each in messages]


def test_a_migration_lets_reports_read_its_table_in_one_line(world: World, records: str) -> None:
    from django.db import connection
    from django.db.migrations.state import ProjectState

    from relais.records.reports_role import let_reports_read

    operation = let_reports_read("fruit", "company_id IN (SELECT id FROM parties_company)", "pin")
    query = "SELECT code FROM fruit"
    client = world.companies["client"].pk
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE fruit (code text PRIMARY KEY, company_id bigint, pin text)")
        cursor.execute("INSERT INTO fruit SELECT name, id, '1' FROM parties_company")
    with connection.schema_editor() as editor:
        operation.database_forwards("traffic", editor, ProjectState(), ProjectState())
    with psycopg.connect(records, autocommit=True) as session:
        assert as_reports(session, client, query) == [("client",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_reports(session, client, "SELECT pin FROM fruit")
        assert session.execute("SELECT reports_role()").fetchone() == (True,)
        assert as_reports(session, client, query) == [("client",)]
    with connection.schema_editor() as editor:
        operation.database_backwards("traffic", editor, ProjectState(), ProjectState())
    with psycopg.connect(records, autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM pg_policies WHERE tablename = 'fruit'").fetchone() == (0,)
