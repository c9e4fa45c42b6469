"""What countries take as senders: refused before anything is charged, with the reason, until a registration is approved."""

import asyncio

from tests.pipeline.conftest import ITALY, VODAFONE, Running, on

from relais.core.refusals import Refusal
from relais.pipeline.configuration import Sender
from relais.pipeline.sender_rules import SenderRule, SenderRules, compiled
from relais.pipeline.submission import Accepted, Refused, Submission

RULES = SenderRules(
    {
        "IT": SenderRule("Italy", "not_allowed", "allowed"),
        "IN": SenderRule("India", "document", "not_allowed", "a letter of the company"),
        "FR": SenderRule("France", "registration", "registration"),
        "XX": SenderRule("Nowhere", "not_allowed", "not_allowed"),
    },
    {(1, "IN"): False, (2, "IN"): True, (1, "FR"): False},
)


def told(sender_id: int, text: str, country: str) -> tuple[str, str] | None:
    refused = RULES.refuse(Sender(sender_id, 1, 1, text, "active", 1), country)
    return refused and (refused.refusal.value, refused.detail)


def test_WC_12_WC_13_a_country_takes_names_or_numbers_or_what_is_registered() -> None:
    assert told(1, "Monsters", "ES") is None, "without a rule every sender goes"
    assert told(1, "+34600", "IT") is None
    assert told(1, "Monsters", "IT") == (
        "sender_not_allowed", "Italy takes numbers only as senders: choose a sender ID of digits.",
    )  # fmt: skip
    assert told(1, "2525", "IN") == (
        "sender_not_allowed", "India takes no number as sender: choose a sender ID with letters.",
    )  # fmt: skip
    assert told(1, "Monsters", "XX") == ("sender_not_allowed", "Nowhere takes no SMS from a sender ID of its own.")
    assert told(1, "Monsters", "IN") == (
        "sender_not_registered",
        "India asks for a registration with a document before it takes this sender ID: ask your provider to register it"
        " (a letter of the company).",
    ), "WC-14, WC-29: approved without a document is not enough"
    assert told(2, "Monsters", "IN") is None
    assert told(1, "Monsters", "FR") is told(1, "2525", "FR") is None
    assert told(2, "2525", "FR") == (
        "sender_not_registered",
        "France asks for a registration before it takes this sender ID: ask your provider to register it.",
    )


def test_no_rule_at_all_is_nothing_to_ask() -> None:
    assert compiled([], [{"sender_id": 1, "country_id": "IT", "documented": True}]) is None


async def until(pipeline: Running, to: str, wanted: Refusal | None) -> None:
    """Until a message to that number would be refused so, which is within a second of a change."""
    async with asyncio.timeout(10):
        while True:
            submission = Submission(source="Monsters", destination=to, text="Hello")
            outcome = pipeline.traffic.refusal_of(pipeline.key, submission)
            if (outcome.refusal if outcome else None) is wanted:
                return
            await asyncio.sleep(0.02)


def test_WC_28_WC_29_what_a_country_does_not_take_is_refused_and_not_charged_until_it_is_approved(
    spain_db: str,
) -> None:
    """Operators' data reach traffic as it runs; a message that was refused left neither a row nor a reservation."""

    async def story(pipeline: Running) -> None:
        await pipeline.until_sent((await pipeline.accepted(ITALY)).message_id)
        await pipeline.session.execute(
            "INSERT INTO senders_senderrule (country_id, names, documents) VALUES ('IT', 'registration', 'a letter')"
        )
        await until(pipeline, ITALY, Refusal.SENDER_NOT_REGISTERED)
        before = await pipeline.money(), await pipeline.session.fetchval("SELECT count(*) FROM traffic_message")
        refused = await pipeline.send(ITALY)
        assert isinstance(refused, Refused)
        assert refused.detail == (
            "Italy asks for a registration before it takes this sender ID: ask your provider to register it (a letter),"
            " or send from a number."
        )
        after = await pipeline.money(), await pipeline.session.fetchval("SELECT count(*) FROM traffic_message")
        assert after == before
        assert isinstance(await pipeline.send(VODAFONE), Accepted), "other countries are as they were"
        await pipeline.session.execute(
            "INSERT INTO senders_senderregistration (company_id, sender_id, country_id, status)"
            " SELECT company_id, id, 'IT', 'pending' FROM senders_senderid WHERE sender_id = 'Monsters'"
        )
        await until(pipeline, ITALY, Refusal.SENDER_NOT_REGISTERED)
        await pipeline.session.execute(
            "UPDATE senders_senderregistration SET status = 'approved' WHERE country_id = 'IT'"
        )
        await until(pipeline, ITALY, None)
        await pipeline.session.execute("UPDATE senders_senderrule SET names = 'not_allowed' WHERE country_id = 'IT'")
        await until(pipeline, ITALY, Refusal.SENDER_NOT_ALLOWED)

        # SID-228, SID-232: only an active sender on a connection in use sends
        count = await pipeline.session.fetchval("SELECT count(*) FROM traffic_message")
        for status in ("blocked", "draft"):
            await pipeline.session.execute("UPDATE senders_senderid SET status = $1", status)
            await until(pipeline, VODAFONE, Refusal.SENDER_BLOCKED)
            assert isinstance(await pipeline.send(VODAFONE), Refused)
        await pipeline.session.execute("UPDATE senders_senderid SET status = 'active'")
        await pipeline.session.execute("UPDATE connections_vendorsmppconnection SET disabled = true")
        await until(pipeline, VODAFONE, Refusal.SENDER_NOT_CONNECTED)
        assert isinstance(await pipeline.send(VODAFONE), Refused)
        assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_message") == count

    on(spain_db, story)
