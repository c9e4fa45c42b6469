"""Give a user a password: the one place where a password becomes the user's."""

from django.utils import timezone

from relais.records.access.passwords import require_fit, store_password
from relais.records.people.models import User


def set_password(user: User, password: str, *, by: User | None = None) -> None:
    """The stored `user` has it from now on, as a slow salted hash (USR-60); sessions begun with the former one end.
    `by`: who sets it, None for the system. But by the user it is a default password, to be changed at the next log-in (USR-61,
    PWD-21). `Invalid` for one that the policy does not take. Inside a transaction."""
    require_fit(user, password)
    store_password(user, password, timezone.now(), by_the_person=by is not None and by.pk == user.pk)
