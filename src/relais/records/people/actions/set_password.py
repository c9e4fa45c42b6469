"""Give a user a password: the one place where a password becomes the user's."""

from django.contrib.auth.hashers import make_password

from relais.records.errors import Invalid
from relais.records.people.models import User
from relais.records.people.passwords import weaknesses


def set_password(user: User, password: str, *, by: User | None = None) -> None:
    """The stored `user` has it from now on, as a slow salted hash (USR-60); sessions begun with the former one end.
    `by`: who sets it, None for the system. `Invalid` for a weak one (PWD-1, PWD-2). Inside a transaction."""
    if found := weaknesses(password):
        raise Invalid({"password": found})
    user.password = make_password(password)
    user.save(update_fields=["password", "updated_at"])
