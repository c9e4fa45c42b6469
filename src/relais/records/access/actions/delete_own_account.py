"""Delete the own account (ACC-38 to ACC-40, ACC-55, ACC-56, ACC-58)."""

from datetime import datetime

from django.db import transaction

from relais.records.access.models import Authenticator, Avatar
from relais.records.access.sessions import end_sessions
from relais.records.errors import Invalid
from relais.records.people.actions.delete_user import delete_user
from relais.records.people.models import ListPreference, SavedFilter, User

WORD = "delete-account"


@transaction.atomic
def delete_own_account(user: User, word: str, now: datetime) -> None:
    """The person is out everywhere at once and gets nothing sent any more; the name stays where it stands in records, and the
    login is nobody's again. `Invalid` without the word, or for the last with full access of a company."""
    if word != WORD:
        raise Invalid.of("word", "type %(word)s", word=WORD)
    delete_user(user.pk, now, by=None)
    Avatar.objects.filter(pk=user.pk).delete()
    Authenticator.objects.filter(pk=user.pk).delete()
    for mine in (user.recovery_codes, user.sms_codes, user.former_passwords):
        mine.all().delete()
    for kept in (ListPreference, SavedFilter):
        kept.objects.filter(user=user).delete()
    end_sessions(user)
