"""What pages of sender ID fees share: their words, the line that says what rate was found, the question of the setup fee."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from relais.core.money import add_tax
from relais.core.rating.types import Rate
from relais.pages.kinds import amount
from relais.records.agreements.terms import version_at
from relais.records.catalog.models import Network, RateNode
from relais.records.senders.actions.fees import setup_fees_taken, setup_rate
from relais.records.senders.models import FeeKind, SenderId, SenderIdType

FEE_KINDS = {FeeKind.SETUP: gettext_noop("Setup fee"), FeeKind.USAGE: gettext_noop("Usage fee")}
FEE_TYPES = {
    SenderIdType.ALPHANUMERIC: gettext_noop("Alphanumeric"),
    SenderIdType.SHORT_CODE: gettext_noop("Short code"),
    SenderIdType.LONG_CODE: gettext_noop("Long code"),
}
MONEY_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class RateLine:
    """`text`: the amount and since when it holds; `found`: green or red (SID-26)."""

    text: str
    found: bool


def rate_line(rate: Rate | None, sender: SenderId) -> RateLine:
    if rate is None or sender.agreement is None:
        return RateLine(_("Rate not found"), False)
    since = RateNode.objects.values_list("scope__effective_from", flat=True).get(pk=rate.node_id)
    words = {
        "amount": f"{amount(rate.price_micros, MONEY_DECIMALS)} {sender.agreement.currency}",
        "since": f"{localtime(since):%d.%m.%Y %H:%M:%S}",
    }
    return RateLine(_("%(amount)s, Effective: %(since)s") % words, True)


def mno_choices() -> list[tuple[str, str]]:
    """Operators of the dictionary, blank first."""
    operators = Network.objects.exclude(operator="").order_by("operator").values_list("operator", flat=True).distinct()
    return [("", ""), *((name, name) for name in operators)]


class SetupFeeForm(forms.Form):
    """Says what the fee is before it is taken (SID-248): the first time it is sent, it asks."""

    sender_id_type = forms.ChoiceField(label="Sender ID type", choices=list(FEE_TYPES.items()))
    mno = forms.ChoiceField(label="MNO", required=False, choices=mno_choices)
    agreed = forms.BooleanField(label="Write it off", required=False)
    known_count = forms.IntegerField(required=False, widget=forms.HiddenInput)  # such fees that the question told of

    def __init__(self, data: Any = None, *, record: SenderId | None = None) -> None:
        super().__init__(data.dict() if isinstance(data, QueryDict) else data)
        self.record = record

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        sender = self.record
        if self.errors or sender is None or sender.agreement is None or cleaned.get("agreed"):
            return cleaned
        now = timezone.now()
        rate = setup_rate(sender, cleaned["sender_id_type"], cleaned["mno"], now)
        if rate is None:
            raise forms.ValidationError(_("Rate not found"))
        version = version_at(sender.agreement_id, now)
        gross_micros = rate.price_micros + add_tax(rate.price_micros, version.tax_bp if version else 0)
        words = {"amount": f"{amount(gross_micros, MONEY_DECIMALS)} {sender.agreement.currency}"}
        told = _("%(amount)s with tax are written off now. Tick to agree.") % words
        taken = list(setup_fees_taken(sender, cleaned["mno"]).order_by("charged_at"))
        self.data = self.data | {"known_count": len(taken)}  # so that a second click takes nothing twice
        if taken:
            last = taken[-1]
            told = (
                _("It was charged already on %(day)s.") % {"day": f"{localtime(last.charged_at):%d.%m.%Y}"} + " " + told
            )
        self.add_error("agreed", told)
        return cleaned
