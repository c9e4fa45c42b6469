"""How a change of configuration reaches whoever listens."""

import psycopg
from tests.conftest import SECRET_KEY
from tests.records.conftest import NOW, Books


def test_a_transaction_leaves_one_row_a_table_and_one_notice_when_it_commits(records: str) -> None:
    with psycopg.connect(records, autocommit=True) as listener, psycopg.connect(records) as writer:
        listener.execute("LISTEN relais_config")
        seen = newest(listener)
        for name in ("a", "b"):
            writer.execute(
                "INSERT INTO parties_company (name, parent_id) SELECT %s, id FROM parties_company WHERE parent_id IS NULL",
                [name],
            )
        writer.execute("UPDATE catalog_country SET name = 'x'")
        assert newest(listener) == seen
        writer.commit()
        rows = listener.execute("SELECT table_name FROM config_change WHERE id > %s ORDER BY 1", [seen]).fetchall()
        assert rows == [("catalog_country",), ("parties_company",)]
        assert [notice.channel for notice in listener.notifies(timeout=5, stop_after=1)] == ["relais_config"]


def test_a_transaction_that_commits_later_has_the_higher_number_whenever_it_began(records: str) -> None:
    with psycopg.connect(records) as slow, psycopg.connect(records) as quick, psycopg.connect(records) as reader:
        reader.autocommit = True
        seen = newest(reader)
        slow.execute("UPDATE catalog_country SET name = 'slow' WHERE iso = 'ES'")
        quick.execute("UPDATE catalog_country SET name = 'quick' WHERE iso = 'FR'")
        quick.commit()
        after_quick = newest(reader)
        slow.commit()
        assert seen < after_quick < newest(reader)


def test_what_was_rolled_back_leaves_no_trace(records: str) -> None:
    with psycopg.connect(records) as writer:
        seen = newest(writer)
        writer.execute("UPDATE catalog_country SET name = 'x'")
        writer.rollback()
        assert newest(writer) == seen


def test_balances_ledger_and_payments_are_no_configuration(books: Books, records: str) -> None:
    from relais.records.agreements.models import LedgerKind
    from relais.records.agreements.posting import post

    with psycopg.connect(records, autocommit=True) as reader:
        seen = newest(reader)
        post(books.agreement.pk, LedgerKind.CORRECTION, 1, NOW)
        assert newest(reader) == seen


def test_a_vendors_password_is_sealed_and_read_without_django(spain: str) -> None:
    from relais.secretbox import SecretBox

    with psycopg.connect(spain) as reader:
        row = reader.execute("SELECT password_encrypted FROM connections_vendorsmppconnection").fetchone()
    assert row is not None
    assert "secret" not in row[0]
    assert SecretBox(SECRET_KEY).decrypt(row[0]) == "secret"


def newest(session: "psycopg.Connection[tuple[int]]") -> int:
    row = session.execute("SELECT coalesce(max(id), 0) FROM config_change").fetchone()
    assert row is not None
    return row[0]
