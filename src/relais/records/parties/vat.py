"""The form of VAT numbers in the European Union (OLE-22). Whether a number was given out is not asked."""

import re

_FORMS = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "GR": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}",
    "SK": r"\d{10}",
}  # fmt: skip
_PREFIXES = {"GR": "EL"}


def is_vat_number(text: str, country: str) -> bool:
    """Whether `text` may be one of that ISO country, with or without the country's letters; blanks, dots and hyphens do
    not count. True for a blank text, and for any text outside the Union."""
    form = _FORMS.get(country)
    if not text or form is None:
        return True
    bare = re.sub(r"[ .-]", "", text).upper().removeprefix(_PREFIXES.get(country, country))
    return re.fullmatch(form, bare, re.ASCII) is not None
