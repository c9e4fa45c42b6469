"""What stands before every page: a logged-in person of this site with the page's permission line; else a log-in or a plain no."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from relais.pages.addresses import address
from relais.pages.viewer import VIEW, viewer_of

View = Callable[..., HttpResponse]


def guarded(site: Any, line: str, page: str, level: str = VIEW) -> Callable[[View], View]:
    """Lets a view run for people of the site's own interface who may see it, with `request.viewer` made; 401 to a script
    whose session has ended, so that a half-filled form is not lost."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated or request.user.interface != site.name:
                log_in = address("log-in")
                if request.headers.get("HX-Request"):
                    return render(request, "pages/session_ended.html", {"log_in_url": log_in}, status=401)
                return HttpResponseRedirect(f"{log_in}?{urlencode({'next': request.get_full_path()})}")
            viewer_of(request)
            request.site, request.page = site, page  # type: ignore[attr-defined]  # what the frame's template needs
            return with_permission(line, level)(view)(request, *args, **kwargs)

        return guard

    return wrap


def with_permission(line: str, level: str = VIEW) -> Callable[[View], View]:
    """Lets a guarded view run only for people with `level` of a further line; who has it not is told which is missing."""

    def wrap(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not viewer_of(request).may(line, level):
                words = gettext("You need the permission %(line)s (%(level)s).") % {"line": line, "level": level}
                return problem(request, 403, gettext("This page is not yours to see"), words)
            return view(request, *args, **kwargs)

        return asked

    return wrap


def problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """A page that says what is wrong and what to do; to a script the words alone."""
    template = "pages/error_text.html" if request.headers.get("HX-Request") else "pages/error.html"
    return render(request, template, {"status": status, "title": title, "text": text}, status=status)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame around every page shows."""
    site, viewer = getattr(request, "site", None), getattr(request, "viewer", None)
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {"theme": theme if theme in ("light", "dark") else "", "site": site, "viewer": viewer}
    if site is not None and viewer is not None:
        # Asked by the frame alone, not by each part of a page.
        context["menu"] = SimpleLazyObject(partial(site.menu, viewer, getattr(request, "page", "")))
        if site.header_of is not None:
            context["header"] = partial(site.header_of, viewer)
    return context
