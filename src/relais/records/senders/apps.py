"""Django application of this area."""

from django.apps import AppConfig


class SendersConfig(AppConfig):
    name = "relais.records.senders"
    label = "senders"
