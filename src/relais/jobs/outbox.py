"""What pages have asked to be sent: mails with links to set a password, log-in codes by SMS (records.access.outbox), mails that a
payment is confirmed, or a balance does not cover what is sent or bought (records.billing), that a sender ID is active
(records.senders.activation), and that a webhook is gone (records.traffic.webhooks).

A mail server or pipeline that is away is tried again for a few minutes: later nobody waits for a code or a link any more.
"""

import json
from collections.abc import Awaitable, Callable

import procrastinate
import structlog

from relais.pipeline.submission import Refused

SendText = Callable[[str, str, str], Awaitable[Refused | None]]
RETRY = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=3)
log = structlog.get_logger()


def add_outbox(app: procrastinate.App, text_sender: SendText | None) -> None:
    """The tasks of the outbox. `text_sender(phone, text, reference)` accepts a message like any other, and once
    for a reference; without it, codes are not sent."""

    @app.task(name="send_reset_mail", retry=RETRY)
    def send_reset_mail(sealed: str) -> None:
        """To each who may be in and has that login or address; to nobody when there is none (PWD-13)."""
        from django.db import close_old_connections

        from relais.records.access.mails import send_reset_mails
        from relais.records.secrets import unseal

        close_old_connections()
        log.info("reset_mail.sent", mails=send_reset_mails(**json.loads(unseal(sealed))))

    @app.task(name="send_payment_mail", retry=RETRY)
    def send_payment_mail(payment_id: int, address: str) -> None:
        """That the payment is confirmed, to one of those who are told (PAY-52)."""
        from django.db import close_old_connections

        from relais.records.billing.notices import send_payment_mail as send

        close_old_connections()
        log.info("payment_mail.sent" if send(payment_id, address) else "payment_mail.dropped", payment_id=payment_id)

    @app.task(name="send_shortage_mail", retry=RETRY)
    def send_shortage_mail(agreement_id: int, messages: int, address: str) -> None:
        """That a balance does not cover what is sent, to one of those who are told (RSL-43)."""
        from django.db import close_old_connections

        from relais.records.billing.notices import send_shortage_mail as send

        close_old_connections()
        send(agreement_id, messages, address)
        log.info("shortage_mail.sent", agreement_id=agreement_id)

    @app.task(name="send_uncharged_mail", retry=RETRY)
    def send_uncharged_mail(agreement_id: int, name: str, reason: str, address: str) -> None:
        """That a pack or a fee could not be charged, to one of those who are told (ES-80)."""
        from django.db import close_old_connections

        from relais.records.billing.uncharged import send_uncharged_mail as send

        close_old_connections()
        send(agreement_id, name, reason, address)
        log.info("uncharged_mail.sent", agreement_id=agreement_id)

    @app.task(name="send_stopped_mail", retry=RETRY)
    def send_stopped_mail(stop_id: int, address: str) -> None:
        """That a webhook said that it is gone, to one of those who are told."""
        from django.db import close_old_connections

        from relais.records.traffic.webhooks import send_stopped_mail as send

        close_old_connections()
        log.info("stopped_mail.sent" if send(stop_id, address) else "stopped_mail.dropped", stop_id=stop_id)

    @app.task(name="send_sms_code", retry=RETRY, pass_context=True)
    async def send_sms_code(context: procrastinate.JobContext, sealed: str) -> None:
        """Once accepted it is charged and carried like any message (TFA-69)."""
        from relais.records.access.outbox import opened, text_of

        if text_sender is None:
            log.warning("sms_code.refused", reason="nothing here sends messages")
            return
        phone, code, language = opened(sealed)
        refusal = await text_sender(phone, text_of(code, language), f"code {context.job.id}")
        if refusal is not None:
            log.warning("sms_code.refused", reason=refusal.refusal.value)


def add_sender_mails(app: procrastinate.App) -> None:
    """The tasks of the outbox about sender IDs."""

    @app.task(name="send_activated_mail", retry=RETRY)
    def send_activated_mail(sender_id: int, address: str) -> None:
        """That a sender ID can be sent from, to one of those who are told (SID-229)."""
        from django.db import close_old_connections

        from relais.records.senders.activation import send_activated_mail as send

        close_old_connections()
        log.info("activated_mail.sent" if send(sender_id, address) else "activated_mail.dropped", sender_id=sender_id)
