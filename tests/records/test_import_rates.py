"""Import of rates into the tree of a service: preview, confirmation, what is refused, and the command (spec 11)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import relais
from tests.records.test_parties import reasons_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHEETS = Path(__file__).resolve().parents[1] / "price_sheets"
CSV = "Country;MCC-MNC;Price EUR\nSpain;214;0,09\nSpain;21401;0,045\nSpain;214-07;0,05\nPortugal;268;0,07\nNowhere;999;1\n"


def service(name: str = "SMS service") -> Any:
    from relais.records.catalog.models import Service

    return Service.objects.get(name=name)


def target(place: str = "sms_messaging/sms_message/A2P", name: str = "SMS service") -> Any:
    from relais.records.catalog.price_sheet_context import node_at

    scope = service(name).scopes.get()
    return node_at(scope, place)


def started(content: str | bytes = CSV, node: Any = None, kind: str = "standard", user: Any = None) -> Any:
    from relais.core.price_sheets.settings import Format
    from relais.records.catalog.actions.import_rates import start_import

    octets = content.encode() if isinstance(content, str) else content
    return start_import(node or target(), "rates.csv", octets, Format(kind), user=user)


def person(login: str = "reseller") -> Any:
    from relais.records.people.models import User

    return User.objects.get(login=login)


def tree() -> dict[tuple[str | None, ...], Any]:
    """Prices below A2P by their path."""
    from relais.records.catalog.models import RateNode

    nodes = {node.pk: node for node in RateNode.objects.filter(scope=service().scopes.get(), retired_at=None)}
    found: dict[tuple[str | None, ...], Any] = {}
    for node in nodes.values():
        path: list[str | None] = []
        above: Any = node
        while above is not None:
            path.insert(0, above.value)
            above = nodes.get(above.parent_id)
        if node.split_by is None:
            found[tuple(path[1:])] = node.price_micros if node.price_type == "flat" else node.price_type
    return found


@pytest.mark.usefixtures("spain")
def test_RI_13_RI_95_RI_100_an_import_shows_first_and_then_does_what_it_showed() -> None:
    from relais.records.catalog.actions.import_rates import confirm_import, preview_import, settings_of
    from relais.records.catalog.models import ImportState, RateImport, RateImportFile, RateNode

    before = tree()
    imported = started(user=person())
    assert [str(each) for each in settings_of(imported).sections] == ["country", "mccmnc"]
    seen = preview_import(imported)
    assert tree() == before and seen.left_out_count == 1
    assert [(fault.row, fault.reason) for fault in seen.faults] == [(6, "no match in Country")]
    labels = {line.label: (line.change.value, line.depth) for line in seen.lines}
    assert labels["214-01 Vodafone"] == ("new", 1) and labels["Portugal"] == ("branch", 0)
    assert seen.counts.new == 4 and seen.counts.gone == 4, "Spain was split by network, the rest of the world is gone"
    confirm_import(imported, seen.stamp, NOW)
    assert tree() == {
        ("P2A",): "free",
        ("A2P", "ES", "21401"): 45_000,
        ("A2P", "ES", "21407"): 50_000,
        ("A2P", "ES", None): 90_000,
        ("A2P", "PT", None): 70_000,
    }
    assert RateNode.objects.filter(scope=service().scopes.get()).exclude(retired_at=None).count() >= 5, (
        "the history stays"
    )
    kept = RateImport.objects.get()
    assert (kept.state, kept.confirmed_at, kept.file_name) == (ImportState.CONFIRMED, NOW, "rates.csv")
    assert (kept.counts["new"], kept.counts["records"], kept.counts["left_out"], kept.counts["rows"]) == (4, 4, 1, 5)
    assert not RateImportFile.objects.exists(), "RI-99: the file is kept for the import only"
    again = started(CSV.replace("0,045", "0,0405"), user=person())
    second = preview_import(again)
    changed = [line for line in second.lines if line.change.value == "changed"]
    assert [(line.label, line.difference_bp) for line in changed] == [("214-01 Vodafone", -1_000)]
    kept_ids = set(RateNode.objects.filter(retired_at=None).values_list("pk", flat=True))
    confirm_import(again, second.stamp, NOW)
    after = set(RateNode.objects.filter(retired_at=None).values_list("pk", flat=True))
    assert len(kept_ids - after) == len(after - kept_ids) == 1, "records that stay keep their rows"


@pytest.mark.usefixtures("spain")
def test_RI_101_RI_102_what_was_changed_meanwhile_is_looked_at_again_and_nothing_is_half_done() -> None:
    from relais.records.catalog.actions.import_rates import (
        cancel_import,
        change_settings,
        confirm_import,
        preview_import,
        settings_of,
    )
    from relais.records.catalog.models import RateImport, RateNode

    first, second = started(user=person()), started(user=None)
    seen_first, seen_second = preview_import(first), preview_import(second)
    confirm_import(first, seen_first.stamp, NOW)
    stood = tree()
    assert "changed meanwhile" in str(reasons_of(confirm_import, second, seen_second.stamp, NOW))
    assert "ended" in str(reasons_of(confirm_import, first, seen_first.stamp, NOW))
    seen_second = preview_import(second)
    settings = settings_of(second)
    change_settings(second, settings.undeclared(0))
    assert "changed meanwhile" in str(reasons_of(confirm_import, second, seen_second.stamp, NOW))
    cancel_import(second)
    assert "ended" in str(reasons_of(confirm_import, second, preview_stamp(), NOW))
    assert tree() == stood and RateImport.objects.filter(state="canceled").count() == 1
    empty = started("Country;Price\nNowhere;0,1\nNothere;0,2\nSpain;n/a\n", user=person())
    change_settings(empty, settings_of(started("Country;Price\nSpain;n/a\nFrance;x\n", user=None)))
    seen = preview_import(empty)
    assert not seen.records and "No row gives a rate" in str(reasons_of(confirm_import, empty, seen.stamp, NOW))
    assert tree() == stood and RateNode.objects.filter(scope=service().scopes.get(), retired_at=None).count() > 4


def preview_stamp() -> str:
    return "0" * 32


@pytest.mark.usefixtures("spain")
def test_RI_3_RI_4_RI_16_what_takes_no_import_says_why() -> None:
    from relais.records.catalog.models import RateImport, RateNode, Scope, Service

    fit = target()
    assert "WhatsApp messaging" in str(reasons_of(started, CSV, fit, "whatsapp_basic"))
    scope = Scope.objects.create(service=service(), effective_from=NOW, draft=True)
    bare = RateNode.objects.create(
        scope=scope, domain="sms_messaging", resource="sms_message", price_type="depends_on", split_by="country"
    )
    assert "billing rule" in str(reasons_of(started, CSV, bare))
    pack = Service.objects.create(name="Pack", company=service().company, type="unit_pack", size=10)
    packed = Scope.objects.create(service=pack, effective_from=NOW)
    node = RateNode.objects.create(
        scope=packed, domain="sms_messaging", resource="sms_message", price_type="included", billing_rule="submitted"
    )
    assert "pay-as-you-go" in str(reasons_of(started, CSV, node))
    assert "empty" in str(reasons_of(started, "\n \n", fit))
    assert "damaged" in str(reasons_of(started, b"PK\x03\x04 torn", fit))
    assert not RateImport.objects.exists()


def test_RI_97_RI_99_a_file_that_unpacks_to_more_than_there_is_ends_its_own_process_only() -> None:
    from bench.imports import workbook

    from relais.records.catalog.price_sheet_process import TOO_COSTLY, read_file
    from relais.records.errors import Invalid

    vast = workbook('<row r="1"><c r="A1"><v>1</v></c></row><row r="150000"><c r="XFD150000"><v>1</v></c></row>')
    assert len(vast) < 2_000
    with pytest.raises(Invalid, match=TOO_COSTLY):
        read_file(vast)
    with pytest.raises(Invalid, match="larger than 0 MB"):
        read_file(vast, octets_max=100)
    formula = read_file(workbook('<row r="1"><c r="A1"><f>1/0+WEBSERVICE("http://x")</f><v>0.5</v></c></row>'))
    assert formula.sheets[0].rows == [[0.5]], "the stored result, never computed"
    hidden = read_file(workbook('<row r="2" hidden="1"><c r="B2" t="inlineStr"><is><t> x </t></is></c></row>'))
    assert hidden.sheets[0].rows == [[], [None, "x"]]


@pytest.mark.usefixtures("spain")
def test_RI_39_to_RI_47_RI_75_dictionaries_have_keys_and_attributes_of_their_own() -> None:
    """RI-40, RI-41, RI-42, RI-43, RI-44, RI-45, RI-46, RI-105."""
    from relais.core.rating.types import Parameter
    from relais.records.catalog.price_sheet_context import context_of

    context = context_of(target())
    assert Parameter.DIRECTION not in context.offered and Parameter.PRICING_CATEGORY not in context.offered
    countries = context.dictionaries[Parameter.COUNTRY]
    assert list(countries.attributes.values()) == [
        "Country name in English", "Country name in French", "Alpha-3 code", "Numeric code",
    ]  # fmt: skip
    assert countries.by_key("de") == "DE" and countries.by_key("DEU") is None
    for attribute, value in (("name", "Germany"), ("name_french", "allemagne"), ("alpha_3", "DEU"), ("numeric", "276")):
        assert countries.by_attribute(attribute, value, best=False) == "DE", attribute
    assert context.dictionaries[Parameter.MCCMNC].attributes == {}, "the code stands for itself"
    assert Parameter.PHONE_NUMBER in context.offered and Parameter.PHONE_NUMBER not in context.dictionaries
    spain_only = context_of(target("sms_messaging/sms_message/A2P/ES"))
    assert Parameter.COUNTRY not in spain_only.offered and spain_only.fixed[Parameter.COUNTRY] == "ES"


@pytest.mark.usefixtures("spain")
def test_RI_106_the_next_file_of_a_supplier_needs_no_new_mapping() -> None:
    import msgspec

    from relais.core.price_sheets.settings import Column, Duplicates, Replacement
    from relais.records.catalog.actions.import_rates import (
        change_settings,
        confirm_import,
        preview_import,
        settings_of,
    )

    imported = started("Where;Net;Fee\nES;214;n/a\nPT;268;0,07\n")
    settings = settings_of(imported)
    assert settings.columns == (), "headings that tell nothing"
    for column in (Column(0, "country"), Column(1, "mccmnc"), Column(2, "price")):
        settings = settings.declared(column)
    settings = msgspec.structs.replace(settings, start_row=2, duplicates=Duplicates.LAST)
    change_settings(imported, settings.replaced([Replacement("price", "n/a", "blocked")]))
    confirm_import(imported, preview_import(imported).stamp, NOW)
    assert tree()["A2P", "ES", None] == "blocked"
    later = settings_of(started("A title\n\nWhere;Net;Fee\nES;214;0,02\nPT;268;n/a\n"))
    assert later.columns == settings.columns and later.start_row == 4 and later.duplicates is Duplicates.LAST
    assert later.replacements == (Replacement("price", "n/a", "blocked"),)
    other = settings_of(started("Land;MCCMNC;Preis\nES;21401;0,02\nPT;26801;0,03\n"))
    assert len(other.columns) == 3 and other.duplicates is Duplicates.ERROR and other.replacements == later.replacements


def test_RI_101_RI_108_the_command_imports_all_or_nothing_and_is_audited(spain: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from relais.commands.import_rates import import_rates
    from relais.records.catalog.models import RateImport
    from relais.records.people.models import AuditLine

    file, faults = tmp_path / "rates.csv", tmp_path / "faults.csv"
    file.write_text(CSV, encoding="utf-16")
    common = ["import-rates", str(file), "--service", "SMS service", "--company", "Hornes and Hooves",
              "--into", "sms_messaging/sms_message/A2P"]  # fmt: skip
    before = tree()
    refused = relais(*common, "--faults", str(faults), dsn=spain)
    assert refused.returncode == 1 and "row 6, column A: 'Nowhere' no match in Country" in refused.stderr
    assert "Nowhere" in faults.read_text() and tree() == before and not RateImport.objects.exists()
    tried = relais(*common, "--dry-run", "--map", "country:Nowhere=FR", "--map", "mccmnc:999=208", dsn=spain)
    assert tried.returncode == 0 and "5 new" in tried.stdout and "Nothing was changed." in tried.stdout, tried.stderr
    assert tree() == before and not RateImport.objects.exists()
    done = relais(*common, "--leave-out-faulty", "--duplicates", "last", "--sections", "country,mcc,mccmnc", dsn=spain)
    assert (done.returncode, done.stderr.count("row")) == (0, 1) and "4 rates imported." in done.stdout
    assert tree()["A2P", "ES", "214", "21401"] == 45_000
    line = AuditLine.objects.filter(table="catalog_rateimport", operation="insert").get()
    assert line.new["file_name"] == "rates.csv" and len(line.new["checksum"]) == 64
    assert line.action.action == "Import rates from rates.csv"
    for wrong, reason in (
        (["--column", "Z9=price"], "no column is called 'Z9'"),
        (["--column", "A=colour"], "'colour' is no meaning"),
        (["--column", "price"], "is not COLUMN=MEANING"),
        (["--sections", "colour"], "'colour' is no attribute"),
        (["--map", "x"], "is not MEANING:VALUE=KEY"),
        (["--sheet", "Rates"], "no sheet is called so"),
        (["--into", "sms_messaging/sms_message/B2B"], "nothing stands at"),
        (["--scope", "2031-01-01"], "no such scope"),
        (["--column", "C="], "Declare the column that holds the price."),
    ):
        answer = CliRunner().invoke(import_rates, [*common[1:], *wrong], env={"RELAIS_DATABASE_URL": spain})
        assert answer.exit_code == 1 and reason in answer.stderr, (wrong, answer.stderr)


@pytest.mark.usefixtures("spain")
def test_RI_8_RI_9_RI_10_RI_12_RI_97_whatsapp_tiers_go_below_region_category_and_regular() -> None:
    from relais.records.catalog.actions.import_rates import choose_sheet, confirm_import, preview_import
    from relais.records.catalog.models import RateNode

    top = RateNode.objects.create(
        scope=service().scopes.get(),
        domain="whatsapp_messaging",
        resource="whatsapp_message",
        price_type="flat",
        price_micros=1,
        billing_rule="submitted",
        quantity_rule="messages",
    )
    content = (SHEETS / "vendor_e_whatsapp_volume_tiers_usd.xlsx").read_bytes()
    imported = started(content, top, "whatsapp_tier")
    assert len(preview_import(imported).records) == 47
    choose_sheet(imported, 2)
    assert "lacks the headings" in str(reasons_of(preview_import, imported))
    choose_sheet(imported, 1)
    seen = preview_import(imported)
    confirm_import(imported, seen.stamp, NOW)
    live = RateNode.objects.filter(resource="whatsapp_message", retired_at=None)
    assert live.filter(value="regular", price_type="scale").count() == 47
    scale = live.get(parent__parent__value="Argentina", value="regular").scale
    assert scale["steps"][0] == {"up_to": 50_000, "price_micros": 5_300} and json.dumps(scale)


@pytest.mark.usefixtures("spain")
def test_RI_13_an_import_is_read_once_for_its_settings_and_canceled_when_nobody_goes_on_with_it() -> None:
    """What is kept of it is read anew after any change of settings or dictionaries; the tree stays as it was."""
    from datetime import timedelta

    from relais.records.catalog.actions.import_rates import (
        FORGOTTEN_AFTER,
        book_of,
        cancel_forgotten,
        change_settings,
        read_with,
        reading_of,
        settings_of,
        sheet_of,
    )
    from relais.records.catalog.models import ImportState, Network, RateImport, RateImportFile
    from relais.records.catalog.price_sheet_context import context_of
    from relais.records.people.models import AuditAction

    before, forgotten, open_one = tree(), started(user=person()), started(user=person("owner"))

    def read() -> Any:
        settings = settings_of(forgotten)
        return reading_of(forgotten, sheet_of(book_of(forgotten), settings), context_of(target()))

    first = read()
    assert read() is first, "another page of the same sheet reads nothing"
    assert first == read_with(
        sheet_of(book_of(forgotten), settings_of(forgotten)), settings_of(forgotten), context_of(target())
    )
    change_settings(forgotten, settings_of(forgotten))
    second = read()
    assert second is not first and second == first
    Network.objects.filter(codes__mccmnc="21401").update(name="Vodafone of Spain")
    assert read() is not second

    forgotten.refresh_from_db()
    later = forgotten.updated_at + FORGOTTEN_AFTER
    RateImport.objects.filter(pk=open_one.pk).update(updated_at=later)
    assert cancel_forgotten(later - timedelta(seconds=1)) == 0
    assert [cancel_forgotten(later), cancel_forgotten(later)] == [1, 0]
    states = dict(RateImport.objects.values_list("pk", "state"))
    assert states == {forgotten.pk: ImportState.CANCELED, open_one.pk: ImportState.OPEN}
    assert list(RateImportFile.objects.values_list("rate_import", flat=True)) == [open_one.pk]
    assert AuditAction.objects.filter(action="Cancel forgotten import of rates from rates.csv").count() == 1
    assert tree() == before
