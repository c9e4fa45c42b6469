"""The job that watches the traffic of sender IDs, and the mails that it has sent (records.guards.traffic_watch)."""

from datetime import UTC, datetime

import procrastinate
import structlog

from relais.jobs.outbox import RETRY

log = structlog.get_logger()


def add_traffic_watch(app: procrastinate.App) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="watch_traffic", name="watch_traffic")
    def watch_traffic(timestamp: int) -> None:
        """Sender IDs whose messages fail, or that send nothing any more, are told of (SID-44, SID-239)."""
        from django.db import close_old_connections

        from relais.records.guards.traffic_watch import watch_traffic as watch

        close_old_connections()
        if notices := watch(datetime.now(UTC)):
            log.info("traffic.watched", notices=notices)

    @app.task(name="send_traffic_mail", retry=RETRY)
    def send_traffic_mail(notice_id: int, address: str) -> None:
        """That messages of a sender ID fail, or that it sends none, to one of those who are told (SID-252, AG-46)."""
        from django.db import close_old_connections

        from relais.records.guards.traffic_watch import send_traffic_mail as send

        close_old_connections()
        log.info("traffic_mail.sent" if send(notice_id, address) else "traffic_mail.dropped", notice_id=notice_id)
