"""Caps: how many messages, or how much money, an hour or a day may take."""

from typing import Any, ClassVar

from django import forms
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

from relais.backoffice.guard_words import DOING, DOING_CHOICES, LINE, PERIODS, TAB_OF, served
from relais.pages.choices import currency_choices
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import MoneyField, RecordForm, ReferenceField
from relais.pages.kinds import Badge, Choice, Code, Id, Instant, Kind, Money, Name, Number, Reference
from relais.records.catalog.models import Country
from relais.records.connections.models import ClientSmppConnection
from relais.records.guards.actions.save_guard import delete_guard, save_cap
from relais.records.guards.models import Cap
from relais.records.parties.models import Company
from relais.records.people.models import ApiKey

_USE = """guards_capuse AS u WHERE u.cap_id = guards_cap.id AND u.period_start = date_trunc(guards_cap.period, now(), 'UTC')"""
_USED_MESSAGES = f"coalesce((SELECT u.messages FROM {_USE}), 0)"
_USED_MICROS = f"CASE WHEN guards_cap.currency <> '' THEN coalesce((SELECT u.micros FROM {_USE}), 0) END"


class CapForm(RecordForm):
    fixed = ("client", "period", "currency")

    client = ReferenceField(served, label="Company", help_text="With everybody below it")
    api_key = ReferenceField(
        lambda viewer, chosen: viewer.rows(ApiKey).filter(company=chosen["client"]), depends_on=("client",),
        label="API key", required=False, help_text="Left blank: whatever it sends with",
    )  # fmt: skip
    client_connection = ReferenceField(
        lambda viewer, chosen: viewer.rows(ClientSmppConnection).filter(company=chosen["client"]), depends_on=("client",),
        label="SMPP connection", required=False, help_text="Or what it sends over this one",
    )  # fmt: skip
    country = ReferenceField(
        lambda viewer, chosen: viewer.rows(Country), required=False, help_text="Left blank: all countries"
    )
    period = forms.ChoiceField(choices=list(PERIODS.items()), help_text="Begins on the hour, or at midnight, in UTC")
    spend_max = MoneyField(
        label="Spend at most", required=False, help_text="What the company is to pay for it, with tax"
    )
    currency = forms.ChoiceField(
        choices=currency_choices, required=False, help_text="Of the spend, and of the agreements it is counted of"
    )
    doing = forms.ChoiceField(choices=DOING_CHOICES, label="Above the limit")

    class Meta:
        model = Cap
        fields = (
            "client", "api_key", "client_connection", "country", "prefix", "period", "messages_max", "currency", "doing", "note",
        )  # fmt: skip
        labels: ClassVar = {"messages_max": "Messages at most"}
        help_texts: ClassVar = {"prefix": "First digits of the number, country code first",
                      "messages_max": "Blank: any number", "note": "Why, for colleagues"}  # fmt: skip

    def store(self) -> Cap:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_cap(self.instance, unchanged_since=self.unchanged_since)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("client", "api_key", "client_connection", "country").annotate(
        used_messages=RawSQL(_USED_MESSAGES, [], output_field=BigIntegerField()),
        used_micros=RawSQL(_USED_MICROS, [], output_field=BigIntegerField()),
    )


CAPS = Entity(
    name="caps",
    model=Cap,
    label="Cap",
    plural="Caps",
    line=LINE,
    tab_of=TAB_OF,
    menu=Menu("Traffic", 36),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("client", "Company", Name(), path="client", sort="client__name", phone="m1"),
        Column("api_key", "API key", Reference("api-keys"), sort="api_key__name"),
        Column(
            "client_connection", "SMPP connection", Reference("client-smpp-connections"), sort="client_connection__name"
        ),
        Column("country", "Country", Kind(), sort="country__name"),
        Column("prefix", "Prefix", Code()),
        Column("period", "Period", Choice(PERIODS), phone="m3"),
        Column("messages_max", "Messages at most", Number()),
        Column("used_messages", "Messages now", Number(), phone="m2"),
        Column("spend_max", "Spend at most", Money("currency"), path="spend_max_micros"),
        Column("used_micros", "Spend now", Money("currency")),
        Column("currency", "Currency", Kind(), shown=False),
        Column("doing", "Above the limit", Badge(DOING), phone="m4"),
        Column("note", "Note", Kind(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("client", "Company", "reference", of=Company),
        Filter("period", "Period", "choice", choices=list(PERIODS.items())),
        Filter("doing", "Above the limit", "choice", choices=DOING_CHOICES),
        Filter("prefix", "Prefix"),
    ),
    search=("client__name", "note"),
    search_hint="Company or note",
    sections=(
        Section("Of which messages", ("client", "api_key", "client_connection", "country", "prefix")),
        Section(
            "Limit",
            ("period", "messages_max", "used_messages", "spend_max", "currency", "used_micros", "doing", "note"),
            hint="Exact over all gateways. Spend counts what is reserved at acceptance; what is released later is not given back",
        ),
    ),
    rows=_rows,
    form=CapForm,
    deletes=lambda cap, viewer: delete_guard(Cap, cap.pk),
    empty="A cap ends an hour or day of a company, key, SMPP account, country or prefix after so many messages or so much money.",
)
