"""The import of rates in the BackOffice: upload, columns and settings, preview, confirmation (spec 11)."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from tests.pages.conftest import arrived
from tests.records.test_import_rates import CSV, service, target, tree

NORDIC = (
    "Nordic wholesale;;;;\ncountry;network;code;price;billing rule\nNetherlands;All networks;204;0.077;\n"
    "Netherlands;Telfort;204012;0.046;\nSweden;All networks;240;0.042;Submitted\nSweden;Sweden 3g;240005;0.037;Submitted\n"
    "Sweden;Com Hem;240011;0.0355;Submited\nSweden;Gotanet;240017;n/a;Submitted\nSweden;Nobody;240088;0.1;\n"
)


def url(step: str = "", **query: Any) -> str:
    told = "&".join(f"{name}={value}" for name, value in ({"step": step} | query).items() if value != "")
    return f"/bo/services/{service().pk}/scopes/{service().scopes.get().pk}/import/" + (f"?{told}" if told else "")


def upload(client: Any, text: str | bytes, **sent: Any) -> Any:
    octets = text.encode() if isinstance(text, str) else text
    sent = {"node": target().pk, "format": "standard"} | sent
    return client.post(url("upload"), sent | {"file": SimpleUploadedFile("rates.csv", octets)}, follow=True)


def change(client: Any, do: str, **sent: Any) -> Any:
    return client.post(url("columns"), {"do": do} | sent, follow=True)


def page(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:3000]
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def heads(answer: Any) -> list[tuple[str, str, str]]:
    return [(head.label, head.by, head.said) for head in answer.context["heads"]]


def test_RI_13_RI_17_RI_92_RI_103_from_the_file_to_the_tree(reseller: Any) -> None:
    """RI-1, RI-2, RI-3, RI-15, RI-18, RI-34, RI-89, RI-90, RI-91, RI-99, RI-105."""
    before = tree()
    first = reseller.get(url())
    kinds = [value for value, _ in first.context["form"].fields["format"].choices]
    assert kinds == ["standard", "whatsapp_basic", "whatsapp_tier"], "RI-5"
    assert 'value="standard"' in page(first) and 'value="whatsapp_' not in page(first), (
        "RI-6: no WhatsApp in this scope"
    )
    assert "An import that nobody goes on with is removed after 7 days." in page(first)
    offered = first.context["places"]
    assert [label for _, label in offered][-1] == "SMS messaging / SMS message / A2P (MT)"
    spain = target("sms_messaging/sms_message/A2P/ES")
    deep = reseller.get(url("upload", node=spain.pk)).context["places"]
    assert [label for _, label in deep][-1] == "SMS messaging / SMS message / A2P (MT) / Spain", "RI-3: any node"
    editor = reseller.get(f"/bo/scopes/{spain.scope_id}/rates/{spain.pk}/")
    assert url("upload", node=spain.pk).replace("&", "&amp;") in editor.content.decode(), "RI-2: from the node itself"
    assert url() in reseller.get(f"/bo/services/{service().pk}/").content.decode()
    shown = upload(reseller, CSV)
    assert "Resource: A2P (MT) - Import from file" in page(shown) and "1 of 5 rows will be left out" in page(shown)
    for part in ("File preview", "Settings", "Tree structure", "Import column A as: Country"):
        assert part in page(shown), part
    assert heads(shown)[0] == ("Country", "Country name in English", "no match for 1 value")
    assert shown.context["fixed"] == [("Direction (MT/MO)", "A2P (MT)")], "RI-105"
    preview = reseller.get(url("preview"))
    text = page(preview)
    for part in ("Preview", "214-01 Vodafone", "0.04500", "The current scope is replaced below A2P (MT).", "Portugal"):
        assert part in text, part
    assert preview.context["agreements_count"] == 1 and tree() == before
    errors = page(reseller.get(url("preview", show="errors")))
    assert "Nowhere" in errors and "No match in Country" in errors, "RI-91"
    confirm = reseller.get(url("confirm"))
    assert "This takes effect at once." in page(confirm)
    refused = reseller.post(url("confirm"), {"stamp": "of something else"})
    assert refused.status_code == 409 and tree() == before
    done = reseller.post(url("confirm"), {"stamp": confirm.context["seen"].stamp}, follow=True)
    assert "Imported from rates.csv." in page(done) and tree()["A2P", "ES", "21401"] == 45_000
    assert reseller.get(url("preview")).context["form"], "RI-99: the file is gone"


def test_RI_19_to_RI_67_columns_settings_and_values_by_hand(reseller: Any) -> None:
    """RI-24, RI-25, RI-29, RI-30, RI-31, RI-35, RI-36, RI-47, RI-48; the values: RI-61, RI-62, RI-63, RI-64, RI-65, RI-66, RI-67,
    RI-80, RI-86."""
    shown = upload(reseller, NORDIC)
    assert shown.context["settings"].start_row == 3
    assert [head[0] for head in heads(shown)] == ["Country", "", "MCCMNC", "Price", "Billing rule"]
    assert heads(shown)[2:] == [
        ("MCCMNC", "", "no match for 1 value"), ("Price", "", "1 not readable"), ("Billing rule", "", "all match"),
    ]  # fmt: skip
    assert [label for _, label, _ in shown.context["sections"]] == ["Country", "MCCMNC"]
    dialog = reseller.get(url().removesuffix("/") + "/columns/1/?meaning=network&by=name")
    assert dialog.context["ways"] == [("key", "Key"), ("name", "Name"), ("mccmnc", "MCCMNC")], "RI-47"
    assert "Matching" in page(dialog) and "Full match" in page(dialog), "RI-110"
    for meaning in ("price", "phone_number", "billing_rule"):
        assert not reseller.get(url() + f"columns/3/?meaning={meaning}").context["ways"], "RI-45"
    assert reseller.get(url() + "columns/1/?meaning=mccmnc").context["ways"] == [("key", "Key")], "RI-46"
    shown = change(reseller, "column", at=1, meaning="network", by="name", matching="best")
    assert [label for _, label, _ in shown.context["sections"]] == ["Country", "MCCMNC", "Network"], "RI-26"
    assert heads(shown)[1][1:] == ("Name · best match", "no match for 2 values")
    shown = change(reseller, "sections", section=["country", "network", "mccmnc", "mno"])
    assert [label for _, label, _ in shown.context["sections"]] == ["Country", "Network", "MCCMNC", "MNO"], (
        "RI-27, RI-28"
    )
    shown = change(reseller, "sections", section=["country", "network", "mccmnc"])
    assert "mno" not in [key for key, _, _ in shown.context["sections"]], "RI-30: taken out again"
    shown = change(reseller, "column", at=2, meaning="")
    assert [label for _, label, _ in shown.context["sections"]] == ["Country", "Network"], "RI-49"
    unmatched = shown.context["mapping"]["values"]
    assert [(value.met.value, value.place) for value in unmatched] == [("Com Hem", "Sweden"), ("Nobody", "Sweden")]
    found = reseller.get(url() + "values/1/?term=hem&within=SE").json()["options"]
    assert all("hem" in option["text"].lower() for option in found)
    tele2 = reseller.get(url() + "values/1/?term=tele2&within=SE").json()["options"][0]
    shown = change(reseller, "map", at=1, value=["Com Hem"], within=["SE"], to=[tele2["value"]])
    mapped = {value.met.value: value.tone for value in shown.context["mapping"]["values"]}
    assert mapped == {"Com Hem": "ok", "Nobody": "warn"}, "RI-62, RI-64"
    corrected = change(reseller, "map", at=1, value=["Telfort"], within=["NL"], to=["others"])
    assert corrected.context["rows"][3].cells[1] == ("Telfort", "ok", "Others"), "RI-66: an automatic match corrected"
    change(reseller, "map", at=1, value=["Telfort"], within=["NL"], to=[""])
    shown = change(reseller, "map", at=3, value=["n/a"], within=[""], to=["0.02"])
    assert not shown.context["mapping"]["unmatched_count"] and "1 of 7 rows will be left out" in page(shown)
    assert change(reseller, "start", start_row=5).context["settings"].start_row == 5, "RI-19"
    assert change(reseller, "duplicates", duplicates="last").context["settings"].duplicates == "last"
    shown = change(reseller, "column", at=3, meaning="")
    assert "Declare the column that holds the price." in page(shown), "RI-33"
    blocked = reseller.get(url("preview"))
    assert blocked.status_code == 422 and "holds the price" in blocked.content.decode()
    shown = change(reseller, "read", encoding="cp1251", separator=",")
    assert len(shown.context["heads"]) == 1, "RI-98: read again as the person says"


def test_RI_16_RI_96_what_cannot_be_is_said_and_nothing_happens(reseller: Any) -> None:
    from relais.records.catalog.models import RateImport

    for content, reason in ((b"", "empty"), (b"PK\x03\x04", "damaged"), (b"a;b\n" * 200_001, "more than 200000 rows")):
        refused = upload(reseller, content)
        assert refused.status_code == 422 and reason in refused.content.decode(), reason
    assert (
        upload(reseller, CSV, node="999999").status_code
        == 422
        == upload(reseller, CSV, format="whatsapp_tier").status_code
    )
    assert not RateImport.objects.exists()
    upload(reseller, CSV)
    for do, sent in (
        ("column", {"at": "0", "meaning": "colour"}), ("column", {"at": "0", "meaning": "country", "by": "shoe"}),
        ("column", {"at": "x"}), ("duplicates", {"duplicates": "all"}), ("map", {"at": "99"}), ("read", {"encoding": "x"}),
        ("sheet", {"sheet": "4"}), ("nothing", {}), ("column", {"at": "0", "meaning": "direction"}),
    ):  # fmt: skip
        answer = change(reseller, do, **sent)
        assert answer.status_code == 422, (do, sent)
    assert heads(reseller.get(url("columns", map="77", **{"from": "x"})))[0][0] == "Country"
    assert reseller.get(url() + "columns/300/").status_code == 404 == reseller.get(url() + "values/1000/").status_code


def test_RI_99_RI_100_RI_108_an_import_is_its_persons_own_and_canceling_leaves_the_tree(
    reseller: Any, owner: Any
) -> None:
    from relais.records.catalog.models import RateImport, RateImportFile
    from relais.records.people.models import User

    before = tree()
    upload(reseller, CSV)
    assert owner.get(url("columns")).status_code == 404, "another company's service"
    colleague = User.objects.get(login="reseller")
    colleague.pk, colleague.login, colleague.e_mail = None, "colleague", "colleague@example.com"
    colleague._state.adding = True
    colleague.save()
    colleague.no_restrictions = True
    colleague.save()
    other = arrived("colleague")
    assert other.get(url("columns")).context.get("heads") is None, (
        "of a file that somebody else uploaded nothing is seen"
    )
    assert "rates.csv is being imported here." in page(reseller.get(url("upload")))
    assert reseller.post(url("cancel"), follow=True).status_code == 200
    assert tree() == before and not RateImportFile.objects.exists()
    assert [each.state for each in RateImport.objects.all()] == ["canceled"]


def test_RI_109_a_large_sheet_is_previewed_aside_with_progress_and_shown_by_pages(reseller: Any) -> None:
    from threading import enumerate as threads

    rows = "".join(f"Spain;21401;{3_460_000_000 + n};0.{n % 89 + 10}\n" for n in range(20_500))
    shown = upload(reseller, f"Country;MCCMNC;Phone number;Price\n{rows}")
    assert shown.context["readable_count"] == 20_500
    waiting = reseller.get(url("preview"))
    assert "The preview is being made" in page(waiting) and waiting.context["rows_count"] == 20_501
    for thread in threads():
        if thread.name == "preview":
            thread.join(60)
    told = reseller.get(url("preview"), headers={"HX-Request": "true"})
    assert told.headers["HX-Redirect"] == url("preview"), "who waits is led to the preview"
    seen = reseller.get(url("preview"))
    assert (seen.context["seen"].counts.new, seen.context["count"]) == (20_500, 20_506), "two branches and four that go"
    assert len(seen.context["lines"]) == 200 and seen.context["following"] == 201
    last = reseller.get(url("preview", **{"from": 20_401}))
    assert (last.context["last"], last.context["following"]) == (20_506, 0)
