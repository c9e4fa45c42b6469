"""Who did what: `audited` around whatever changes business records, `note` for what changes none.

The lines (which row, its old and new values) are written by triggers, in the transaction of the change, so a writer that
forgets `audited` is audited all the same: as the system, under the name of its program. A migration that makes a table of
business records attaches the trigger with `attach_audit`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address as address_of

from django.db import connection, migrations, transaction

from relais.records.parties.models import Company
from relais.records.people.models import Actor, AuditAction, User

_open: ContextVar[AuditAction | None] = ContextVar("relais_audit_action", default=None)


@contextmanager
def audited(
    action: str,
    *,
    user: User | None,
    ip_address: str | None,
    on_behalf_of: Company | None = None,
    actor: Actor | None = None,
) -> Iterator[AuditAction]:
    """One transaction, whose changes of rows become the lines of one action; nothing of either stays when it fails.

    Within another `audited` it joins that one, whose particulars hold. `ip_address` is that of the client, as trusted
    proxies tell it. `actor` defaults to the user's, or to the system's without one.
    """
    joined = _open.get()
    if joined is not None:
        with transaction.atomic():
            yield joined
        return
    within = connection.in_atomic_block
    with transaction.atomic():
        former = _attached() if within else ""
        record = _written(action, user, ip_address, on_behalf_of=on_behalf_of, actor=actor)
        _attach(str(record.pk))
        token = _open.set(record)
        try:
            yield record
        finally:
            _open.reset(token)
        if within:  # what the surrounding transaction still changes is none of this action's
            _attach(former)


def note(
    action: str,
    *,
    user: User | None,
    ip_address: str | None,
    user_name: str = "",
    company: Company | None = None,
    actor: Actor | None = None,
) -> AuditAction:
    """An action without lines: a log-in, a failed one (`user_name` is what was typed), a log-out, an export.

    Whoever may see `company` reads it; that is the user's own unless given. Without either only the System owner does.
    """
    return _written(action, user, ip_address, user_name=user_name, company=company, actor=actor)


def attach_audit(table: str, *secret_columns: str) -> migrations.RunSQL:
    """The operation of a migration that has each change of a row of `table` audited; it depends on people 0004.

    The values of `password`, `…_encrypted` and `…_hash` columns are never shown, nor are those of `secret_columns`.
    """
    places = ", ".join(["%s"] * (1 + len(secret_columns)))
    return migrations.RunSQL(
        [(f"SELECT audit_table({places})", [table, *secret_columns])],
        reverse_sql=f'DROP TRIGGER audit_row ON "{table}"',
    )


def _written(
    action: str,
    user: User | None,
    ip_address: str | None,
    *,
    user_name: str = "",
    company: Company | None = None,
    on_behalf_of: Company | None = None,
    actor: Actor | None = None,
) -> AuditAction:
    if actor is None:
        actor = Actor.USER if user is not None or user_name else Actor.SYSTEM
    company_id = company.pk if company is not None else getattr(user, "company_id", None)
    name_length_max = AuditAction._meta.get_field("user_name").max_length
    return AuditAction.objects.create(
        actor=actor,
        user_id=getattr(user, "pk", None),
        user_name=(f"{user.full_name} ({user.login})" if user is not None else user_name.replace("\0", ""))[
            :name_length_max
        ],
        interface=getattr(user, "interface", ""),
        ip_address=_address(ip_address),
        action=action,
        on_behalf_of=on_behalf_of,
        company_id=company_id,
    )


def _address(told: str | None) -> str | None:
    """`told` where it is an address: what a proxy wrote must not keep a change from being made."""
    try:
        return str(address_of((told or "").partition("%")[0]))
    except ValueError:
        return None


def _attached() -> str:
    """Id of the action that changes of this transaction belong to, as text; "" while none was made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('relais.audit_action', true), '')")
        return cursor.fetchone()[0]


def _attach(action_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('relais.audit_action', %s, true)", [action_id])
