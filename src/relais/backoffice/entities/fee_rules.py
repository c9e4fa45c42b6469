"""Periodic usage fees of sender IDs (SID-14, SID-17 to SID-27): how often, how long beforehand, and the rate that is found."""

from django import forms

from relais.backoffice.sender_fees import FEE_TYPES, mno_choices, rate_line
from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Choice, Day, Id, Instant, Kind, Name, Number, Reference
from relais.pages.viewer import MANAGE, Viewer
from relais.records.senders.actions.fees import delete_fee_rule, save_fee_rule, usage_rate
from relais.records.senders.models import FeeEvery, FeeRule, SenderId

EVERY = {FeeEvery.MONTH: "Month", FeeEvery.WEEK: "Week"}


class FeeRuleForm(RecordForm):
    fixed = ("sender",)

    sender = ReferenceField(
        lambda viewer, chosen: (
            viewer.rows(SenderId, MANAGE).filter(company__parent=viewer.company).order_by("sender_id", "pk")
        ),
        search=("sender_id", "company__name"),
        label="Sender ID",
    )
    effective_from = forms.DateField(label="Effective from", input_formats=("%d.%m.%Y", "%Y-%m-%d"),
                                     widget=forms.DateInput(format="%d.%m.%Y", attrs={"placeholder": "dd.mm.yyyy"}))  # fmt: skip
    effective_till = forms.DateField(label="Effective till", required=False, input_formats=("%d.%m.%Y", "%Y-%m-%d"),
                                     help_text="The last day; left blank, it has no end",
                                     widget=forms.DateInput(format="%d.%m.%Y", attrs={"placeholder": "dd.mm.yyyy"}))  # fmt: skip
    every = forms.ChoiceField(label="Charge every", choices=list(EVERY.items()))
    start_day = forms.IntegerField(
        label="Start day",
        initial=1,
        min_value=1,
        max_value=31,
        help_text="Of the month, or 1 Monday to 7 Sunday of the week",
    )
    days_beforehand = forms.IntegerField(label="Charge, day(s) beforehand", initial=1, min_value=0, max_value=31)
    retry_hours = forms.IntegerField(label="Retry every hour(s)", initial=1, min_value=1, max_value=168)
    max_retries = forms.IntegerField(label="Max retries", initial=3, min_value=0, max_value=50)
    sender_id_type = forms.ChoiceField(label="Sender ID type", choices=list(FEE_TYPES.items()))
    mno = forms.ChoiceField(
        label="MNO", required=False, choices=mno_choices, help_text="Left blank, the rate of Others applies"
    )

    class Meta:
        model = FeeRule
        fields = ("sender", "effective_from", "effective_till", "every", "start_day", "days_beforehand", "retry_hours",
                  "max_retries", "sender_id_type", "mno")  # fmt: skip

    def store(self) -> FeeRule:
        return save_fee_rule(self.instance, unchanged_since=self.unchanged_since)


def _blocks(rule: FeeRule, viewer: Viewer) -> list[Block]:
    line = rate_line(usage_rate(rule, viewer.now), rule.sender)
    return [Block("backoffice/fee_line.html", {"line": line}, before=True)]


FEE_RULES = Entity(
    name="fee-rules",
    model=FeeRule,
    label="Periodic fee rule",
    plural="Periodic fee rules",
    line="Sender IDs",
    tab_of="sender-ids",
    menu=Menu("Account management", 52),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("sender", "Sender ID", Name(), path="sender__sender_id", sort="sender__sender_id", phone="m1"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("every", "Charge every", Choice(EVERY), phone="m2"),
        Column("start_day", "Start day", Number()),
        Column("days_beforehand", "Days beforehand", Number()),
        Column("sender_id_type", "Sender ID type", Choice(FEE_TYPES)),
        Column("mno", "MNO", Kind()),
        Column("effective_from", "Effective from", Day(), phone="m4"),
        Column("effective_till", "Effective till", Day()),
        Column("retry_hours", "Retry every hour(s)", Number(), shown=False),
        Column("max_retries", "Max retries", Number(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("every", "Charge every", "choice", choices=list(EVERY.items())),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("effective_from", "Effective from", "day"),
    ),
    search=("sender__sender_id", "company__name", "mno"),
    search_hint="Sender ID, company or operator",
    sections=(
        Section("Rule", ("sender", "company", "effective_from", "effective_till")),
        Section("Period properties", ("every", "start_day", "days_beforehand")),
        Section("On failure", ("retry_hours", "max_retries")),
        Section("Sender ID properties", ("sender_id_type", "mno")),
    ),
    rows=lambda rows: rows.select_related("sender__agreement", "company"),
    form=FeeRuleForm,
    deletes=lambda rule, viewer: delete_fee_rule(rule.pk),
    blocks=_blocks,
    empty="A rule takes the usage fee of a sender ID each month or week. Enable a service with that fee on its agreement first.",
)
