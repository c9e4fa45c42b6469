"""Django application of this area."""

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "relais.records.agreements"
    label = "agreements"
