"""API keys, departments, roles and users in scenario files."""

from typing import ClassVar

from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import (
    Entry,
    Field,
    Shape,
    capitals,
    day,
    flag,
    full_text,
    instant,
    mapping,
    names,
    one_of,
    secret,
    some_of,
    text,
    whole,
)
from relais.records.errors import Invalid
from relais.records.networks import ip_networks
from relais.records.people.actions.change_api_key import change_api_key
from relais.records.people.actions.create_api_key import LIMITS, create_api_key, digest, revoke_api_key
from relais.records.people.actions.create_user import create_user
from relais.records.people.actions.save_department import save_department
from relais.records.people.actions.save_role import save_role
from relais.records.people.actions.save_user import save_user
from relais.records.people.models import ApiKey, ApiKeyRight, Department, Interface, Role, User, WebhookEvents

RIGHTS = {right.name.lower(): right.value for right in ApiKeyRight}


class ApiKeys(Section):
    name = "api_keys"
    key = ("company", "name")
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        "name": Field(full_text, required=True),
        "key": Field(secret),
        "rights": Field(some_of(*RIGHTS), required=True),
        "sandbox": Field(flag),
        "networks": Field(text),
        "rps_limit": Field(whole(1, 100_000), blank=True),
        "expires_at": Field(instant, blank=True),
        "webhook_url": Field(text),
        "webhook_events": Field(one_of(*WebhookEvents.values)),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        """Without `key` one is generated, when the record is made, and told by the summary alone."""
        company = references.company(entry["company"])
        rights = sum({RIGHTS[word] for word in entry["rights"]})
        given: str | None = entry.get("key")
        limits = self.given(entry, set(LIMITS))
        if "networks" in limits:
            limits["networks"] = ip_networks(limits["networks"], "networks")
        found = ApiKey.objects.filter(company=company, name__iexact=entry["name"], revoked_at=None).first()
        if found is not None and (given is None or bytes(found.key_hash) == digest(given)):
            changed = assign(found, {"rights": rights} | self.given(entry, {"sandbox"}) | limits, final=("sandbox",))
            if changed:
                change_api_key(found.pk, found.name, rights, limits=limits)
            return changed_if(changed)
        if found is not None:
            revoke_api_key(found.pk, run.now)
        _, key = create_api_key(
            company.pk, entry["name"], rights, key=given, sandbox=entry.get("sandbox", False),
            limits=limits,
        )  # fmt: skip
        if given is None:
            run.told_once.append(f"{self.name}: the key {entry['name']!r} of {company.name} is {key}")
        return Outcome.CHANGED if found is not None else Outcome.CREATED


class Departments(Section):
    name = "departments"
    key = ("company", "name")
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        "name": Field(full_text, required=True),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        if Department.objects.filter(company=company, name__iexact=entry["name"]).exists():
            return Outcome.UNCHANGED
        save_department(Department(company=company, name=entry["name"]))
        return Outcome.CREATED


class Roles(Section):
    name = "roles"
    key = ("interface", "company", "name")
    shape: ClassVar[Shape] = {
        "interface": Field(one_of(*Interface.values), required=True),
        "company": Field(full_text, required=True),
        "name": Field(full_text, required=True),
        "description": Field(text),
        "levels": Field(mapping, required=True),
        "companies": Field(names),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        role = Role.objects.filter(company=company, interface=entry["interface"], name__iexact=entry["name"]).first()
        made_for = [references.company(name, "companies") for name in entry.get("companies", ())]
        if role is None:
            role = Role(company=company, interface=entry["interface"], name=entry["name"])
        new = role.pk is None
        changed = assign(role, self.given(entry, {"description", "levels"}))
        if "companies" in entry and not new:
            changed = changed or set(role.companies.all()) != set(made_for)
        if changed or new:
            save_role(role, by=None, companies=made_for if "companies" in entry or new else None)
        return Outcome.CREATED if new else changed_if(changed)


class Users(Section):
    name = "users"
    key = ("interface", "login")
    label = "login"
    columns: ClassVar = {"enabled": "is_active"}
    shape: ClassVar[Shape] = {
        "interface": Field(one_of(*Interface.values), required=True),
        "company": Field(full_text, required=True),
        "login": Field(full_text, required=True),
        "password": Field(secret, required=True),
        "must_change_password": Field(flag),
        "first_name": Field(full_text, required=True),
        "middle_name": Field(text),
        "last_name": Field(full_text, required=True),
        "birthday": Field(day, blank=True),
        "job_title": Field(text),
        "phone": Field(text),
        "e_mail": Field(full_text, required=True),
        "country": Field(capitals),
        "language": Field(full_text, required=True),
        "timezone": Field(full_text),
        "two_factor": Field(flag),
        "no_restrictions": Field(flag),
        "roles": Field(names),
        "department": Field(full_text),
        "enabled": Field(flag),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        """The password, and whether it is to be changed first, are what to begin with: whoever changed it keeps theirs. Without
        `roles` those of the record stay; a new one then needs `no_restrictions`."""
        company = references.company(entry["company"])
        to_begin_with = {"interface", "company", "login", "password", "must_change_password", "roles"}
        values = self.given(entry, set(self.shape) - to_begin_with)
        if "department" in entry:
            values["department"] = references.department(entry["department"], company)
        roles = [references.role(name, company, entry["interface"]) for name in entry.get("roles", ())]
        found = User.objects.filter(interface=entry["interface"], login__iexact=entry["login"]).first()
        if found is None:
            create_user(
                company=company,
                login=entry["login"],
                password=entry["password"],
                interface=entry["interface"],
                must_change_password=entry.get("must_change_password", True),
                roles=roles,
                **values,
            )
            return Outcome.CREATED
        if found.company_id != company.pk:
            raise Invalid.of("login", "is taken by a user of another company")
        changed = assign(found, values)
        if "roles" in entry:
            changed = changed or set(found.roles.all()) != set(roles)
        if changed:
            save_user(found, by=None, roles=roles if "roles" in entry else None)
        return changed_if(changed)
