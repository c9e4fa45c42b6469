"""What SQL reports may read: rows by a condition in SQL, which says the same as the model's rule in `visibility`."""

from django.db import migrations


def let_reports_read(table: str, rule: str, *hidden_columns: str, in_portal: str | None = None) -> migrations.RunSQL:
    """The operation of a migration that lets the role of reports read rows of `table` for which `rule` holds; it depends on
    traffic 0004.

    `rule` is a condition on the row; in it `reports_company()` is the company that asks, and other tables show what that
    company may read of them: `company_id IN (SELECT id FROM parties_company)` is the company and its children. Secrets,
    and what is of other levels, are `hidden_columns`. In the Client portal there is no row without `in_portal`, a condition that
    must hold there as well; one with it depends on traffic 0011.
    """
    places = ", ".join(["%s"] * (2 + len(hidden_columns)))
    shown = [(f"SELECT reports_read({places})", [table, rule, *hidden_columns])]
    if in_portal is not None:
        shown.append(("SELECT reports_read_in_portal(%s, %s)", [table, in_portal]))
    return migrations.RunSQL(
        shown,
        reverse_sql=[
            f'DROP POLICY IF EXISTS portal ON "{table}"',
            f'DROP POLICY reports ON "{table}"',
            f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
            ("DELETE FROM reports_readable WHERE table_name = %s", [table]),
        ],
    )
