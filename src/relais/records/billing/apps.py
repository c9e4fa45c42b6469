"""Django application of this area."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "relais.records.billing"
    label = "billing"
