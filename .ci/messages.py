"""The catalogues of translations: `python .ci/messages.py` brings them up to date, `--check` says whether they are.

What is translated: texts marked in templates and Python; what entities and sites declare (labels of pages, columns, filters,
sections, help texts) and the reasons of verbs, both of which the page kit translates where it shows them. A catalogue keeps what
translators wrote; a text that is no longer there leaves it. Babel does the work, so no gettext has to be installed.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src" / "relais"
CATALOGUES = SOURCE / "pages" / "locale"
LANGUAGES = ("es", "de", "ru")
KEYWORDS = DEFAULT_KEYWORDS | {"gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2)}
# Functions that are told reasons → the first argument that is one.
REASONS = {
    "Invalid.of": 1,
    "Reason": 0,
    "require_fixed": 3,
    "require_owner": 2,
    "enable": 3,
    "_counted": 1,
    "_named": 1,
}
APPENDED = ("reasons.setdefault", "found.append")
Found = tuple[str | tuple[str, ...], str | None, str]  # the text or texts, its context, where it stands


def of_files() -> Iterator[Found]:
    """Texts marked in templates and Python."""
    for path in sorted([*SOURCE.rglob("*.html"), *SOURCE.rglob("*.py")]):
        text, place = path.read_text(encoding="utf-8"), path.relative_to(PROJECT).as_posix()
        if path.suffix == ".html":
            text = f"(\n{templatize(text)}\n)"  # in brackets the indentation of HTML means nothing to Python
        for _, function, texts, _ in extract_python(BytesIO(text.encode()), list(KEYWORDS), [], {}):
            spec = KEYWORDS[function]
            wanted = texts if isinstance(texts, tuple) else (texts,)
            if spec is not None and isinstance(spec[0], tuple):  # pgettext: the context, then the text
                yield wanted[1], wanted[0], place
            elif spec is not None and len(spec) > 1:
                yield wanted[:2], None, place
            elif isinstance(wanted[0], str):
                yield wanted[0], None, place


def declared() -> Iterator[Found]:
    """Labels of what the sites declare."""
    from relais.backoffice.site import BACKOFFICE
    from relais.portal.site import PORTAL

    for site, place in ((BACKOFFICE, "src/relais/backoffice"), (PORTAL, "src/relais/portal")):
        for text in filter(None, labels_of_site(site)):
            yield text, None, place


def reasons() -> Iterator[Found]:
    """Why verbs refuse: what `Invalid.of` and its like are told, what is put beside a field, and constraints' reasons. Those of
    `relais apply` are not shown in pages."""
    for path in sorted((SOURCE / "records").rglob("*.py")):
        if {"apply", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for told in (each for given in told_in(node) for each in getattr(given, "elts", [given])):
                if isinstance(told, ast.Constant) and isinstance(told.value, str):
                    yield told.value, None, path.relative_to(PROJECT).as_posix()


def told_in(node: ast.AST) -> list[ast.expr]:
    """Where in a statement or call reasons stand, one by one or as a tuple or list."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        is_appended = name.endswith(".append") and name.startswith(APPENDED)
        return node.args if is_appended else node.args[REASONS[name] :] if name in REASONS else []
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        return [node.value] if ast.unparse(node.targets[0].value) == "reasons" else []
    return []


def of_constraints() -> Iterator[Found]:
    from relais.records.constraints import REASONS as of_schema

    yield from ((text, None, "src/relais/records/constraints.py") for _, text in of_schema.values())


def of_rates() -> Iterator[Found]:
    """The words that rate trees are made of, without the values that dictionaries know."""
    from relais.backoffice.rate_values import spelt
    from relais.core.rating.catalogue import ATTRIBUTES
    from relais.core.rating.types import BillingRule, Domain, Parameter, QuantityRule, Resource, ScaleType

    keys = [str(each) for kind in (Domain, Resource, Parameter, BillingRule, QuantityRule, ScaleType) for each in kind]
    keys += [word for attribute in ATTRIBUTES.values() for word in attribute.words]
    yield from ((spelt(key), None, "src/relais/core/rating/types.py") for key in keys)


def labels_of_site(site: Any) -> list[str]:
    texts = [label for label, _ in (*site.groups, *site.setup)]
    texts += [screen.label for screen in site.screens.values()]
    for entity in site.entities.values():
        texts += [entity.label, entity.plural, *(each.label for each in (*entity.columns, *entity.filters))]
        texts += [entity.search_hint, entity.empty]
        texts += [text for section in entity.sections for text in (section.title, section.hint)]
        texts += [text for action in entity.actions for text in (action.label.rstrip("…"), action.confirm)]
        texts += [label for column in entity.columns for label in labels_of(column.kind)]
        forms = {entity.form, entity.form_of_new, *(action.form for action in entity.actions)} - {None}
        texts += [str(field.help_text) for form in forms for field in form.base_fields.values()]
    return texts


def labels_of(kind: Any) -> list[str]:
    """What a column of badges or choices shows, where it is written down: names of countries are rows, and no labels."""
    badges, choices = getattr(kind, "tones", {}), getattr(kind, "labels", {})
    found = [label for label, _ in badges.values()] if isinstance(badges, dict) else []
    return found + ([str(label) for label in choices.values()] if isinstance(choices, dict) else [])


def template() -> Catalog:
    """Every text, with the files it stands in."""
    catalogue = Catalog(charset="utf-8")
    for text, context, place in (*of_files(), *reasons(), *of_constraints(), *of_rates(), *declared()):
        catalogue.add(text, locations=[(place, 0)], context=context)
    return catalogue


def renewed(language: str, texts: Catalog) -> tuple[bytes, bytes]:
    """What the .po and the .mo file of the language have to be."""
    path = po_of(language)
    with path.open("rb") if path.exists() else BytesIO() as file:
        catalogue = read_po(file, locale=language)
    catalogue.update(texts, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment, catalogue.fuzzy = (
        f"# Relais, {catalogue.locale_identifier}: docs/howto/translate.md",
        False,
    )
    catalogue.project, catalogue.version = "Relais", "-"
    po, mo = BytesIO(), BytesIO()
    write_po(po, catalogue, width=120, sort_output=True, include_lineno=False)
    write_mo(mo, read_po(BytesIO(po.getvalue()), locale=language))  # as the file has it
    return po.getvalue(), mo.getvalue()


def po_of(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "django.po"


def main(*, check: bool) -> int:
    """The exit code."""
    from relais.records.django_settings import configure

    configure("postgresql://nobody@localhost/nothing", "k" * 32)  # no query is made
    texts, stale = template(), []
    for language in LANGUAGES:
        path = po_of(language)
        for file, wanted in zip((path, path.with_suffix(".mo")), renewed(language, texts), strict=True):
            if file.exists() and file.read_bytes() == wanted:
                continue
            stale.append(file.relative_to(PROJECT).as_posix())
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(wanted)
    for name in stale:
        print(f"{name} is not up to date. Run `make messages`." if check else f"{name} renewed")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
