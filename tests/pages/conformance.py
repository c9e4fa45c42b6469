"""Entities of the BackOffice for parametrized tests, the world they are tried in, and how the tests read what pages show.

Declarations need Django's models, and those need a configured Django: the names are read from the modules' folder, and the
declarations only inside a test.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.pages.samples import Sample, sample_of

SOURCE = Path(__file__).resolve().parents[2] / "src" / "relais"
DECLARED = re.compile(r"^\s+name=\"([a-z0-9-]+)\",$", re.MULTILINE)
SCRIPTED = {"HX-Request": "true", "HX-Target": "drawer"}  # as the page's own script asks
RECORDS_COUNT = 2  # of every entity with a form, made by whoever keeps it
STRANGER, NEWCOMER = "stranger", "newcomer"


def entity_names(package: str = "backoffice") -> list[str]:
    """Of every entity that a site's package declares, in the order of the files."""
    files = sorted((SOURCE / package / "entities").glob("*.py"))
    return [name for path in files for name in DECLARED.findall(path.read_text(encoding="utf-8"))]


def entity(name: str) -> Any:
    from relais.backoffice.site import BACKOFFICE

    return BACKOFFICE.entities[name]


def url_of(name: str, key: Any, verb: str = "view") -> str:
    from relais.pages.lists import record_url

    return record_url(entity(name), key, verb)


def user_of(login: str) -> Any:
    from relais.records.people.models import User

    return User.objects.select_related("company").get(login=login)


def by_session(login: str) -> Any:
    """A client of that person's browser, logged in without typing a password."""
    return entered(user_of(login))


def entered(user: Any) -> Any:
    """The same for a user: the session is shown to both sites, so that it is the interface that keeps a person out."""
    from tests.pages.minding import MindingClient

    client = MindingClient()
    client.force_login(user)
    client.cookies["relais_portal_session"] = client.cookies["relais_session"].value
    return client


def rows_of(name: str, login: str, level: str = "view") -> Any:
    """The entity's rows through the one door, for that user."""
    from django.test import RequestFactory

    from relais.pages.viewer import Viewer

    request = RequestFactory().get("/")
    request.user, request.session = user_of(login), {}
    return entity(name).queryset(Viewer(request), level)


@dataclass
class World:
    """One database with two branches in it. `own`: keys of records made by whoever keeps the entity (`keeper`);
    `strange`: a record of the other branch, which the reseller must never meet, where such a thing can be."""

    clients: dict[str, Any] = field(default_factory=dict)
    own: dict[str, list[Any]] = field(default_factory=dict)
    strange: dict[str, Any] = field(default_factory=dict)

    def client(self, login: str) -> Any:
        if login not in self.clients:
            self.clients[login] = by_session(login)
        return self.clients[login]

    def keeper(self, name: str) -> Any:
        return self.client(keeper_of(name))

    def make(self, name: str, login: str = "", **changes: Any) -> Any:
        """A record added through its form by that user or the keeper; its key."""
        login = login or keeper_of(name)
        sent = of_form(name).new(user_of(login).company) | changes
        return made(self.client(login).post(f"/bo/{name}/new/", sent, headers=SCRIPTED))

    def fill(self) -> None:
        """Records of everything that has a form, by both branches; a message of each."""
        from tests.pages.strangers import make_stranger, put_fees, put_guarded, put_traffic, use_mnp_connection

        make_stranger()
        for name in entity_names():
            if is_added(name):
                self.own[name] = [self.make(name) for _ in range(RECORDS_COUNT)]
                if not is_shared(name) and reader_of(name) != "owner":
                    self.strange[name] = self.make(name, STRANGER)
        use_mnp_connection(self.own["mnp-connections"][0])
        put_traffic()
        put_fees()
        put_guarded()
        for name in (
            "messages",
            "edrs",
            "audit",
            "handed-down-sender-ids",
            "sender-fees",
            "webhook-deliveries",
            "incoming-messages",
            "guard-rails",
            "traffic-notices",
        ):
            theirs = set(rows_of(name, STRANGER).values_list("pk", flat=True))
            self.strange[name] = next(iter(theirs - set(rows_of(name, "reseller").values_list("pk", flat=True))))

    def reader(self, name: str) -> Any:
        return self.client(reader_of(name))

    def line_of(self, action: Any, name: str, key: Any, answer: Any) -> Any:
        """What the audit says of an action: the change of the record, or the record that it made."""
        if action.key in of_form(name).silent:
            from relais.records.people.models import AuditAction

            return SimpleNamespace(action=AuditAction.objects.latest("pk"))
        if not action.makes:
            return audited(name, key, "update")
        found = re.search(r"/bo/[a-z-]+/([^/\"]+)/", answer.headers["HX-Trigger"])
        assert found, answer.headers
        return audited(name, found.group(1), "insert")


def is_added(name: str) -> bool:
    return (entity(name).form_of_new or entity(name).form) is not None


def keeper_of(name: str) -> str:
    """The login of who adds and edits such records."""
    sample = sample_of(name)
    return sample.who if sample else "reseller"


def reader_of(name: str) -> str:
    """The login of who looks at the list: the reseller, unless the System owner is alone in knowing of such records."""
    sample = sample_of(name)
    return "owner" if sample and sample.alone else "reseller"


def is_shared(name: str) -> bool:
    """Whether all companies look at the same records, which the System owner keeps."""
    return keeper_of(name) == "owner" != reader_of(name)


def of_form(name: str) -> Sample:
    sample = sample_of(name)
    assert sample is not None, (
        f"{name} has a form: tests/pages/samples/{name.replace('-', '_')}.py must hold its SAMPLE"
    )
    return sample


def made(answer: Any) -> Any:
    """The key of the record that the answer to a form says is stored."""
    assert answer.status_code in (204, 302), errors_of(answer)
    told = answer.headers["HX-Trigger"] if answer.status_code == 204 else f'"{answer.headers["Location"]}"'
    found = re.search(r'/bo/[a-z-]+/([^/"]+)/"', told)
    assert found, told
    return found.group(1)


def errors_of(answer: Any) -> str:
    """What a form that came back says is wrong, for a failing test's message."""
    form = answer.context and answer.context.get("drawer") and getattr(answer.context["drawer"], "form", None)
    return f"{answer.status_code}: {form.errors.get_json_data() if form else answer.content.decode()[:2000]}"


def audited(name: str, key: Any, operation: str) -> Any:
    """The newest line of the audit about that change of a record."""
    from relais.records.people.models import AuditLine

    table = entity(name).model._meta.db_table
    lines = AuditLine.objects.filter(table=table, object_id=str(key), operation=operation)
    assert lines, f"no audit of {operation} {table} {key}"
    return lines.latest("pk")


def filled(answer: Any) -> dict[str, Any]:
    """The fields of a form as the page shows them, ready to be sent back."""
    drawer = answer.context["drawer"]
    sent: dict[str, Any] = {"unchanged_since": drawer.stamp}
    for each in drawer.form:
        value = each.value()
        widget = each.field.widget
        if hasattr(widget, "decompress"):
            parts = value if isinstance(value, list) else widget.decompress(value)
            sent |= {f"{each.html_name}_{n}": part for n, part in enumerate(parts) if part is not None}
        elif isinstance(value, bool):
            sent |= {each.html_name: "on"} if value else {}
        elif value is not None:
            sent[each.html_name] = value
    return sent


def free_texts(form: Any) -> list[str]:
    """Names of the fields into which any text can be typed."""
    from django import forms

    plain = (forms.TextInput, forms.Textarea)
    fields = form.fields.items()
    return [name for name, each in fields if type(each) is forms.CharField and type(each.widget) in plain]


@dataclass
class Typed:
    """What became of a text that was typed into every free text of a form: where it was kept, and where refused, with why."""

    key: Any = None
    kept: dict[str, str] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)


def typed_everywhere(world: World, name: str, *texts: str) -> Typed:
    """Adds a record with the first of `texts` in every free text; a field that refuses it gets the next, at last its sample.

    Whatever happens, it is said beside the field, and nothing breaks.
    """
    client, values = world.keeper(name), of_form(name).new(user_of(keeper_of(name)).company)
    form = client.get(f"/bo/{name}/new/", headers=SCRIPTED).context["drawer"].form
    done, tries = Typed(), {each: list(texts) for each in free_texts(form)}
    while True:
        now = {each: left[0] for each, left in tries.items() if left}
        answer = client.post(f"/bo/{name}/new/", values | now, headers=SCRIPTED)
        if answer.status_code == 204:
            done.key, done.kept = made(answer), now
            return done
        assert answer.status_code == 422, f"{name}, {now}: {errors_of(answer)}"
        done.answers.append(answer.content.decode())
        errors = answer.context["drawer"].form.errors
        assert errors and not set(errors) - set(now), f"the sample itself was refused: {errors_of(answer)}"
        for told, words in errors.items():
            done.refused.setdefault(told, []).extend(words)
            tries[told].pop(0)


def csv_of(client: Any, url: str) -> list[list[str]]:
    """The lines of a CSV file, heading first."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def url_patterns(urls: str | None = None) -> Iterator[tuple[str, dict[str, str]]]:
    """Every named URL of a site (its URLconf; None: the BackOffice) with a made-up value for each of its parts."""
    from django.urls import get_resolver

    said = {"int": "1", "key": "1", "slug": "delete", "str": "x", "uuid": "00000000-0000-7000-8000-000000000000"}
    for group in get_resolver(urls).url_patterns:
        for pattern in getattr(group, "url_patterns", ()):
            kinds = {name: type(each).__name__ for name, each in pattern.pattern.converters.items()}
            yield pattern.name, {name: said[kind.removesuffix("Converter").lower()] for name, kind in kinds.items()}


def urls_of_site() -> list[str]:
    from django.urls import reverse

    return [reverse(name, kwargs=parts) for name, parts in url_patterns()]
