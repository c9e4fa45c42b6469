"""Who did what: `audited` around whatever changes business records, `note` for what changes none.

The lines (which row, its old and new values) are written by triggers, in the transaction of the change, so a writer that
forgets `audited` is audited all the same: as the system, under the name of its program. A migration that makes a table of
business records attaches the trigger with `attach_audit`. Each action is sealed afterwards, by a job; what somebody alters then
shows in `relais verify` (decision 15).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address as address_of
from typing import Any

from django.db import connection, migrations, transaction

from relais.records.columns import NAME_LENGTH_MAX
from relais.records.parties.models import Company
from relais.records.parties.tree import system_owner
from relais.records.people.models import Actor, AuditAction, User

_within: ContextVar[bool] = ContextVar("relais_audited", default=False)


@contextmanager
def audited(
    action: str,
    *,
    user: User | None,
    ip_address: str | None,
    on_behalf_of: Company | None = None,
    actor: Actor | None = None,
) -> Iterator[None]:
    """One transaction, whose changes of rows become the lines of one action; nothing of either stays when it fails.

    Within another `audited` it joins that one, whose particulars hold; what a surrounding transaction changes before and
    after is not of this action. Without a change the action is kept all the same. `ip_address` is that of the client, as
    trusted proxies tell it. `actor` defaults to the user's, or to the system's without one.
    """
    if _within.get():
        with transaction.atomic():
            yield
        return
    with transaction.atomic():
        about = _particulars(action, user, ip_address, actor=actor)
        if on_behalf_of is not None:
            about["on_behalf_of_id"] = on_behalf_of.pk
        former = _asked("SELECT audit_begin(%s::jsonb)", json.dumps(about))
        token = _within.set(True)
        try:
            yield
        finally:
            _within.reset(token)
        if not connection.needs_rollback:
            _asked("SELECT audit_end(%s)", former)


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

    Whoever may see `company` reads it; that is the user's own unless given, and the System owner without either.
    """
    return AuditAction.objects.create(
        **_particulars(action, user, ip_address, user_name=user_name, company=company, actor=actor)
    )


def attach_audit(table: str, *secret_columns: str) -> migrations.RunSQL:
    """The operation of a migration that has each change of a row of `table` audited; it depends on people 0004.

    The values of `password`, `…_encrypted` and `…_hash` columns are never shown, nor are those of `secret_columns`.
    """
    places = ", ".join(["%s"] * (1 + len(secret_columns)))
    return migrations.RunSQL(
        [(f"SELECT audit_table({places})", [table, *secret_columns])],
        reverse_sql=f'DROP TRIGGER audit_row ON "{table}"',
    )


def _particulars(
    action: str,
    user: User | None,
    ip_address: str | None,
    *,
    user_name: str = "",
    company: Company | None = None,
    actor: Actor | None = None,
) -> dict[str, Any]:
    """Columns of the action; `company_id` is that of an action without lines."""
    if actor is None:
        actor = Actor.USER if user is not None or user_name else Actor.SYSTEM
    if company is None:
        company = user.company if user is not None else system_owner()
    name = f"{user.full_name} ({user.login})" if user is not None else user_name.replace("\0", "")
    return {
        "actor": actor.value,
        "user_id": user.pk if user is not None else None,
        "user_name": name[:NAME_LENGTH_MAX],
        "interface": user.interface if user is not None else "",
        "ip_address": _address(ip_address),
        "action": action[:NAME_LENGTH_MAX],
        "company_id": company.pk,
    }


def _address(told: str | None) -> str | None:
    """`told` where it is an address: what a proxy wrote must not keep a change from being made."""
    try:
        return str(address_of((told or "").partition("%")[0]))
    except ValueError:
        return None


def _asked(query: str, argument: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, [argument])
        return cursor.fetchone()[0]
