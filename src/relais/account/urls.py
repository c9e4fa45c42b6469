"""URLs of a site: log-in, My account, and its own pages. Their names are the same on every site, for the kit's frame links to
them."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from relais.account import profile, security
from relais.account.forgotten import Forgotten
from relais.account.log_in import LogIn, log_out
from relais.pages.doors import home
from relais.pages.find import find_view
from relais.pages.guard import guarded
from relais.pages.site import Site
from relais.pages.viewer import EVERYBODY

View = Callable[..., HttpResponse]


def account_urls(site: Site) -> list[URLPattern]:
    """The first ones are for everybody, all others for people of the site, who each meet themselves alone (ACC-41)."""
    log_in, forgotten, everybody = LogIn(site), Forgotten(site), guarded(site, EVERYBODY, "")
    own: dict[str, tuple[str, View]] = {
        "account": ("", profile.profile_view),
        "account-name": ("name/", profile.name_view),
        "account-picture": ("picture/", profile.picture_view),
        "account-avatar": ("picture/<slug:digest>.png", profile.avatar_view),
        "account-language": ("language/", profile.language_view),
        "account-about": ("about/", profile.about_view),
        "account-security": ("security/", security.security_view),
        "account-password": ("password/", security.password_view),
        "account-app": ("app/", security.app_view),
        "account-app-removal": ("app/remove/", security.app_removal_view),
        "account-recovery": ("recovery-codes/", security.recovery_view),
        "account-number": ("number/", security.number_view),
        "account-number-code": ("number/code/", security.number_code_view),
        "account-number-off": ("number/disable/", security.number_off_view),
        "account-sessions": ("sessions/", security.sessions_view),
        "account-deletion": ("delete/", security.deletion_view),
        "account-deletion-sure": ("delete/sure/", security.deletion_sure_view),
    }
    return [
        path("log-in/", log_in.first, name="log-in"),
        path("log-in/code/", log_in.code, name="log-in-code"),
        path("log-in/password/", log_in.password, name="log-in-password"),
        path("log-out/", log_out, name="log-out"),
        path("theme/", profile.theme_view, name="theme"),
        path("reset/", forgotten.ask, name="reset"),
        path("reset/<slug:who>/<slug:token>/", forgotten.set, name="reset-link"),
        path("generated-password/", security.generated_view, name="generated-password"),
        path("documentation/", everybody(profile.documentation_view), name="documentation"),
        *(path(f"account/{route}", everybody(view), name=name) for name, (route, view) in own.items()),
    ]


def site_urls(site: Site) -> list[URLPattern]:
    """Everything that a site answers, below its prefix."""
    everybody = guarded(site, EVERYBODY, "")
    return [
        path("", everybody(home), name="home"),
        path("find/", everybody(find_view(site)), name="find"),
        *account_urls(site),
        *site.urls(),
    ]
