"""The password policy: what is taken, how long it holds, who is blocked, and who may set what. The clock is an argument."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.records.conftest import NOW, Books
from tests.records.hashing import quick_hashes
from tests.records.test_dictionaries_and_people import new_user

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def _quick(books: Books) -> Iterator[None]:
    with quick_hashes():
        yield


def person(company: Any, at: datetime = NOW, **fields: Any) -> Any:
    """Who chose the password `Lovelace-1` at that instant."""
    from relais.records.access.models import Access

    if fields.get("interface") != "backoffice":
        fields = {"roles": ("Finance manager",)} | fields
    user = new_user(company, must_change_password=False, **fields)
    Access.objects.filter(pk=user.pk).update(password_changed_at=at, last_access_at=at)
    return user


def refusal(verb: Any, *arguments: Any, **options: Any) -> dict[str, tuple[str, ...]]:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid) as refused:
        verb(*arguments, **options)
    return refused.value.reasons


def test_PWD_1_PWD_2_PWD_14_PWD_15_PWD_22_PWD_23_PWD_30_PWD_31_what_is_taken(books: Books) -> None:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher

    from relais.records.access.passwords import generated_password, is_common, require_fit
    from relais.records.access.policy import Policy, policy_of
    from relais.records.people.actions.create_api_key import create_api_key

    ada = person(books.client)
    for taken in (
        "abcdEF12",
        "abcd-123",
        "ABCD-123",
        "\N{CYRILLIC CAPITAL LETTER PE}\N{CYRILLIC SMALL LETTER YA}rolle12",
        "Abcdefg ",
        " Abcdefg",
        "a1 " * 42,
    ):
        require_fit(ada, taken)
    for refused, why in (
        ("abcDE12", "takes 8 to 128 characters"),
        ("aB1" * 43, "takes 8 to 128 characters"),
        ("abcdefgh", "takes 3 of"),
        ("abcd1234", "takes 3 of"),
        ("ABCDEFGH1", "takes 3 of"),
        ("\N{CYRILLIC SMALL LETTER YA}\N{CYRILLIC SMALL LETTER PE}rolle12", "takes 3 of"),
        ("xX-1-ADA-yy", "must not contain the login"),
        ("P@ssw0rd", "is one of the most common"),
    ):
        (reasons,) = refusal(require_fit, ada, refused).values()
        assert any(why in reason for reason in reasons), refused
    assert is_common("Passw0rd") and not is_common("Lovelace-1")
    assert PBKDF2PasswordHasher.iterations >= 600_000, "a slow hash, with a salt"
    assert identify_hasher(ada.password).algorithm == "pbkdf2_sha256" and "Lovelace" not in ada.password
    assert {former.password_hash for former in ada.former_passwords.all()} == {ada.password}
    made = {generated_password(Policy(length_min=20)) for _ in range(20)}
    assert len(made) == 20 and {len(password) for password in made} == {20}
    for password in made:
        require_fit(ada, password)
    create_api_key(books.client.pk, "weak but random enough", key="aaaaaaaaaaaaaaaa")  # no policy for keys
    assert policy_of(books.client.pk) == Policy()


def test_PWD_3_PWD_16_a_password_comes_back_after_seven_others(books: Books) -> None:
    from relais.records.access.actions.change_password import change_own_password

    ada = person(books.reseller, interface="backoffice")
    words = ["Lovelace-1", *(f"Lovelace-{number}" for number in range(2, 9))]
    for word in words[1:]:
        change_own_password(ada, word, NOW)  # the BackOffice does not wait
    for had in words[1:]:
        assert refusal(change_own_password, ada, had, NOW) == {"new_password": ("must differ from the last 7",)}
    assert ada.former_passwords.count() == 7
    change_own_password(ada, words[0], NOW)
    ada.refresh_from_db()
    assert ada.check_password("Lovelace-1")


def test_PWD_4_to_PWD_8_PWD_17_PWD_18_PWD_20_PWD_21_ACC_46_ACC_48_when_it_is_to_be_changed_and_when_it_may(
    books: Books,
) -> None:
    """PWD-4, PWD-5, PWD-6, PWD-7, PWD-8, PWD-17, PWD-18, PWD-20, PWD-21, ACC-46, ACC-48."""
    from relais.records.access.actions.change_password import (
        change_demanded_password,
        change_own_password,
        set_default_password,
    )
    from relais.records.access.passwords import Demanded, demanded_change

    ada = person(books.client)
    assert demanded_change(ada, NOW + 60 * DAY) == Demanded.NOTHING
    assert demanded_change(ada, NOW + 60 * DAY + timedelta(microseconds=1)) == Demanded.EXPIRED
    assert "meanwhile" in str(refusal(change_demanded_password, ada, "Lovelace-2", NOW))
    change_demanded_password(ada, "Lovelace-2", NOW + 61 * DAY)
    changed = NOW + 61 * DAY
    too_soon = refusal(change_own_password, ada, "Lovelace-3", changed + 24 * HOUR - timedelta(minutes=1))
    assert too_soon == {"": ("the password can be changed once in 24 hours",)}
    change_own_password(ada, "Lovelace-3", changed + 24 * HOUR)
    changed += 24 * HOUR
    set_default_password(ada, "Babbage-9", changed + HOUR)  # as an administrator does
    assert demanded_change(ada, changed + HOUR) == Demanded.DEFAULT
    for had in ("Babbage-9", "Lovelace-3"):
        assert "must differ" in str(refusal(change_demanded_password, ada, had, changed + HOUR))
    change_demanded_password(ada, "Lovelace-4", changed + 2 * HOUR)  # at once: it was demanded
    assert demanded_change(ada, changed + 2 * HOUR) == Demanded.NOTHING
    admin = person(books.client, login="carla", no_restrictions=True)
    change_own_password(admin, "Lovelace-5", NOW + HOUR)
    assert demanded_change(new_user(books.client, login="bob"), NOW) == Demanded.DEFAULT


def test_PWD_9_PWD_19_PWD_27_PWD_28_who_is_away_too_long_is_blocked_and_only_the_system_owner_unblocks(
    books: Books,
) -> None:
    from relais.records.access.actions.block_unused_users import block_unused_users, unblock_user
    from relais.records.access.logging_in import person_of
    from relais.records.people.models import AuditAction

    last = datetime(2025, 1, 1, 23, 59, tzinfo=UTC)
    at_180, at_181 = datetime(2025, 6, 30, 23, 59, tzinfo=UTC), datetime(2025, 7, 1, 0, 0, tzinfo=UTC)
    ada, bob = person(books.client, last), person(books.client, last, login="bob")
    rita = person(books.reseller, last, login="rita", interface="backoffice", no_restrictions=True)
    olga = person(books.owner, last, login="olga", interface="backoffice", no_restrictions=True)
    assert person_of("client_portal", "ada", "Lovelace-1", "10.0.0.1", at_180) == ada
    assert block_unused_users(at_180) == 0
    assert person_of("client_portal", "ada", "Lovelace-1", "10.0.0.1", at_181) is None, "blocked at log-in"
    assert block_unused_users(at_181) == 1, "and by the daily look"
    for user in (ada, bob, rita, olga):
        user.refresh_from_db()
    assert [user.blocked_at for user in (ada, bob, rita, olga)] == [at_181, at_181, None, None]
    lines = [
        line for action in AuditAction.objects.filter(action="Block for inactivity") for line in action.lines.all()
    ]
    assert {(line.object_id, line.old["blocked_at"]) for line in lines} == {(str(ada.pk), None), (str(bob.pk), None)}
    assert refusal(unblock_user, ada.pk, rita, at_181) == {
        "": ("only the System owner unblocks who was away too long",)
    }
    unblock_user(ada.pk, olga, at_181)
    assert person_of("client_portal", "ada", "Lovelace-1", "10.0.0.1", at_181 + 180 * DAY) == ada
    assert "is not blocked" in str(refusal(unblock_user, ada.pk, olga, at_181))
    assert block_unused_users(at_181) == 0


def test_PWD_11_PWD_29_the_owner_sets_the_policy_within_bounds_and_a_reseller_only_makes_it_stricter(
    books: Books,
) -> None:
    from relais.records.access.actions.save_password_policy import save_password_policy
    from relais.records.access.models import PasswordPolicy
    from relais.records.access.passwords import require_fit
    from relais.records.access.policy import Policy, policy_of

    def policy(company: Any, **values: int) -> PasswordPolicy:
        record = PasswordPolicy.objects.filter(company=company).first() or PasswordPolicy(company=company)
        for name, value in values.items():
            setattr(record, name, value)
        return record

    out_of_bounds = policy(books.owner, length_min=7, valid_days=0, tries_max=21)
    assert set(refusal(save_password_policy, out_of_bounds)) == {""}
    weaker = policy(books.reseller, valid_days=61, length_min=12)
    assert refusal(save_password_policy, weaker) == {
        "valid_days": ("must not be weaker than the 60 of the level above",)
    }
    assert "sells nothing" in str(refusal(save_password_policy, policy(books.client, length_min=12)))
    assert PasswordPolicy.objects.count() == 0
    save_password_policy(policy(books.owner, valid_days=90, idle_minutes=30))
    save_password_policy(policy(books.reseller, valid_days=61, length_min=12, idle_minutes=30))
    assert policy_of(books.owner.pk) == Policy(valid_days=90, idle_minutes=30)
    assert policy_of(books.client.pk) == Policy(valid_days=61, length_min=12, idle_minutes=30)
    save_password_policy(policy(books.owner, valid_days=30))  # later, by the owner: it holds below at once
    assert policy_of(books.client.pk).valid_days == 30
    assert "takes 12 to 128" in str(
        refusal(require_fit, new_user(books.reseller, password="Lovelace-1852"), "Abcd-12345")
    )


def test_PWD_25_ACC_49_guesses_are_limited_for_a_login_and_from_an_address_known_or_not(books: Books) -> None:
    from relais.records.access.actions.change_password import require_own_password
    from relais.records.access.logging_in import TooManyTries, person_of
    from relais.records.people.models import AuditAction

    ada = person(books.client, last_login=NOW)
    for login in ("ada", "nobody"):
        for number in range(10):
            address = f"10.0.{len(login)}.{number}"
            assert person_of("client_portal", login, "wrong", address, NOW + timedelta(seconds=number)) is None
        for password in ("Lovelace-1", "wrong"):
            with pytest.raises(TooManyTries):
                person_of("client_portal", login.upper(), password, "10.9.9.9", NOW + timedelta(minutes=14))
    assert AuditAction.objects.filter(action="Failed log in", user_name="ada").count() == 10
    later = NOW + timedelta(minutes=15, seconds=10)
    assert person_of("client_portal", "ada", "Lovelace-1", "10.9.9.9", later) == ada
    assert person_of("client_portal", "ada", "wrong", "10.9.9.9", later) is None, "it begins anew"
    for number in range(10):
        person_of("client_portal", f"somebody{number}", "wrong", "10.1.1.1", later)
    with pytest.raises(TooManyTries):
        person_of("client_portal", "ada", "Lovelace-1", "10.1.1.1", later)
    for _ in range(10):
        assert refusal(require_own_password, ada, "wrong", NOW) == {"current_password": ("is wrong",)}
    assert "too often" in str(refusal(require_own_password, ada, "Lovelace-1", NOW))
    require_own_password(ada, "Lovelace-1", NOW + timedelta(minutes=16))
