"""What becomes of an API key after it was made."""

import pytest
from tests.records.conftest import Books


def test_a_key_gets_another_name_and_other_rights_and_stays_the_same_key(books: Books) -> None:
    from relais.records.people.actions.change_api_key import change_api_key
    from relais.records.people.actions.create_api_key import create_api_key, digest

    record, key = create_api_key(books.client.pk, "main", 7)
    change_api_key(record.pk, "shop", 1)
    record.refresh_from_db()
    assert (record.name, record.rights, bytes(record.key_hash)) == ("shop", 1, digest(key))


def test_a_change_that_is_refused_changes_nothing(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.people.actions.change_api_key import change_api_key
    from relais.records.people.actions.create_api_key import create_api_key

    create_api_key(books.client.pk, "main")
    record, _ = create_api_key(books.client.pk, "shop", 3)
    for name, rights, reason in (
        ("MAIN", 3, "name is taken"),
        ("shop", 0, "rights"),
        ("shop", 8, "rights"),
        ("", 3, "name"),
    ):
        with pytest.raises(Invalid, match=reason):
            change_api_key(record.pk, name, rights)
    with pytest.raises(Invalid, match="has the ID 0"):
        change_api_key(0, "shop", 1)
    record.refresh_from_db()
    assert (record.name, record.rights) == ("shop", 3)


def test_a_revoked_key_stays_as_it_is(books: Books) -> None:
    from datetime import timedelta

    from relais.records.errors import Invalid
    from relais.records.people.actions.change_api_key import change_api_key
    from relais.records.people.actions.create_api_key import create_api_key, revoke_api_key

    record, _ = create_api_key(books.client.pk, "main", 7)
    record.refresh_from_db()
    later = record.created_at + timedelta(hours=1)
    revoke_api_key(record.pk, later)
    revoke_api_key(record.pk, later + timedelta(hours=1))
    with pytest.raises(Invalid, match="make another"):
        change_api_key(record.pk, "other", 1)
    record.refresh_from_db()
    assert (record.name, record.rights, record.revoked_at) == ("main", 7, later)
