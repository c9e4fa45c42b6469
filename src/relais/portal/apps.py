"""The Client portal as a Django app: its templates."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "relais.portal"
    label = "portal"
