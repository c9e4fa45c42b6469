"""The BackOffice as a Django app: its templates."""

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "relais.backoffice"
    label = "backoffice"
