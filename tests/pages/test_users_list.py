"""The list of users, to be looked at."""

from typing import Any


def test_USR_2_the_list_tells_who_may_enter_where(reseller: Any) -> None:
    listed = reseller.get("/bo/users/").context["list"]
    assert [header.label for header in listed.headers] == [
        "ID", "Company", "Login", "First name", "Last name", "Interface", "Enabled", "E-mail", "Created", "Last login",
    ]  # fmt: skip
    assert [row.label for row in listed.table] == ["client", "reseller"]


def test_USR_7_it_has_the_users_of_the_own_company_and_those_directly_below(owner: Any) -> None:
    assert [row.label for row in owner.get("/bo/users/").context["list"].table] == ["reseller", "owner"]


def test_no_password_is_in_any_column_and_nobody_is_changed_here(owner: Any) -> None:
    text = b"".join(owner.get("/bo/users/csv/?columns=all").streaming_content).decode()
    assert "argon2" not in text and "pbkdf2" not in text and "Owner-demo" not in text
    assert owner.get("/bo/users/new/").status_code == 404
