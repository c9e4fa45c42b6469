"""The bell of the BackOffice and the mails behind it: whose balance does not cover what is sent."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.account.test_reset_by_mail import mail_server, text_of, work
from tests.pages.conformance import by_session
from tests.records.traffic_rows import put

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)


def short_of(code: str, messages: int, at: datetime = NOW) -> Any:
    from relais.records.agreements.models import Agreement

    agreement = Agreement.objects.get(agreement_code=code)
    hour = at.replace(minute=0)
    put("traffic_shortage", agreement_id=agreement.pk, hour=hour, messages=messages, last_at=at)
    return agreement


def told(client: Any, url: str = "/bo/banks/") -> list[tuple[str, str]]:
    """Words and address of each notice."""
    menu = html.unescape(client.get(url).content.decode()).partition('id="notices-menu"')[2].partition("</div>\n")[2]
    return re.findall(r'<a href="([^"]+)">.*?<span>(.*?)</span></a>', menu.partition("</header>")[0], re.DOTALL)


def test_RSL_43_the_bell_tells_each_level_of_its_own_agreements_alone(pages: str) -> None:
    """Those it buys under first. Nothing that is older than a day."""
    bought, sold = short_of("HH-1", 1), short_of("TM-1", 1_200)
    short_of("HH-1", 500, NOW - timedelta(hours=26))
    assert told(by_session("reseller")) == [
        (
            f"/bo/agreements/{bought.pk}/",
            "Your agreement HH-1 with System owner did not cover 1 message in the last 24 hours.",
        ),
        (
            f"/bo/agreements/{sold.pk}/",
            "Agreement TM-1 of Telecom Monsters did not cover 1200 messages in the last 24 hours.",
        ),
    ]
    assert told(by_session("owner")) == [
        (
            f"/bo/agreements/{bought.pk}/",
            "Agreement HH-1 of Hornes and Hooves did not cover 1 message in the last 24 hours.",
        )
    ]
    assert by_session("reseller").get(f"/bo/agreements/{bought.pk}/").status_code == 200


def test_the_bell_says_nothing_to_those_without_the_line_and_that_all_is_well(pages: str) -> None:
    from relais.records.people.models import User

    client = by_session("reseller")
    assert "Nothing keeps anybody from sending." in client.get("/bo/banks/").content.decode()
    short_of("HH-1", 3)
    User.objects.filter(login="reseller").update(
        no_restrictions=False, deviations={"Agreements": "none", "Banks": "view"}
    )
    answer = client.get("/bo/banks/")
    assert answer.status_code == 200 and told(client) == []


def test_RSL_43_AG_46_the_buyer_is_written_to_at_the_account_e_mails_once_a_day(pages: str) -> None:
    from relais.records.agreements.models import AgreementVersion
    from relais.records.billing.notices import tell_shortages

    bought, sold = short_of("HH-1", 1), short_of("TM-1", 7)
    AgreementVersion.objects.filter(agreement=bought).update(
        account_emails="cfo@reseller.example, reseller@example.com"
    )
    AgreementVersion.objects.filter(agreement=sold).update(account_emails="")
    later = NOW + timedelta(minutes=20)
    assert [tell_shortages(later), tell_shortages(later)] == [1, 0]
    short_of("HH-1", 4, NOW + timedelta(hours=20))
    assert tell_shortages(NOW + timedelta(hours=21)) == 0
    short_of("HH-1", 4, NOW + timedelta(hours=25))
    assert tell_shortages(NOW + timedelta(hours=26)) == 1
    with mail_server() as sink:
        work(pages)
        work(pages)
    subject = "Agreement HH-1 does not cover what is sent"
    assert sorted((mail["To"], mail["Subject"]) for mail in sink.mails) == sorted(
        (to, subject) for to in ("cfo@reseller.example", "reseller@example.com") for _ in range(2)
    )
    texts = {text_of(mail) for mail in sink.mails}
    assert any("8 messages were refused" in text for text in texts) and any(
        "1 message was refused" in text for text in texts
    )
    assert all(bought.own_legal_entity.legal_company_name in text and "TM-1" not in text for text in texts)
