"""The Client portal as a site: the groups of its menu (CP-72), and whatever the two packages declare."""

from relais.pages.site import Site
from relais.portal import entities, screens
from relais.portal.header import header_of

GROUPS = (
    ("Dashboard", "layout-dashboard"),
    ("Broadcast", "speakerphone"),
    ("Contacts", "address-book"),
    ("Conversations", "messages"),
    ("Statistics", "chart-bar"),
    ("Assets", "folders"),
    ("Finance", "wallet"),
    ("Users", "users"),
)

PORTAL = Site(
    "client_portal", "Client portal", GROUPS, look="rl-portal", documentation="portal/documentation.html",
    header="portal/header.html", header_of=header_of,
)  # fmt: skip
PORTAL.discover(entities)
PORTAL.discover(screens)
