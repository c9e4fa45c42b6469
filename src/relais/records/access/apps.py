"""Access as a Django app. A log-in, however it is made, tells its session when and where it was."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "relais.records.access"
    label = "access"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from relais.records.access.sessions import begun

        user_logged_in.connect(begun, dispatch_uid="session_begun")
