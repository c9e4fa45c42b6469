"""Who may sign in to which interface, asked at log-in and again on every request.

The second factor, roles and the throttling of guesses come before or after this; here is one factor and one person.
"""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from relais.records.parties.models import CompanyType
from relais.records.people.models import Interface, User
from relais.records.people.passwords import LENGTH_MAX

# Of the company of the row of people_user that the query is about; one text, so that a request asks once.
# OFFSET 0: a look-up a level, never a scan of all companies.
_ENABLED_UP_TO_THE_TOP = """
    NOT EXISTS (
        WITH RECURSIVE line AS (
            SELECT parent_id, enabled FROM parties_company WHERE id = people_user.company_id
            UNION ALL
            SELECT above.* FROM line CROSS JOIN LATERAL (
                SELECT parent_id, enabled FROM parties_company WHERE id = line.parent_id OFFSET 0
            ) AS above
        ) SELECT FROM line WHERE NOT enabled
    )
"""


class InterfaceBackend:
    """A log-in counts within its interface, compared without case (USR-58, USR-76)."""

    def authenticate(
        self,
        request: Any,
        login: str | None = None,
        password: str | None = None,
        interface: str | None = None,
    ) -> User | None:
        """The person, or None; which of login, password or permission was missing cannot be told, not by time either."""
        if not login or not password or interface not in Interface.values:
            return None
        if len(password) > LENGTH_MAX or "\0" in login:
            login = ""  # nobody's; the same work is done for it
        user = User.objects.filter(interface=interface, login__iexact=login).first()
        if user is None:
            make_password(password[:LENGTH_MAX])
            return None
        return self.get_user(user.pk) if user.check_password(password) else None

    def get_user(self, user_id: Any) -> User | None:
        """The person with their company, while they may be in; so who is blocked is out with the next request."""
        return who_may_be_in(User.objects.filter(pk=user_id)).first()


def who_may_be_in(users: QuerySet[User]) -> QuerySet[User]:
    """Those that are enabled, whose company is and every one above it (USR-64, CO-58, CO-59), and who is not in the
    BackOffice without selling anything."""
    sells = ~Q(interface=Interface.BACKOFFICE) | Q(company__type=CompanyType.RESELLER)
    enabled = RawSQL(_ENABLED_UP_TO_THE_TOP, [], output_field=BooleanField())
    return users.select_related("company").filter(enabled, sells, is_active=True)
