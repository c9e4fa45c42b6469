"""Periodic jobs that are business verbs about money: each in a transaction of its own, and said again it changes nothing."""

from datetime import UTC, datetime

import procrastinate
import structlog

log = structlog.get_logger()


def add_money_jobs(app: procrastinate.App) -> None:
    """Django must be set up."""

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="lapse_payments", name="lapse_payments")
    def lapse_payments(timestamp: int) -> None:
        """Payments whose confirmation did not come in time stop counting (PAY-14, PAY-60)."""
        from django.db import close_old_connections

        from relais.records.billing.actions.lapse_payments import lapse_payments as lapse

        close_old_connections()
        lapse(datetime.now(UTC))

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="charge_packs", name="charge_packs")
    def charge_packs(timestamp: int) -> None:
        """Packs are paid when their start comes, and bundle packs go on from period to period (ES-71, ES-80)."""
        from django.db import close_old_connections

        from relais.records.catalog.actions.charge_pack import charge_due_packs
        from relais.records.catalog.actions.enable_bundle import extend_bundle_packs

        close_old_connections()
        now = datetime.now(UTC)
        charge_due_packs(now)
        extend_bundle_packs(now)

    @app.periodic(cron="*/5 * * * *")
    @app.task(queueing_lock="charge_sender_fees", name="charge_sender_fees")
    def charge_sender_fees(timestamp: int) -> None:
        """Usage fees of sender IDs, each period once (SID-243)."""
        from django.db import close_old_connections

        from relais.records.senders.actions.fees import charge_due_fees

        close_old_connections()
        charge_due_fees(datetime.now(UTC))

    @app.periodic(cron="*/10 * * * *")
    @app.task(queueing_lock="tell_shortages", name="tell_shortages")
    def tell_shortages(timestamp: int) -> None:
        """Whose balance does not cover what is sent, or a pack or fee, is written to (RSL-43, ES-80)."""
        from django.db import close_old_connections

        from relais.records.billing.notices import tell_shortages as tell
        from relais.records.billing.uncharged import tell_uncharged

        close_old_connections()
        now = datetime.now(UTC)
        tell(now)
        tell_uncharged(now)

    @app.periodic(cron="23 * * * *")
    @app.task(queueing_lock="follow_costs", name="follow_costs")
    def follow_costs(timestamp: int) -> None:
        """Prices by country follow what the messages cost (WC-22)."""
        from django.db import close_old_connections

        from relais.records.catalog.actions.price_countries import follow_costs as follow

        close_old_connections()
        log.info("country_prices.followed", changed=follow(datetime.now(UTC)))
