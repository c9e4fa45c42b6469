"""Sender rules of countries and registrations of sender IDs, as forms, files and imports make them."""

from typing import Any

import pytest
from tests.records.conftest import Books
from tests.records.test_dictionaries_and_people import new_user
from tests.records.test_parties import reasons_of
from tests.records.test_senders import connection, resaved, sender

PDF = ("letter.pdf", b"%PDF-1.7 and so on")


def test_WC_28_WC_29_rules_and_registrations(books: Books) -> None:
    """Each by its verb: what it refuses, and that a name that changes is to be approved anew."""
    from relais.records.senders.actions.registrations import (
        decide,
        delete_registration,
        delete_sender_rule,
        save_registration,
        save_sender_rule,
    )
    from relais.records.senders.models import RegistrationStatus, SenderId, SenderRegistration, SenderRule
    from relais.records.visibility import visible

    rule = save_sender_rule(SenderRule(country_id="ES", names="document"))
    assert reasons_of(save_sender_rule, SenderRule(country_id="ES")) == {
        "country": ("the country has its rule already",)
    }
    assert list(reasons_of(save_sender_rule, SenderRule(country_id="QQ"))) == ["country"]
    assert list(reasons_of(save_sender_rule, SenderRule(country_id="PT", names="perhaps"))) == ["names"]
    made = sender(books, connection(books))
    wish = save_registration(SenderRegistration(sender=made, country_id="ES"))
    assert (wish.company, wish.status) == (books.client, "pending")
    again = SenderRegistration(sender=made, country_id="ES")
    assert reasons_of(save_registration, again) == {"country": ("the sender ID has its registration there already",)}
    assert reasons_of(decide, wish.pk, RegistrationStatus.APPROVED) == {
        "status": ("the country asks for a document: add it before approving",)
    }
    wish.refresh_from_db()
    assert reasons_of(save_registration, wish, ("letter.exe", b"MZ...")) == {
        "document": ("must be a PDF, PNG or JPEG file",)
    }
    save_registration(SenderRegistration.objects.get(pk=wish.pk), PDF)
    approved = decide(wish.pk, RegistrationStatus.APPROVED)
    assert (approved.status, approved.document_name) == ("approved", "letter.pdf")
    assert list(reasons_of(decide, wish.pk, RegistrationStatus.APPROVED)) == [""]

    own = SenderId.objects.create(company=books.reseller, sender_id="House", name="House")
    house = save_registration(SenderRegistration(sender=own, country_id="PT"))

    def seen(company: Any, action: Any) -> set[int]:
        user = new_user(company, login=f"{company.pk}-{action}", interface="backoffice")
        return set(visible(SenderRegistration, user, action).values_list("pk", flat=True))

    assert seen(books.reseller, "view") == {wish.pk, house.pk}
    assert seen(books.reseller, "manage") == {wish.pk}, "nobody approves what is its own"
    assert seen(books.owner, "view") == seen(books.owner, "manage") == {house.pk}
    resaved(made, sender_id="OtherBank")
    wish.refresh_from_db()
    assert (wish.status, bytes(wish.document)) == ("pending", PDF[1]), "it was approved for another name"
    delete_registration(wish.pk)
    delete_registration(house.pk)
    delete_sender_rule(rule.pk)
    assert not SenderRule.objects.exists() and not SenderRegistration.objects.exists()


def test_WC_28_sender_rules_are_imported_from_a_table(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.senders.actions.import_sender_rules import apply, preview, read_sender_rules
    from relais.records.senders.models import SenderRule

    SenderRule.objects.create(country_id="PT", names="not_allowed")
    file = b"ISO code;Names;Numbers;Documents\nes;registration;;a letter\nPT;Not allowed;allowed;\n"
    seen = preview(read_sender_rules(file))
    assert (len(seen.new), len(seen.changed), seen.unchanged_count, seen.errors) == (1, 0, 1, ())
    apply(seen)
    made = SenderRule.objects.get(country_id="ES")
    assert (made.names, made.numbers, made.documents) == ("registration", "allowed", "a letter")
    with pytest.raises(Invalid):
        apply(seen)  # it was changed since: by itself
    wrong = preview(read_sender_rules(b"ISO,Names\nES,perhaps\nQQ,allowed\n"))
    assert [line for line, _ in wrong.errors] == [2, 3]
    with pytest.raises(Invalid):
        apply(wrong)
    assert SenderRule.objects.count() == 2
