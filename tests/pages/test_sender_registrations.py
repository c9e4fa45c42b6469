"""Registrations of sender IDs in the BackOffice: a document is handed in, looked at and approved (WC-13, WC-28, WC-29)."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from tests.pages.conftest import arrived

URL = "/bo/sender-registrations/"
PDF = b"%PDF-1.7 a letter of the company"


def file_of(content: bytes, name: str = "letter.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_WC_13_WC_14_WC_28_a_country_asks_for_a_document_and_the_level_above_approves(
    owner: Any, reseller: Any
) -> None:
    """Of the rules: the System owner keeps them, everybody looks at them."""
    from relais.records.senders.models import SenderId, SenderRegistration

    rule = {"country": "FR", "names": "document", "numbers": "allowed", "documents": "A letter of the company"}
    assert owner.post("/bo/sender-rules/new/", rule).status_code == 302
    assert reseller.post("/bo/sender-rules/new/", rule | {"country": "PT"}).status_code == 403
    shown = reseller.get("/bo/sender-rules/?q=France").content.decode()
    assert "A letter of the company" in shown and "Once registered, with a document" in shown

    monsters = SenderId.objects.get(sender_id="Monsters")
    wish = {"sender": monsters.pk, "country": "FR", "status": "pending", "note": ""}
    refused = reseller.post(f"{URL}new/", wish | {"file": file_of(b"MZ", "letter.exe")})
    assert refused.status_code == 422 and "PDF, PNG or JPEG" in refused.content.decode()
    assert reseller.post(f"{URL}new/", wish).status_code == 302
    made = SenderRegistration.objects.get(country="FR")
    assert reseller.get(f"{URL}{made.pk}/document/").status_code == 404
    told = reseller.post(f"{URL}{made.pk}/do/approve/")
    assert "add it before approving" in told.content.decode()
    made.refresh_from_db()
    assert made.status == "pending"

    client = arrived("client")
    for looked_at in (reseller.get(f"/bo/sender-ids/{monsters.pk}/"), client.get(f"/portal/sender-ids/{monsters.pk}/")):
        assert "Pre-approval is needed; until then messages are refused to: France." in looked_at.content.decode()
    assert reseller.post(f"/bo/sender-ids/{monsters.pk}/do/block/", {"sure": "1"}).status_code == 302, (
        "WC-29: no obstacle"
    )

    changed = {"status": "approved", "note": "by post", "file": file_of(PDF, 'a "letter".pdf')}
    assert reseller.post(f"{URL}{made.pk}/edit/", changed).status_code == 302
    made.refresh_from_db()
    assert (made.status, bytes(made.document)) == ("approved", PDF)
    answer = reseller.get(f"{URL}{made.pk}/document/")
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="a \\"letter\\".pdf"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert f"{URL}{made.pk}/document/" in reseller.get(f"{URL}{made.pk}/").content.decode()
    assert "Pre-approval" not in reseller.get(f"/bo/sender-ids/{monsters.pk}/").content.decode()
    assert owner.get(f"{URL}{made.pk}/document/").status_code == 404, "of a client of its client"
    assert reseller.post(f"{URL}{made.pk}/do/refuse/", {"sure": "1"}).status_code == 302
    made.refresh_from_db()
    assert made.status == "refused"
