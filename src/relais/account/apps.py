"""My account as a Django app: its templates."""

from django.apps import AppConfig


class AccountConfig(AppConfig):
    name = "relais.account"
    label = "account"
