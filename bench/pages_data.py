"""Fills a database that has the Spain scenario with what lists are measured on: 1,000,000 messages of the last 30 days, two
million EDRs, 10,000 companies with agreements, sender IDs and API keys, and 50,000 audited actions.

    RELAIS_DATABASE_URL=… python -m bench.pages_data

Everything follows from its number, so that two runs make the same rows. Balances and ledger stay as they were: this is for
looking at, and `relais verify` does not hold on it.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

DAYS_COUNT = 30
OPEN_SHARE = 200  # one message in so many, the newest, is still open

_PARTITIONS = "SELECT traffic_ensure_partitions((%(start)s AT TIME ZONE 'UTC')::date, 3)"

# Of ten companies seven are clients of the reseller, two those of a reseller below it, one is the owner's.
_COMPANIES = """
    INSERT INTO parties_company (name, type, parent_id, creator_of_resellers)
    SELECT 'Andes Mensajes', 'reseller', id, true FROM parties_company WHERE name = 'Hornes and Hooves';
    INSERT INTO parties_legalentity (name, legal_company_name, country, company_id)
    SELECT 'Andes SL', 'Andes Mensajes SL', 'ES', id FROM parties_company WHERE name = 'Andes Mensajes';
    INSERT INTO agreements_agreement (agreement_code, agreement_date, currency, company_id, legal_entity_id, own_legal_entity_id)
    SELECT 'ANDES-1', '2025-01-01', 'EUR', c.id, b.id, s.id
    FROM parties_company AS c
    JOIN parties_legalentity AS b ON b.company_id = c.id
    JOIN parties_legalentity AS s ON s.name = 'HH Ltd'
    WHERE c.name = 'Andes Mensajes'
"""
_CLIENTS = """
    INSERT INTO parties_company (name, type, parent_id)
    SELECT (ARRAY['Acme', 'Boreal', 'Cierzo', 'Delta', 'Estrella', 'Faro'])[1 + n %% 6] || ' ' || lpad(n::text, 5, '0'),
           'client', p.id
    FROM generate_series(1, %(companies)s) AS n
    JOIN parties_company AS p
        ON p.name = CASE WHEN n %% 10 < 7 THEN 'Hornes and Hooves' WHEN n %% 10 < 9 THEN 'Andes Mensajes' ELSE 'System owner' END
"""
_MADE = "SELECT id, parent_id, right(name, 5)::integer AS n FROM parties_company WHERE name ~ '^[A-Z][a-z]+ [0-9]{5}$'"
_TABLE_OF_MADE = f"CREATE TEMPORARY TABLE made AS {_MADE}"
_LEGAL_ENTITIES = """
    INSERT INTO parties_legalentity (name, legal_company_name, country, is_default, company_id)
    SELECT 'LE ' || n, 'Legal entity ' || n || ' SL', (ARRAY['ES', 'PT', 'FR', 'DE'])[1 + n %% 4], true, id FROM made
"""
_AGREEMENTS = """
    INSERT INTO agreements_agreement (agreement_code, agreement_date, currency, company_id, legal_entity_id, own_legal_entity_id)
    SELECT 'A-' || m.n, date '2025-01-01' + m.n %% 365, 'EUR', m.id, b.id, s.id
    FROM made AS m
    JOIN parties_legalentity AS b ON b.company_id = m.id
    JOIN parties_company AS p ON p.id = m.parent_id
    JOIN parties_legalentity AS s ON s.company_id = p.id AND s.name IN ('HH Ltd', 'Andes SL', 'System owner LE')
"""
_VERSIONS = """
    INSERT INTO agreements_agreementversion
        (agreement_id, effective_from, credit_limit_micros, billing_timezone, billing_period, billing_day, days_for_payment)
    SELECT a.id, '2025-01-01', 500000000, 'Europe/Madrid', 'monthly', 1, 14
    FROM agreements_agreement AS a JOIN made AS m ON m.id = a.company_id
"""
_SENDERS = """
    INSERT INTO senders_senderid (channel, sender_id, name, status, vendor_type, agreement_id, company_id, smpp_connection_id)
    SELECT 'sms', 'Brand' || m.n, 'Brand ' || m.n, 'active', 'smpp', a.id, m.id,
           (SELECT min(id) FROM connections_vendorsmppconnection)
    FROM made AS m JOIN agreements_agreement AS a ON a.company_id = m.id
"""
_KEYS = """
    INSERT INTO people_apikey (name, key_hash, rights, company_id)
    SELECT 'key of ' || n, sha256(('page data ' || n)::bytea), 1, id FROM made
"""
# A company with its chain: agreements and rates from its own level up.
_TABLE_OF_CHAINS = """
    CREATE TEMPORARY TABLE chains AS
    SELECT m.n, m.id AS company_id, k.id AS api_key_id, s.id AS sender_id, s.sender_id AS source, s.smpp_connection_id,
           CASE WHEN p.name = 'System owner' THEN ARRAY[a.id]
                WHEN p.name = 'Hornes and Hooves' THEN ARRAY[a.id, hh.id]
                ELSE ARRAY[a.id, andes.id, hh.id] END AS agreement_ids
    FROM made AS m
    JOIN parties_company AS p ON p.id = m.parent_id
    JOIN agreements_agreement AS a ON a.company_id = m.id
    JOIN senders_senderid AS s ON s.company_id = m.id
    JOIN people_apikey AS k ON k.company_id = m.id
    JOIN agreements_agreement AS hh ON hh.agreement_code = 'HH-1'
    JOIN agreements_agreement AS andes ON andes.agreement_code = 'ANDES-1';
    CREATE UNIQUE INDEX ON chains (n);
    ANALYZE chains
"""
# `pick` is a number below a million that jumps about; the low companies send most.
_MESSAGES = """
    WITH rates AS (
        SELECT array_agg(id ORDER BY id) AS ids FROM catalog_ratenode WHERE price_micros IS NOT NULL
    ), networks AS (
        SELECT country_id, array_agg(id ORDER BY id) AS ids FROM catalog_network
        WHERE country_id IN ('ES', 'PT', 'FR', 'DE', 'IT') GROUP BY country_id
    ), numbered AS (
        SELECT n, %(start)s + %(step)s * n AS at, (n * 786433::bigint) %% 1000003 AS pick,
               n > %(messages)s - %(messages)s / %(open_share)s AS open
        FROM generate_series(1, %(messages)s) AS n
    ), placed AS (
        SELECT *, 1 + (power(pick / 1000004.0, 3) * %(companies)s)::integer %% %(companies)s AS chain,
               CASE WHEN pick %% 20 < 14 THEN 1 ELSE 2 + pick %% 4 END AS place
        FROM numbered
    )
    INSERT INTO traffic_message
        (id, company_id, api_key_id, sender_id, connection_id, network_id, send_at, final_at, validity_s, status, channel,
         encoding, segments_count, delivered_rules, country, source, destination, body, client_ref, callback_url, error,
         agreement_ids, node_ids, units, reserved_micros, tax_bp)
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(p.n), 15, '0'))::uuid,
           c.company_id, c.api_key_id, c.sender_id, c.smpp_connection_id, w.ids[1 + pick %% cardinality(w.ids)],
           CASE WHEN open AND pick %% 10 = 9 THEN now() + interval '7 days' END,
           CASE WHEN NOT open THEN at + interval '1 s' * (1 + pick %% 9) END, 172800,
           CASE WHEN open THEN 1 WHEN pick %% 100 < 94 THEN 10 WHEN pick %% 100 < 97 THEN 12 WHEN pick %% 100 < 98 THEN 13
                WHEN pick %% 100 < 99 THEN 14 ELSE 15 END,
           1, CASE WHEN pick %% 15 = 0 THEN 8 ELSE 0 END, 1, 0, w.country_id, c.source,
           CASE w.country_id WHEN 'ES' THEN '346' WHEN 'PT' THEN '3519' WHEN 'FR' THEN '336' WHEN 'DE' THEN '4915' ELSE '393' END
               || lpad(((p.n * 7919::bigint) %% 100000000)::text, 8, '0'),
           'Your order ' || p.n || ' has left our warehouse and will reach you between 10:00 and 14:00.',
           'order-' || p.n, NULL, CASE WHEN NOT open AND pick %% 100 >= 94 THEN 'UNDELIV 011' END,
           c.agreement_ids, r.ids[1:cardinality(c.agreement_ids)], array_fill(1, ARRAY[cardinality(c.agreement_ids)]),
           (ARRAY[40000, 35000, 30000])[1:cardinality(c.agreement_ids)]::bigint[], NULL
    FROM placed AS p
    JOIN chains AS c ON c.n = p.chain
    JOIN networks AS w ON w.country_id = (ARRAY['ES', 'PT', 'FR', 'DE', 'IT'])[p.place]
    CROSS JOIN rates AS r
    ORDER BY 1
"""
_IS_SENT = "(status BETWEEN 10 AND 14 OR status = 1 AND send_at IS NULL AND get_byte(uuid_send(id), 15) %% 3 > 0)"
_SENT = f"""
    INSERT INTO traffic_sent (message_id, connection_id, sent_at, part, vendor_id)
    SELECT id, connection_id, coalesce(final_at - interval '1 s', now()), 0, right(id::text, 8)
    FROM traffic_message WHERE {_IS_SENT} AND company_id IN (SELECT company_id FROM chains) ORDER BY id
"""
_EDRS = f"""
    INSERT INTO traffic_edr (message_id, agreement_id, node_id, net_micros, tax_micros, at, units, level, entry)
    SELECT m.id, t.agreement_id, t.node_id, CASE WHEN m.status = 15 THEN 0 ELSE t.micros END, 0,
           coalesce(m.final_at, now()), CASE WHEN m.status = 15 THEN 0 ELSE 1 END, t.n - 1,
           CASE WHEN m.status = 15 THEN 2 ELSE 1 END
    FROM traffic_message AS m
    CROSS JOIN LATERAL unnest(m.agreement_ids, m.node_ids, m.reserved_micros) WITH ORDINALITY
        AS t (agreement_id, node_id, micros, n)
    WHERE (m.status = 15 OR {_IS_SENT}) AND m.company_id IN (SELECT company_id FROM chains)
    ORDER BY m.id, t.n
"""
_AUDIT = """
    WITH actions AS (
        INSERT INTO people_auditaction (at, actor, user_name, interface, ip_address, action, company_id, user_id)
        SELECT %(start)s + (now() - %(start)s) * (n / %(audited)s::float), 'user', u.login, 'backoffice', '10.0.0.1',
               (ARRAY['Edit Company', 'Edit Agreement', 'Add Payment', 'Log in'])[1 + n %% 4], u.company_id, u.id
        FROM generate_series(1, %(audited)s) AS n
        JOIN people_user AS u ON u.login = CASE WHEN n %% 2 = 0 THEN 'owner' ELSE 'reseller' END
        RETURNING id, company_id
    )
    INSERT INTO people_auditline (action_id, table_name, operation, object_id, old, new, company_id)
    SELECT a.id, 'parties_company', 'update', m.id::text, '{"description": ""}',
           jsonb_build_object('description', 'Note ' || a.id), m.id
    FROM actions AS a JOIN made AS m ON m.n = 1 + a.id %% %(companies)s
"""
_STEPS = (
    ("partitions", _PARTITIONS), ("resellers", _COMPANIES), ("companies", _CLIENTS), ("", _TABLE_OF_MADE),
    ("legal entities", _LEGAL_ENTITIES), ("agreements", _AGREEMENTS), ("versions", _VERSIONS), ("sender IDs", _SENDERS),
    ("API keys", _KEYS), ("", _TABLE_OF_CHAINS), ("messages", _MESSAGES), ("sent parts", _SENT), ("EDRs", _EDRS),
    ("audited actions", _AUDIT),
)  # fmt: skip


def fill(
    dsn: str,
    *,
    messages_count: int = 1_000_000,
    companies_count: int = 10_000,
    audited_count: int = 50_000,
    tell: Callable[[str], Any] = print,
) -> None:
    """Makes the rows in one transaction, then vacuums and analyses. ValueError without the Spain scenario, or done already."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS_COUNT)
    values = {
        "start": start,
        "step": timedelta(days=DAYS_COUNT) / messages_count,
        "messages": messages_count,
        "companies": companies_count,
        "audited": audited_count,
        "open_share": OPEN_SHARE,
    }
    with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor) as session:
        session.execute("SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '256MB'")
        names = session.execute(
            "SELECT name FROM parties_company WHERE name IN ('Hornes and Hooves', 'Andes Mensajes')"
        )
        if [name for (name,) in names] != ["Hornes and Hooves"]:
            raise ValueError("page data go once into a database with the Spain scenario")
        for name, sql in _STEPS:
            began_s = time.monotonic()
            made = session.execute(sql, values)
            if name:
                tell(f"{name}: {made.rowcount} in {time.monotonic() - began_s:.1f} s")
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("VACUUM (ANALYZE)")


def main(arguments: Sequence[str]) -> int:
    if arguments or "RELAIS_DATABASE_URL" not in os.environ:
        print(__doc__, file=sys.stderr)
        return 2
    fill(os.environ["RELAIS_DATABASE_URL"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
