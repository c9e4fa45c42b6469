"""Who may enter, of both interfaces (USR-2, USR-7). Looked at only."""

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Choice, Code, Day, Flag, Id, Instant, Kind, Name, Reference
from relais.records.parties.models import Company
from relais.records.people.models import Interface, User

INTERFACES = {Interface.BACKOFFICE: "BackOffice", Interface.CLIENT_PORTAL: "Client portal"}
ACCESS = {True: ("Enabled", "ok"), False: ("Disabled", "hollow")}

USERS = Entity(
    name="users",
    model=User,
    label="User",
    plural="Users list",
    line="Users",
    menu=Menu("Users", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
        Column("login", "Login", Name(), phone="m1"),
        Column("first_name", "First name", Kind()),
        Column("last_name", "Last name", Kind()),
        Column("interface", "Interface", Choice(INTERFACES), phone="m2"),
        Column("is_active", "Enabled", Badge(ACCESS), phone="m4"),
        Column("e_mail", "E-mail", Kind()),
        Column("created_at", "Created", Instant()),
        Column("last_login", "Last login", Instant()),
        Column("middle_name", "Middle name", shown=False),
        Column("birthday", "Birthday", Day(), shown=False),
        Column("job_title", "Job title", shown=False),
        Column("phone", "Phone number", Code(), shown=False),
        Column("language", "Language", shown=False),
        Column("timezone", "Timezone", shown=False),
        Column("two_factor", "Two factor authentication", Flag(), shown=False),
        Column("no_restrictions", "No restrictions", Flag(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("company", "Company", "reference", of=Company),
        Filter("interface", "Interface", "choice", choices=tuple(INTERFACES.items())),
        Filter("is_active", "Enabled", "flag"),
        Filter("login", "Login"),
        Filter("last_name", "Last name"),
        Filter("e_mail", "E-mail"),
        Filter("created_at", "Created", "day"),
    ),
    search=("login", "first_name", "last_name", "e_mail", "company__name"),
    search_hint="Login, name, e-mail or company",
    sections=(
        Section(
            "Log-in", ("company", "interface", "login", "is_active", "two_factor", "no_restrictions", "last_login")
        ),
        Section("Person", ("first_name", "middle_name", "last_name", "birthday", "job_title", "phone", "e_mail")),
        Section("Settings", ("language", "timezone")),
    ),
    rows=lambda rows: rows.select_related("company"),
    empty="Users enter the BackOffice or the Client portal. The first ones are made with `relais user add`.",
)
