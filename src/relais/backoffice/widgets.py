"""Controls of BackOffice forms that Django and the kit do not have; their templates stand in templates/backoffice/widgets."""

from django import forms


class GuidInput(forms.TextInput):
    """A UUID to type, with a button that makes one."""

    template_name = "backoffice/widgets/guid.html"

    def __init__(self) -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false", "maxlength": "36", "class": "mono"})
