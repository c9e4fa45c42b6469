"""Who may do what to whose (GEN-62): every URL of both sites, by what the person may and by whose the record is.

The URLs come from the site, so a new page is in the matrix without a line here; one whose permission or whose owner cannot
be told fails. A denial says nothing about the record and changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.pages.conformance import SCRIPTED, World, by_session, entity_names, user_of

OURS = "Hornes and Hooves"  # the company of the person
RELATIONS = {  # whose a record is, seen from there → the companies' names
    "own": (OURS,),
    "child": ("Telecom Monsters", "Sub of Hornes"),
    "grandchild": ("Client of the sub",),
    "parent": ("System owner",),
    "sibling": ("Strange Reseller",),
    "stranger": ("Strange Client",),
}
NAME_TOLD_MIN = 7  # a shorter name may stand on a page by chance
NEVER = ("grandchild", "parent", "sibling", "stranger")
SEEN_ABOVE = {"banks"}  # what a level above shares (ruling 22)
PATHS = ("company", "agreement__company", "legal_entity__company", "service__company", "message__company")
OF_ITS_OWN = {"companies": "pk"}  # a company is its own
OF_THE_TENANT = {"mnp-connections"}  # which nobody else knows of
SHARED = {
    "countries",
    "networks",
    "network-codes",
    "number-prefixes",
    "sender-rules",
}  # nobody's: looked at by all, changed by the System owner
LEVELS = ("anonymous", "none", "view", "manage", "no restrictions")
FOR_EVERYBODY = {
    "home",
    "log-in",
    "log-in-code",
    "log-in-password",
    "log-out",
    "reset",
    "reset-link",
    "generated-password",
    "documentation",
    "theme",
    "find",
}  # pages that are nobody's alone and show what each may see
VERBS = {  # the URL's suffix → (level it takes, methods, whether it is about one record)
    "list": ("view", ("GET",), False),
    "tabs": ("view", ("GET",), False),
    "csv": ("view", ("GET",), False),
    "columns": ("view", ("POST",), False),
    "filters": ("view", ("POST",), False),
    "filter-delete": ("view", ("POST",), False),
    "new": ("manage", ("GET", "POST"), False),
    "bulk": ("manage", ("POST",), False),
    "view": ("view", ("GET",), True),
    "edit": ("manage", ("GET", "POST"), True),
    "delete": ("manage", ("GET", "POST"), True),
    "do": ("manage", ("GET", "POST"), True),
}
BELOW = Path(__file__).with_name("matrix.yaml")


@dataclass(frozen=True)
class Side:
    """A site: its package, who of our company walks through it, and whose records are never shown there."""

    interface: str
    package: str
    walker: str
    never: tuple[str, ...]

    @property
    def urls(self) -> str:
        return f"relais.{self.package}.urls"

    @property
    def site(self) -> Any:
        from relais.backoffice.site import BACKOFFICE
        from relais.portal.site import PORTAL

        return next(site for site in (BACKOFFICE, PORTAL) if site.name == self.interface)

    def entity(self, name: str) -> Any:
        return self.site.entities[name]

    def url(self, name: str, *arguments: Any) -> str:
        from django.urls import reverse

        return reverse(name, self.urls, arguments)


SIDES = (
    Side("backoffice", "backoffice", "walker", NEVER),
    Side(
        "client_portal", "portal", "portal-walker", (*NEVER, "child")
    ),  # nobody's clients are any business of a client
)
EVERY = [(side, name) for side in SIDES for name in entity_names(side.package)]
each_side = pytest.mark.parametrize("side", SIDES, ids=lambda side: side.package)


@dataclass(frozen=True)
class Case:
    """A URL, the line and level it takes, and the record it is about, if any."""

    url: str
    line: str
    level: str
    methods: tuple[str, ...]
    record: Any = None
    relation: str = ""
    seen: bool = True  # whether the record is shown to the person's company at all
    kept: bool = True  # whether it is theirs to change


@pytest.fixture(scope="module")
def walked(world: World) -> World:
    """The world with a level below the reseller's client level, and a person who walks through it."""
    from relais.records.apply.run import apply_file

    apply_file(BELOW)
    return world


def owner_path(side: Side, name: str) -> str:
    """From a record of the entity to its company."""
    from django.core.exceptions import FieldError

    if name in OF_ITS_OWN:
        return OF_ITS_OWN[name]
    for path in PATHS:
        try:
            side.entity(name).model._default_manager.filter(**{f"{path}__isnull": False}).exists()
        except FieldError:
            continue
        return path
    raise AssertionError(f"whose a record of {name} is cannot be told: name the way in PATHS or OF_ITS_OWN")


def records_of(side: Side, name: str) -> Iterator[tuple[str, Any]]:
    """(relation, record): one of each company that has any."""
    from relais.records.parties.models import Company

    model = side.entity(name).model
    if name in SHARED | OF_THE_TENANT:
        yield "shared" if name in SHARED else "tenant", model._default_manager.order_by("pk").first()
        return
    path = owner_path(side, name)
    for relation, companies in RELATIONS.items():
        ids = list(Company.objects.filter(name__in=companies).values_list("pk", flat=True))
        record = model._default_manager.filter(**{f"{path}__in": ids}).order_by("-pk").first()
        if record is not None:
            yield relation, record


def cases_of(side: Side, name: str) -> Iterator[Case]:
    """All URLs of an entity, those about a record for a record of every relation."""
    from django.urls import NoReverseMatch

    declared = side.entity(name)
    keys = {"bulk": ["delete"], "filter-delete": [1]}
    for suffix, (level, methods, single) in VERBS.items():
        if single:
            continue
        try:
            url = side.url(f"{name}-{suffix}", *keys.get(suffix, []))
        except NoReverseMatch:
            continue
        there = {"filter-delete": False, "bulk": declared.deletes is not None}.get(suffix, True)
        yield Case(url, declared.line, level, methods, seen=there, kept=there)
    for relation, record in records_of(side, name):
        seen, kept = (_through_the_door(side, name, record, level) for level in ("view", "manage"))
        for suffix, (level, methods, single) in VERBS.items():
            if not single:
                continue
            for action in declared.actions if suffix == "do" else [None]:
                page = declared.own_page if suffix == "view" and declared.own_page else f"{name}-{suffix}"
                try:
                    url = side.url(page, record.pk, *([action.key] if action else []))
                except NoReverseMatch:
                    continue
                there = kept and (action is None or action.shown(record))
                yield Case(url, declared.line, level, methods, record, relation, seen, there)


def _through_the_door(side: Side, name: str, record: Any, level: str) -> bool:
    from django.test import RequestFactory

    from relais.pages.viewer import Viewer

    request = RequestFactory().get("/")
    request.user, request.session = user_of(side.walker), {}
    viewer, declared = Viewer(request), side.entity(name)
    own_page = declared.own_page and level == "view"
    rows = viewer.rows(declared.model) if own_page else declared.queryset(viewer, level)
    return rows.filter(pk=record.pk).exists()


@contextmanager
def person(side: Side, level: str, line: str) -> Iterator[Any]:
    """A client of somebody who may that much of the line, everything in Export and nothing else."""
    from tests.pages.minding import MindingClient

    from relais.records.people.models import User

    if level == "anonymous":
        yield MindingClient()
        return
    deviations = {"Export": "view"} | ({line: level} if level in ("view", "manage") else {})
    who = User.objects.filter(login=side.walker)
    who.update(no_restrictions=level == "no restrictions", deviations={} if level == "none" else deviations)
    yield by_session(side.walker)


def expected(case: Case, level: str) -> str:
    """ "log in", "forbidden", "nowhere" or "open"."""
    from relais.pages.viewer import SHARED_LINES, TENANT_LINES

    if level == "anonymous":
        return "log in"
    enough = level == "no restrictions" or LEVELS.index(level) >= LEVELS.index(case.level)
    if not enough or case.line in TENANT_LINES or (case.line in SHARED_LINES and case.level == "manage"):
        return "forbidden"
    if not (case.kept if case.level == "manage" else case.seen):
        return "nowhere"
    return "open"


def told(answer: Any) -> str:
    if answer.status_code == 302 and "/log-in/?next=" in answer.headers["Location"]:
        return "log in"
    return {401: "log in", 403: "forbidden", 404: "nowhere"}.get(answer.status_code, "open")


def last_line() -> Any:
    from relais.records.people.models import AuditLine

    return AuditLine.objects.order_by("-pk").values_list("pk", flat=True).first()


def asked(client: Any, case: Case, method: str) -> Any:
    """The answer; whatever it changed is taken back."""
    from django.db import transaction

    with transaction.atomic():
        answer = getattr(client, method.lower())(case.url, headers=SCRIPTED)
        if answer.streaming:
            list(answer.streaming_content)
        changed = last_line()
        transaction.set_rollback(True)
    return answer, changed


@pytest.mark.parametrize(("side", "name"), EVERY, ids=[f"{side.package}-{name}" for side, name in EVERY])
def test_every_url_of_an_entity_is_open_to_whom_it_should_be_and_to_nobody_else(
    side: Side, name: str, walked: World
) -> None:
    cases, wrong = list(cases_of(side, name)), []
    """Of payments too: View looks, Manage adds, confirms, withdraws and deletes (PAY-74)."""
    relations = {case.relation for case in cases if case.record is not None}
    assert relations, f"{name} has no record at all"
    for case in cases:
        if case.relation in side.never and not (case.relation == "parent" and name in SEEN_ABOVE):
            assert not (case.seen or case.kept), f"{case.url} of the {case.relation} is shown"
        if case.relation == "shared":
            assert case.seen and not case.kept
    for level in LEVELS:
        with person(side, level, side.entity(name).line) as client:
            before = last_line()
            for case in cases:
                want = expected(case, level)
                if want in ("log in", "forbidden") and case.relation in side.never and case.relation != "stranger":
                    continue  # refused before a record is looked for, so one of them stands for all
                if level == "no restrictions" and case.relation not in NEVER and case.methods == ("GET",):
                    continue  # what is looked at is the same with Manage
                if level in ("view", "manage") and case.relation in ("grandchild", "sibling"):
                    continue  # what No restrictions does not open, these do not either
                for method in case.methods:
                    answer, after = asked(client, case, method)
                    got = told(answer)
                    about = f"{level}, {case.relation}: {method} {case.url}"
                    if want != got and not (want == "nowhere" and answer.status_code == 405):
                        wrong.append(f"{about} is {got} ({answer.status_code}), not {want}")
                    if answer.status_code >= 500:
                        wrong.append(f"{about} breaks")
                    if want == "open":
                        continue
                    if after != before:
                        wrong.append(f"{about} is denied and changes something")
                    named = str(case.record) if case.record is not None and case.relation != "own" else ""
                    if len(named) >= NAME_TOLD_MIN and named in answer.content.decode():
                        wrong.append(f"{about} is denied and tells of {named}")
    assert not wrong, "\n".join(wrong)


@each_side
def test_every_url_of_a_site_is_in_the_matrix(side: Side, walked: World) -> None:
    """Screens take a permission line of their own; what is for everybody is named here."""
    from tests.pages.conformance import url_patterns

    of_entities = {f"{name}-{suffix}" for name in side.site.entities for suffix in VERBS}
    rest = {name for name, _ in url_patterns(side.urls)} - of_entities - set(side.site.screens)
    assert {name for name in rest if not name.startswith("account")} <= FOR_EVERYBODY


@each_side
def test_every_screen_is_open_with_its_line_and_to_nobody_without(side: Side, walked: World) -> None:
    from django.urls import NoReverseMatch

    from relais.pages.viewer import EVERYBODY

    own_pages = {each.own_page for each in side.site.entities.values()}
    wrong = []
    for screen in side.site.screens.values():
        if screen.name in own_pages:
            continue
        try:
            url = side.url(screen.name)
        except NoReverseMatch:  # about a record, and tried with one where it is made
            url = side.url("home") + screen.route.replace("<key:pk>", "999999").replace("<int:pk>", "999999")
        if "<" in url:
            continue
        for level in LEVELS:
            with person(side, level, screen.line) as client:
                got = told(client.get(url))
                enough = level == "no restrictions" or LEVELS.index(level) >= LEVELS.index(screen.level)
                enough = enough or screen.line == EVERYBODY
                shared = screen.line == "MCCMNC" and screen.level == "manage"
                want = "log in" if level == "anonymous" else "open" if enough and not shared else "forbidden"
                if got != want and not (want == "open" and "999999" in url and got == "nowhere"):
                    wrong.append(f"{level}: {url} is {got}, not {want}")
    assert not wrong, "\n".join(wrong)
