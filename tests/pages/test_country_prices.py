"""The page of a price list: cost beside sale, the profit rate with its preview, one price by hand."""

import html
import re
from typing import Any

from tests.pages.conformance import SCRIPTED, by_session
from tests.records.test_country_prices import service

DASH = "\N{EN DASH}"
USA = "United States of America (the)"


def a_list(company: Any) -> Any:
    from relais.records.catalog.actions.price_countries import save_country_prices
    from relais.records.catalog.models import CountryPrices

    costs = service(company, "Provider", {"by": "country", "is": {"US": "0.062", "DE": "0.1234", "others": "5"}})
    return save_country_prices(CountryPrices(company=company, service=service(company, "World"), cost_service=costs))


def table(page: str) -> dict[str, list[str]]:
    """Cells of each country as they are read."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    read = [
        [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row.split("</td>")] for row in rows
    ]
    return {cells[0]: cells[1:4] for cells in read}


def test_WC_5_WC_6_WC_8_WC_9_WC_18_WC_21_the_samples_of_the_guide_on_their_page(pages: str) -> None:
    from relais.records.parties.models import Company

    client, prices = by_session("owner"), a_list(Company.objects.get(parent=None))
    url = f"/bo/country-prices/{prices.pk}/"
    assert f'href="{url}"' in client.get("/bo/country-prices/").content.decode()
    assert table(client.get(url).content.decode()) == {
        "Germany DE": ["0.1234", DASH, ""], f"{USA} US": ["0.0620", DASH, ""],
    }  # fmt: skip
    page = client.get(url, {"profit": "25"}).content.decode()
    assert "2 prices would change." in page and "Nothing is changed before you confirm." in page
    assert table(page) == {
        "Germany DE": ["0.12340", f"{DASH} 0.15425", "25.0 %"], f"{USA} US": ["0.06200", f"{DASH} 0.07750", "25.0 %"],
    }  # fmt: skip
    (stamp,) = re.findall(r'name="unchanged_since" value="([^"]+)"', page)
    stamp = html.unescape(stamp)
    sent = {"profit": "25", "q": "", "unchanged_since": stamp}
    answer = client.post(url, sent)
    assert answer.status_code == 302 and answer.headers["Location"] == f"{url}?changed=2"
    again = client.post(url, sent)
    assert again.status_code == 422 and "was changed by somebody else meanwhile" in again.content.decode()
    page = client.get(f"{url}?changed=2").content.decode()
    assert "2 prices were written." in page and "profit rate 25 %" in page
    assert table(page)["Germany DE"] == ["0.12340", "0.15425", "25.0 %"]


def test_WC_21_one_price_by_hand_and_back_and_a_rate_for_some(pages: str) -> None:
    from tests.records.test_country_prices import NOW

    from relais.records.catalog.actions.price_countries import apply_profit
    from relais.records.parties.models import Company

    client, prices = by_session("owner"), a_list(Company.objects.get(parent=None))
    apply_profit(prices.pk, 2_500, NOW)
    url = f"/bo/country-prices/{prices.pk}/"
    dialog = client.get(f"{url}US/price/", headers=SCRIPTED).content.decode()
    assert "Price of United States" in dialog and "Costs 0.0620." in dialog
    refused = client.post(f"{url}US/price/", {"price": "a lot"}, headers=SCRIPTED)
    assert refused.status_code == 422 and "Enter a number." in refused.content.decode()
    stored = client.post(f"{url}US/price/", {"price": "0.05"}, headers=SCRIPTED)
    assert stored.headers["HX-Redirect"] == f"{url}?changed=1"
    page = client.get(url, {"show": "below"}).content.decode()
    assert table(page) == {f"{USA} US": ["0.0620", "0.0500", "-19.4 %"]} and "by hand" in page
    page = client.get(url, {"profit": "100", "q": "germ"}).content.decode()
    assert "1 price would change." in page and "1 price made by hand stays." in page
    client.post(url, {"profit": "100", "q": "germ"})
    assert table(client.get(url).content.decode())["Germany DE"][1] == "0.2468"
    client.post(f"{url}US/price/", {"price": ""}, headers=SCRIPTED)
    assert table(client.get(url).content.decode())[f"{USA} US"][1] == "0.0775"


def test_bad_rates_and_strange_lists_change_nothing(pages: str) -> None:
    from relais.records.catalog.models import RateNode
    from relais.records.parties.models import Company

    client, prices = by_session("owner"), a_list(Company.objects.get(parent=None))
    url, before = f"/bo/country-prices/{prices.pk}/", RateNode.objects.count()
    for profit in ("-100", "x", "1e9", "NaN", "0.001", ""):
        answer = client.post(url, {"profit": profit})
        assert answer.status_code == 422 and 'id="profit-error"' in answer.content.decode(), profit
    assert by_session("reseller").get(url).status_code == 404
    assert by_session("reseller").post(url, {"profit": "5"}).status_code == 404
    assert by_session("reseller").get(f"{url}US/price/").status_code == 404
    assert client.get(f"{url}ZZ/price/").status_code == 404
    assert RateNode.objects.count() == before


def test_WC_22_a_reseller_sells_what_it_buys_at_its_own_rate(pages: str) -> None:
    """The costs are those of the service it buys under."""
    from relais.records.catalog.models import EnabledService, Service
    from relais.records.parties.models import Company

    client = by_session("reseller")
    company = Company.objects.get(name="Hornes and Hooves")
    world = service(company, "World")
    bought = EnabledService.objects.filter(agreement__company=company, service__type="pay_as_you_go").first()
    assert bought is not None
    both = {
        "service": world.pk,
        "bought": bought.pk,
        "cost_service": Service.objects.filter(company=company).exclude(pk=world.pk)[0].pk,
    }
    for sent in (both, {"service": world.pk}):
        assert client.post("/bo/country-prices/new/", sent, headers=SCRIPTED).status_code == 422
    client.post("/bo/country-prices/new/", {"service": world.pk, "bought": bought.pk}, headers=SCRIPTED)
    page = client.get(f"/bo/country-prices/{world.country_prices.pk}/", {"profit": "10"}).content.decode()
    assert re.search(r"\d+ prices? would change", page)
    form = client.get(f"/bo/country-prices/{world.country_prices.pk}/edit/", headers=SCRIPTED).context["drawer"].form
    assert form["bought"].value() == bought.pk and not form["cost_service"].value()
