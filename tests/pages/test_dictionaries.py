"""The dictionary of countries, networks, their codes and number prefixes: the System owner keeps it, everybody looks."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

LISTS = ("countries", "networks", "network-codes", "number-prefixes")
IMPORT = "/bo/import/network-codes/"
HEAD = "MCC,MNC,ISO,Network\n"


def spain() -> list[Any]:
    from relais.records.catalog.models import NetworkCode

    return list(NetworkCode.objects.filter(network__country="ES").select_related("network").order_by("pk"))


def lines_of(codes: list[Any]) -> str:
    return HEAD + "".join(f'{code.mcc},{code.mnc},ES,"{code.network.name}"\n' for code in codes)


def upload(client: Any, text: str, url: str = IMPORT) -> Any:
    """The preview that an uploaded file leads to."""
    return client.post(url, {"file": SimpleUploadedFile("codes.csv", text.encode(), "text/csv")}, follow=True)


def confirm(client: Any, url: str = IMPORT, **sent: str) -> Any:
    digest = client.get(f"{url}?step=confirm").context["digest"]
    return client.post(f"{url}?step=confirm", {"digest": digest} | sent, follow=True)


@pytest.mark.parametrize("name", LISTS)
def test_USR_30_everybody_looks_and_only_the_system_owner_edits(name: str, owner: Any, reseller: Any) -> None:
    for client, may in ((owner, True), (reseller, False)):
        listed = client.get(f"/bo/{name}/").context["list"]
        assert listed.table and listed.may_add is may
        row = listed.table[0]
        drawer = client.get(row.url).context["drawer"]
        assert (drawer.may_edit, drawer.may_delete) == (may, may)
        for url in (f"/bo/{name}/new/", f"/bo/{name}/{row.pk}/edit/", f"/bo/{name}/{row.pk}/delete/"):
            assert client.get(url).status_code == (200 if may else 403)
    assert reseller.post(f"/bo/{name}/{row.pk}/delete/").status_code == 403


def test_a_country_is_added_and_deleted_while_nothing_hangs_on_it(owner: Any) -> None:
    from relais.records.catalog.models import Country

    assert owner.post("/bo/countries/new/", {"iso": "zz", "name": "Nowhere"}).status_code == 302
    assert Country.objects.get(pk="ZZ").name == "Nowhere"
    assert owner.post("/bo/countries/ZZ/edit/", {"name": "Utopia"}).status_code == 302
    assert owner.post("/bo/countries/ZZ/delete/").status_code == 302
    refused = owner.post("/bo/countries/ES/delete/")
    assert refused.status_code == 409 and "networks" in refused.content.decode()
    assert Country.objects.filter(pk="ES").exists() and not Country.objects.filter(pk="ZZ").exists()


def test_a_network_is_found_by_its_name_its_operator_and_any_of_its_codes(owner: Any) -> None:
    for term in ("Vodafone", "21401"):
        found = owner.get("/bo/networks/", {"q": term, "country": "ES"}).context["list"].table
        assert "Vodafone" in [row.label for row in found], term
    cells = [str(cell.html) for cell in owner.get("/bo/networks/?code_list=21401").context["list"].table[0].cells]
    assert cells[1] == "Vodafone" and "21401" in cells[4]
    assert "Vodafone" in owner.get("/bo/find/?q=21401").content.decode()


def test_a_network_with_its_code_and_prefix_is_entered_by_hand(owner: Any) -> None:
    from relais.records.catalog.models import Network, NetworkCode, NumberPrefix

    assert owner.post("/bo/networks/new/", {"name": "Casa", "country": "ES", "operator": "Casa SL"}).status_code == 302
    network = Network.objects.get(name="Casa")
    values = {"mcc": "214", "mnc": "99", "network": network.pk}
    assert owner.post("/bo/network-codes/new/", values).status_code == 302
    assert NetworkCode.objects.get(pk="21499").network == network
    again = owner.post("/bo/network-codes/new/", values)
    assert again.status_code == 422 and "there already" in str(again.context["drawer"].form.errors)
    assert (
        owner.post(
            "/bo/number-prefixes/new/", {"prefix": "+34699999", "country": "ES", "network": network.pk}
        ).status_code
        == 302
    )
    made = NumberPrefix.objects.get(pk="34699999")
    assert (made.network, made.source) == (network, "manual")
    form = owner.get("/bo/number-prefixes/34699999/edit/", headers={"HX-Request": "true"}).content.decode()
    assert "Spain" in form and "Casa" in form and 'name="prefix"' not in form
    networks = owner.get("/bo/number-prefixes/new/?options=network&country=ES&term=Casa").json()["options"]
    assert [option["text"] for option in networks] == ["Casa"]
    refused = owner.post(f"/bo/networks/{network.pk}/delete/")
    assert refused.status_code == 409 and "1 network code" in refused.content.decode()


def test_an_import_shows_what_is_new_changed_and_gone_and_changes_nothing(owner: Any) -> None:
    codes = spain()
    first, kept = codes[0], codes[2:]
    text = lines_of(kept) + f"{first.mcc},{first.mnc},ES,Another name\n214,77,ES,Casa\n"
    preview = upload(owner, text)
    assert preview.redirect_chain == [(f"{IMPORT}?step=preview", 302)]
    context = preview.context
    assert context["counts"] == {"new": 1, "changed": 1, "gone": 1, "errors": 0}
    assert context["unchanged_count"] == len(kept)
    page = preview.content.decode()
    assert f"{first.network.name}</del> Another name" in page, "the old value stands beside the new one"
    assert "21477" in owner.get(f"{IMPORT}?step=preview&show=new").content.decode()
    assert codes[1].mccmnc in owner.get(f"{IMPORT}?step=preview&show=gone").content.decode()
    assert [(code.mccmnc, code.network.name) for code in spain()] == [(c.mccmnc, c.network.name) for c in codes]


def test_an_import_says_in_numbers_what_it_will_do_then_does_it_once(owner: Any) -> None:
    from relais.records.people.models import AuditAction

    codes = spain()
    upload(owner, lines_of(codes[1:]) + "214,77,ES,Casa\n")
    page = owner.get(f"{IMPORT}?step=confirm").content.decode()
    assert "1 network code is added." in page and "0 are changed." in page and "Delete the 1 that is gone" in page
    done = confirm(owner)
    assert done.context["done"] == {"file": "codes.csv", "new": 1, "changed": 0, "removed": 0, "left": 1}
    assert [code.mccmnc for code in spain()] == sorted([code.mccmnc for code in codes] + ["21477"])
    assert AuditAction.objects.filter(action="Import network codes").count() == 1
    assert "digest" not in owner.get(f"{IMPORT}?step=confirm").context, "the file is gone once it is imported"


def test_codes_that_are_gone_are_deleted_when_told_so(owner: Any) -> None:
    codes = spain()
    upload(owner, lines_of(codes[1:]))
    assert confirm(owner, remove_gone="1").context["done"]["removed"] == 1
    assert [code.mccmnc for code in spain()] == [code.mccmnc for code in codes[1:]]


def test_lines_with_errors_are_told_and_stop_the_import(owner: Any) -> None:
    preview = upload(owner, HEAD + "21x,01,ES,Casa\n214,77,ES,Casa\n")
    assert preview.context["counts"]["errors"] == 1 and not preview.context["ready"]
    assert [number for number, _ in preview.context["errors"]] == [2]
    assert "digest" in owner.get(f"{IMPORT}?step=confirm").context, "there is no third step to go to"
    assert owner.get(f"{IMPORT}?step=confirm").context["step"] == 2
    refused = owner.post(f"{IMPORT}?step=confirm", {"digest": preview.context["digest"]})
    assert refused.status_code == 409 and "Nothing has been changed" in refused.content.decode()
    assert "21477" not in [code.mccmnc for code in spain()]


def test_a_dictionary_that_moved_on_since_the_preview_is_looked_at_again(owner: Any) -> None:
    codes = spain()
    upload(owner, lines_of(codes) + "214,77,ES,Casa\n")
    digest = owner.get(f"{IMPORT}?step=confirm").context["digest"]
    codes[0].delete()
    refused = owner.post(f"{IMPORT}?step=confirm", {"digest": digest})
    assert refused.status_code == 409 and "changed meanwhile" in refused.content.decode()
    assert [code.mccmnc for code in spain()] == [code.mccmnc for code in codes[1:]]


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), ("a,b\n1,2\n", "heading lacks MCC, MNC, Network")])
def test_what_is_no_such_table_is_refused_with_the_reason(text: str, reason: str, owner: Any) -> None:
    answer = upload(owner, text)
    assert answer.status_code == 422 and reason in answer.content.decode()


def test_number_prefixes_are_imported_in_the_same_way(owner: Any) -> None:
    from relais.records.catalog.models import NumberPrefix

    url = "/bo/import/number-prefixes/"
    before = NumberPrefix.objects.filter(country="ES").count()
    preview = upload(owner, "Prefix,ISO,Network\n34699998,ES,Vodafone\n", url)
    assert (preview.context["counts"]["new"], preview.context["counts"]["gone"]) == (1, before)
    assert "Vodafone" in owner.get(f"{url}?step=preview&show=new").content.decode()
    assert confirm(owner, url).context["done"]["new"] == 1
    made = NumberPrefix.objects.get(pk="34699998")
    assert (made.network.name, made.source) == ("Vodafone", "imported")


def test_a_reseller_has_no_import(reseller: Any) -> None:
    assert reseller.get(IMPORT).status_code == 403
    assert reseller.post(IMPORT).status_code == 403
    assert "Import network codes" not in reseller.get("/bo/networks/").content.decode()
