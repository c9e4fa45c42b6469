"""Tags of the kit: bundled files by name, icons of the sprite, URLs of an entity, the link of a row."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.http import QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from relais.pages.addresses import address
from relais.pages.words import in_words

register = template.Library()
ABOUT = (
    "counted", "depends_on", "explained", "max_length", "place", "required", "required_when", "show_when", "unit",
)  # fmt: skip
BUNDLES = Path(__file__).parent.parent / "static" / "relais"


@register.simple_tag
@cache
def asset(name: str) -> str:
    """URL of a bundled file; `name` may stop before the digest that letters carry. It changes when the content does."""
    bundles = json.loads((BUNDLES / "assets.json").read_text(encoding="utf-8"))["bundles"]
    found = name if name in bundles else next(each for each in sorted(bundles) if each.startswith(f"{name}-"))
    digest = "" if found.endswith(".woff2") else f"?v={bundles[found]['sha256'][:12]}"  # letters carry it in their name
    return f"{static(f'relais/{found}')}{digest}"


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """An icon named in assets/icons.txt, in the colour of the text; never the only word for what it means."""
    return format_html(
        '<svg class="ti {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, asset("icons.svg"), name
    )


@register.simple_tag
def entity_url(entity: Any, suffix: str, *arguments: Any) -> str:
    name = f"{entity.name}-{suffix}"
    return reverse(name, args=arguments) if arguments else address(name)


@register.simple_tag(takes_context=True)
def tabs_beside(context: Any, entity: Any) -> Any:
    """Lists that are tabs of one page with the entity's own."""
    request = context["request"]
    return request.site.tabs_beside(entity, request.viewer)


@register.filter
def translated(label: str) -> str:
    """What an entity or its site declares, in the page's language; the dots of "Set status…" stay."""
    return gettext(label.removesuffix("…")) + "…" * label.endswith("…")


register.filter("in_words", in_words)


@register.filter
def in_sentence(words: str) -> str:
    """In the page's language; "Bank accounts" → "bank accounts", but "SMS sender IDs" and "BackOffice users" as they are, and
    German nouns, too."""
    told = gettext(words)
    first = told.partition(" ")[0]
    kept = first[1:] != first[1:].lower() or get_language() == "de"
    return told if kept else told[:1].lower() + told[1:]


@register.filter
def linked_cells(row: Any) -> Iterator[tuple[Any, bool]]:
    """The row's cells, each with whether it carries the link to the record: the name does, else the first cell."""
    cells = row.cells
    place = next((index for index, cell in enumerate(cells) if cell.is_name), 0)
    return ((cell, index == place) for index, cell in enumerate(cells))


@register.filter
def kept(query: QueryDict, names: str) -> Iterator[tuple[str, str]]:
    """The query's (name, value) pairs with one of `names` ("q sort"), or, where it begins with "-", with any other."""
    listed = set(names.removeprefix("-").split())
    return (
        (name, value) for name, values in query.lists() for value in values if (name in listed) != names.startswith("-")
    )


@register.filter
def wrong_fields(form: Any) -> list[Any]:
    """The fields with errors, in the form's order."""
    return [field for field in form if field.errors]


@register.filter
def about(field: Any) -> dict[str, Any]:
    """What a field of ours says beyond Django's, with nothing where it says nothing: a template that asks for what an object
    has not takes twenty times as long to find out."""
    return {name: getattr(field.field, name, None) for name in ABOUT}


@register.filter
def options(choices: list[Any]) -> SafeString:
    """What is in a `select`, in Django's markup: there are hundreds of countries and time zones, and a template takes its time
    over each."""
    return mark_safe("".join(_options(group, within) for group, within, _ in choices))


def _options(group: Any, choices: list[dict[str, Any]]) -> str:
    told = (f'\n<option value="{_value(each)}"{_attributes(each)}>{_label(each)}</option>' for each in choices)
    inside = "".join(told)
    return f'<optgroup label="{conditional_escape(group)}">{inside}</optgroup>' if group else inside


@register.filter
def boxes(choices: list[Any]) -> SafeString:
    """The same for a choice of several: a box before each label."""
    return mark_safe("".join(_boxes(group, within) for group, within, _ in choices))


def _boxes(group: Any, choices: list[dict[str, Any]]) -> str:
    inside = "".join(map(_box, choices))
    return f"<div><label>{conditional_escape(group)}</label>{inside}</div>" if group else inside


def _box(choice: dict[str, Any]) -> str:
    place, value = choice["attrs"].get("id"), choice["value"]
    about = f' for="{conditional_escape(place)}"' if place else ""
    told = f' value="{_value(choice)}"' if value is not None else ""
    box = f'<input type="{choice["type"]}" name="{conditional_escape(choice["name"])}"{told}{_attributes(choice)}>'
    return f"\n<div><label{about}>{box} {_label(choice)}</label></div>"


def _value(choice: dict[str, Any]) -> str:
    return conditional_escape(choice["value"])


def _label(choice: dict[str, Any]) -> str:
    return conditional_escape(localize(choice["label"]))


def _attributes(choice: dict[str, Any]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"'
        for name, value in choice["attrs"].items()
        if value is not False
    )


@register.filter
def filter_fields(form: Any) -> list[Any]:
    """The fields of a filter form, with ids of their own: the form in the drawer may have fields of the same names."""
    form.auto_id = "filter_%s"
    return list(form)


@register.filter
def verb(label: str) -> str:
    """What a button that does it says: "Set status…" opens a dialog, "Set status" in it is the deed."""
    return gettext(label.rstrip("…"))
