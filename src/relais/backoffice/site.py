"""The BackOffice as a site: the groups of its menu in the guide's order, and whatever the two packages declare."""

from relais.backoffice import entities, screens
from relais.backoffice.header import notices_of
from relais.pages.site import Site

GROUPS = (
    ("Traffic", "activity"),
    ("Account management", "building"),
    ("Finance", "coin-euro"),
    ("MCCMNC", "antenna-bars-5"),
    ("Users", "users"),
    ("Reports", "chart-bar"),
    ("Notifications", "bell"),
    ("Settings", "settings"),
    ("Audit", "history"),
    ("Pre-moderation", "shield-check"),
    ("Portals", "world"),
)

SETUP = (  # GEN-26 to GEN-34
    ("Own legal entity", "own-legal-entities"),
    ("Company", "companies"),
    ("Legal entity of the company", "legal-entities"),
    ("Agreement", "agreements"),
    ("Service with its rates", "services"),
    ("Service enabled on the agreement", "enabled-services"),
    ("Sender ID, tied to the agreement", "sender-ids"),
)

BACKOFFICE = Site("backoffice", "BackOffice", GROUPS, SETUP, header="backoffice/header.html", header_of=notices_of)
BACKOFFICE.discover(entities)
BACKOFFICE.discover(screens)
