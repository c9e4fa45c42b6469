"""Controls of forms that Django and the kit do not have; their templates stand in templates/pages/widgets."""

from types import SimpleNamespace
from typing import Any

from django import forms

from relais.pages.forms import ReferenceField, ReferenceWidget

NEW = "new:"  # stands before a name that is sent instead of a key, see assets/js/choice.js


class GuidInput(forms.TextInput):
    """A UUID to type, with a button that makes one."""

    template_name = "pages/widgets/guid.html"

    def __init__(self) -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false", "maxlength": "36", "class": "mono"})


class SecretInput(forms.PasswordInput):
    """A text that is hidden until the button beside it is pressed; what is stored is never shown."""

    template_name = "pages/widgets/secret.html"


class ReferencesWidget(forms.SelectMultiple):
    """A select that holds the chosen records only and asks `options_url` for others as the user types."""

    template_name = "pages/widgets/references.html"

    def __init__(self) -> None:
        super().__init__()
        self.options_url = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = forms.Widget.get_context(self, name, None, attrs)
        keys = [key for key in value or [] if str(key).isdecimal()]
        chosen = self.choices.queryset.filter(pk__in=keys) if keys else []
        return context | {"chosen": chosen, "options_url": self.options_url}


class ReferencesField(ReferenceField, forms.ModelMultipleChoiceField):
    """Several records out of many."""

    widget = ReferencesWidget


class CreatableWidget(ReferenceWidget):
    """As of any reference, with "Create new" for a name that is typed and not found."""

    def __init__(self) -> None:
        super().__init__()
        self.attrs["data-create"] = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if typed := _name_of_new(value):
            context |= {"chosen": SimpleNamespace(pk=value), "chosen_text": typed}
        return context


class CreatableField(ReferenceField):
    """A record out of many, or a new one of which only the name is known: it is not stored yet, the form's `store` does that."""

    widget = CreatableWidget

    def to_python(self, value: Any) -> Any:
        typed = _name_of_new(value)
        return self.queryset.model(name=typed) if typed else super().to_python(value)


def _name_of_new(value: Any) -> str:
    return value.removeprefix(NEW).strip() if isinstance(value, str) and value.startswith(NEW) else ""
