"""Forms of records: a Django model form whose `store` is a business verb, and the fields that the kit adds to Django's.

A verb's `Invalid` becomes errors beside the fields; a reason for a column that is no field stands in the summary.
Reasons that are whole texts are shown in the page's language.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Model, QuerySet
from django.utils.choices import BaseChoiceIterator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_noop

from relais.pages.kinds import MICROS
from relais.pages.viewer import Viewer
from relais.pages.words import in_words
from relais.records.errors import WHOLE, Invalid
from relais.records.saving import save
from relais.records.zones import zone_names

FROM_EXPLAINED = gettext_noop("The first moment at which it holds.")
TILL_EXPLAINED = gettext_noop("The first moment at which it holds no longer. Left blank, it has no end: ∞.")
MONEY_MICROS_MAX = 10**15  # a thousand million units: beyond that it is a slip of the keyboard


F = TypeVar("F", bound=forms.Field)


def explained(field: F, words: str) -> F:
    """The field with a mark after its label that shows what it is about (GEN-51)."""
    field.explained = words  # type: ignore[attr-defined]  # for the template
    return field


class MoneyField(forms.DecimalField):
    """An amount typed with a point, blanks between thousands allowed; cleans to micros. `unit` stands inside the field."""

    def __init__(self, *, decimals: int = 6, unit: str = "", **options: Any) -> None:
        super().__init__(decimal_places=decimals, max_digits=18, **options)
        self.unit = unit
        self.widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "num"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = "".join(value.split())
        return super().to_python(value)

    def clean(self, value: Any) -> int | None:
        cleaned = super().clean(value)
        if cleaned is None:
            return None
        micros = int(cleaned * MICROS)
        if abs(micros) > MONEY_MICROS_MAX:
            raise forms.ValidationError("Is larger than any amount kept here. Check the number of digits.")
        return micros

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        exact = (Decimal(value) / MICROS).normalize()
        places = max(min(2, self.decimal_places or 0), -int(exact.as_tuple().exponent))
        return f"{exact:.{places}f}"

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return initial != self.clean(data)
        except forms.ValidationError:
            return True


class DayField(forms.DateField):
    """A date of its own, not an instant."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(
            {"placeholder": "dd.mm.yyyy", "autocomplete": "off", "class": "tnum"}, format="%d.%m.%Y"
        )
        super().__init__(input_formats=("%d.%m.%Y", "%Y-%m-%d"), widget=widget, **options)


class _Zones(BaseChoiceIterator):
    """IANA time zones with their offsets now; blank first."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(_zones_with_offsets(datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)))


@lru_cache(maxsize=2)
def _zones_with_offsets(hour: datetime) -> tuple[tuple[str, str], ...]:
    def offset(name: str) -> str:
        told = f"{hour.astimezone(ZoneInfo(name)):%z}"
        return f"{told[:3]}:{told[3:5]}"

    return ("", ""), *((name, f"{name} {offset(name)}") for name in sorted(zone_names()))


@lru_cache(maxsize=2)
def _zone_options(zones: tuple[tuple[str, str], ...]) -> str:
    return format_html_join("", '<option value="{}">{}</option>', zones)


class ZoneSelect(forms.Select):
    """Some six hundred options, written once and not for every form."""

    template_name = "pages/widgets/zone.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = forms.Widget.get_context(self, name, value, attrs)
        chosen = format_html('value="{}"', value or "")
        options = _zone_options(tuple(_Zones())).replace(chosen, f"{chosen} selected", 1)
        context["widget"]["options"] = SafeString(options)
        return context


class ZoneField(forms.ChoiceField):
    """An IANA time zone, shown with its offset now."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=_Zones(), widget=ZoneSelect, **options)

    def valid_value(self, value: Any) -> bool:
        return value in zone_names()


class ZonedWidget(forms.MultiWidget):
    """The instant as read on a clock of the zone beside it."""

    template_name = "pages/widgets/zoned.html"

    def __init__(self) -> None:
        instant = forms.TextInput(attrs={"placeholder": "dd.mm.yyyy, hh:mm:ss", "autocomplete": "off"})
        super().__init__([instant, ZoneSelect()])

    def decompress(self, value: Any) -> list[Any]:
        if value is None:
            return [None, None]
        instant, zone = value
        return [localtime(instant, ZoneInfo(zone)).strftime("%d.%m.%Y, %H:%M:%S") if instant else None, zone]


class ZonedField(forms.MultiValueField):
    """An instant and the zone it was meant in; cleans to (aware instant in UTC or None, zone name).

    A time that a clock change skips is refused; of one that comes twice the first is taken.
    """

    FORMATS = ("%d.%m.%Y, %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M", "%d.%m.%Y",
               "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")  # fmt: skip

    def __init__(self, *, required: bool = True, **options: Any) -> None:
        super().__init__(fields=[_Naive(required=False, input_formats=self.FORMATS), ZoneField(required=False)],
                         require_all_fields=False, required=required, widget=ZonedWidget(), **options)  # fmt: skip
        self.instant_required = required

    def prepare_value(self, value: Any) -> Any:
        """A stored instant as its widget shows it; what was sent is a list and stays as it is."""
        return self.widget.decompress(value) if isinstance(value, tuple) else value

    def compress(self, values: list[Any]) -> tuple[datetime | None, str]:
        naive, zone_name = [*values, None, None][:2]
        zone_name = zone_name or "Etc/UTC"
        if naive is None:
            if self.instant_required:
                raise forms.ValidationError(self.error_messages["required"])
            return None, zone_name
        zone = ZoneInfo(zone_name)
        aware = naive.replace(tzinfo=zone)
        if localtime(aware.astimezone(ZoneInfo("Etc/UTC")), zone).replace(tzinfo=None) != naive:
            raise forms.ValidationError(
                f"This time does not exist in {zone_name}: the clock skips it. Choose a later one."
            )
        return aware.astimezone(ZoneInfo("Etc/UTC")), zone_name


class _Naive(forms.DateTimeField):
    """What stands on the clock, not yet an instant."""

    def clean(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        for form in self.input_formats:
            try:
                return datetime.strptime(str(value).strip(), form)
            except ValueError:
                continue
        raise forms.ValidationError("Enter a date and time as dd.mm.yyyy, hh:mm:ss.")


class ReferenceWidget(forms.Select):
    """A select that holds the chosen record only and asks `options_url` for others as the user types."""

    template_name = "pages/widgets/reference.html"

    def __init__(self) -> None:
        super().__init__()
        self.options_url, self.preselects = "", False

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What no database takes as a key is no record's: a NUL becomes a character that stands for it."""
        sent = super().value_from_datadict(data, files, name)
        return sent.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(sent, str) else sent

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = forms.Widget.get_context(self, name, value, attrs)
        chosen = _record_of(self.choices.queryset, value)
        told = self.choices.field.label_from_instance(chosen) if chosen else ""
        own = {"options_url": self.options_url, "preselects": self.preselects}
        return context | {"chosen": chosen, "chosen_text": told} | own


def _record_of(rows: QuerySet[Any], key: Any) -> Any:
    """None for what can be no key: of most models a number, of some a code."""
    if isinstance(key, str) and "\0" in key:
        return None
    try:
        return rows.filter(pk=rows.model._meta.pk.to_python(key)).first() if key else None
    except forms.ValidationError:
        return None


class ReferenceField(forms.ModelChoiceField):
    """A record out of many. `rows(viewer, chosen)` gives what may be chosen, `chosen` being what other fields hold (by field
    name) of those named in `depends_on`: changing one of them clears this one, or chooses anew what `preselects` gives out of
    what may be chosen then (LE-26)."""

    widget = ReferenceWidget

    def __init__(
        self, rows: Any, *, depends_on: tuple[str, ...] = (), search: tuple[str, ...] = ("name",),
        preselects: Callable[[QuerySet[Any]], Any] | None = None, **options: Any
    ) -> None:  # fmt: skip
        super().__init__(queryset=None, **options)
        self.rows, self.depends_on, self.search, self.preselects = rows, depends_on, search, preselects

    def offer(self, viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Any]:
        """What may be chosen; nothing while a field it depends on is empty."""
        rows: QuerySet[Any] = self.rows(viewer, chosen)
        return rows if all(chosen.get(name) for name in self.depends_on) else rows.none()

    def preselected(self, viewer: Viewer, chosen: Mapping[str, Any]) -> Any:
        """The record that a new form begins with, None for none."""
        return self.preselects(self.offer(viewer, chosen)) if self.preselects else None

    def offer_only(self, rows: QuerySet[Any]) -> None:
        """From now on these, whatever other fields hold: what it depends on is fixed."""
        self.rows, self.depends_on, self.queryset = (lambda viewer, chosen: rows), (), rows


class RecordForm(forms.ModelForm):
    """The form of an entity's records. `fixed`: fields that cannot change once the record exists; they are shown as text."""

    fixed: ClassVar[tuple[str, ...]] = ()
    unchanged_since: datetime | None = None  # when the record looked at was last changed: for the verb, which locks it

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        self.viewer = viewer
        super().__init__(*args, **options)
        if self.instance.pk:
            for name in self.fixed:
                self.fields.pop(name, None)
        for name, field in sorted(self.fields.items(), key=lambda pair: bool(getattr(pair[1], "depends_on", ()))):
            if isinstance(field, ReferenceField):  # after those they depend on, which tell what can be a key
                chosen = {of: self.value_of(of) for of in field.depends_on}
                field.queryset = field.offer(viewer, chosen)
                field.widget.options_url, field.widget.preselects = f"?options={name}", field.preselects is not None
                if field.preselects and not self.instance.pk and not self.is_bound and not self.initial.get(name):
                    self.initial[name] = getattr(field.preselected(viewer, chosen), "pk", None)
            if isinstance(field, MoneyField) and name not in self.initial and hasattr(self.instance, f"{name}_micros"):
                self.initial[name] = getattr(self.instance, f"{name}_micros")
            if (
                isinstance(field, ZonedField)
                and name not in self.initial
                and hasattr(self.instance, f"{name}_timezone")
            ):
                self.initial[name] = (getattr(self.instance, name), getattr(self.instance, f"{name}_timezone"))

    def value_of(self, name: str) -> Any:
        """What a field holds now: as sent, else as stored."""
        if self.is_bound and name in self.fields:
            return self.held(name, self.data.get(self.add_prefix(name)))
        stored = self.initial.get(name, getattr(self.instance, f"{name}_id", getattr(self.instance, name, None)))
        if isinstance(stored, str):  # out of the address of a new record's form
            return self.held(name, stored)
        return stored.pk if isinstance(stored, Model) else stored

    def held(self, name: str, sent: str | None) -> str | None:
        """What a field would hold that was sent so; nothing where a reference was sent what can be no record's key."""
        field = self.fields.get(name)
        if sent is not None and "\0" in sent:
            return None
        if not isinstance(field, ReferenceField) or field.queryset is None:
            return sent or None
        try:
            field.queryset.model._meta.pk.to_python(sent)
        except forms.ValidationError:
            return None
        return sent or None

    def store(self) -> Model:
        """Give the cleaned record to its verb; `Invalid` when that refuses. Runs inside the audited transaction."""
        save(self.instance, unchanged_since=self.unchanged_since)
        return self.instance

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if isinstance(self.fields.get(name), MoneyField) and hasattr(self.instance, f"{name}_micros"):
                setattr(self.instance, f"{name}_micros", value)
            if isinstance(self.fields.get(name), ZonedField) and hasattr(self.instance, f"{name}_timezone"):
                instant, zone = value
                setattr(self.instance, name, instant)
                setattr(self.instance, f"{name}_timezone", zone)
        super()._post_clean()

    def _get_validation_exclusions(self) -> set[str]:
        """Every column: what one may hold, and whether it is taken, the verb says, in its own words and once."""
        return {field.name for field in self.instance._meta.get_fields()}


def tell(form: forms.BaseForm, invalid: Invalid) -> None:
    """Put a verb's reasons beside the fields they name."""
    for column, reasons in invalid.reasons.items():
        name = next(
            (n for n in (column, column.removesuffix("_micros"), column.removesuffix("_timezone")) if n in form.fields),
            None,
        )
        for reason in map(in_words, reasons):
            words = reason[:1].upper() + reason[1:]
            form.add_error(
                name, words if name or column == WHOLE else f"{column.replace('_', ' ').capitalize()}: {reason}"
            )


def told(invalid: Invalid) -> list[str]:
    """A verb's reasons in the page's language, for where there is no form to put them beside."""
    return [
        f"{column}: {reason}" if column else reason
        for column, reasons in invalid.reasons.items()
        for reason in map(in_words, reasons)
    ]
