"""A site: its entities and screens, found by walking a package, with the menu and the URLs that follow from them."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext

from relais.pages.addresses import address
from relais.pages.entity import Entity, Menu
from relais.pages.viewer import EVERYBODY, VIEW, Viewer
from relais.records.people.permissions import LINES


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of its own in the site's frame. `route` is Django's, below the site's prefix; `line` its permission line, of
    which it takes `level`."""

    name: str
    label: str
    route: str
    view: Callable[..., HttpResponse]
    line: str
    menu: Menu | None = None
    level: str = VIEW


@dataclass(frozen=True, slots=True)
class MenuLine:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step of setting a level up. `example`: the newest record it has led to, "" while there is none."""

    label: str
    example: str
    current: bool


@dataclass(frozen=True, slots=True)
class MenuGroup:
    label: str
    icon: str
    lines: tuple[MenuLine, ...]

    @property
    def current(self) -> bool:
        return any(line.current for line in self.lines)

    @property
    def alone(self) -> MenuLine | None:
        """The one line of a group that is called like it: shown without the group around it."""
        return self.lines[0] if len(self.lines) == 1 and self.lines[0].label == self.label else None


@dataclass
class Site:
    """`groups`: (label, icon) in the order of the menu; a name without entities or screens is not shown. `setup`: (label,
    entity) in the order in which a level is set up. `look`: the
    class of its pages. `documentation`: the template of the page that says how to begin. `header`: a template in the head of
    every page, which finds as `header` what `header_of` says of the viewer."""

    name: str
    title: str
    groups: tuple[tuple[str, str], ...]
    setup: tuple[tuple[str, str], ...] = ()
    look: str = ""
    documentation: str = "account/documentation.html"
    header: str = ""
    header_of: Callable[[Viewer], Any] | None = None
    entities: dict[str, Entity] = field(default_factory=dict)
    screens: dict[str, Screen] = field(default_factory=dict)

    def discover(self, package: ModuleType) -> None:
        """Registers every `Entity` and `Screen` that a module of `package` holds in a constant."""
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for value in vars(module).values():
                if isinstance(value, Entity):
                    self._add(self.entities, value)
                elif isinstance(value, Screen):
                    self._add(self.screens, value)

    def urls(self) -> list[URLPattern]:
        from relais.pages.urls import entity_urls  # the views know the site, so they come after it

        found = [url for entity in self.entities.values() for url in entity_urls(self, entity)]
        return found + [path(screen.route, self._guarded(screen), name=screen.name) for screen in self.screens.values()]

    def in_order(self) -> list[Entity]:
        """Entities as the menu has them; those that it does not show come last."""
        groups = [group for group, _ in self.groups]

        def place(entity: Entity) -> tuple[int, int]:
            return (groups.index(entity.menu.group), entity.menu.order) if entity.menu else (len(groups), 0)

        return sorted(self.entities.values(), key=place)

    def tabs_beside(self, entity: Entity, viewer: Viewer) -> list[MenuLine]:
        """The entities that share a line of the menu with this one, it among them, as far as the person may see them; none
        where it is alone."""
        first = entity.tab_of or entity.name
        beside = [each for each in self.in_order() if first in (each.name, each.tab_of) and viewer.may(each.line)]
        lines = [MenuLine(each.plural, address(f"{each.name}-list"), each is entity) for each in beside]
        return lines if len(lines) > 1 else []

    def setup_steps(self, viewer: Viewer, current: str) -> list[SetupStep]:
        """Where an entity stands in the order of setting up; none where it has no place there."""
        if all(name != current for _, name in self.setup):
            return []
        steps = []
        for label, name in self.setup:
            entity = self.entities.get(name)
            seen = entity is not None and viewer.may(entity.line)
            newest = entity.bare(viewer).order_by("-pk").first() if entity is not None and seen else None
            steps.append(SetupStep(label, str(newest or ""), name == current))
        return steps

    def menu(self, viewer: Viewer, current: str) -> list[MenuGroup]:
        """Groups with the lines this person may see, in the page's language; `current` is the name of the entity or screen
        that is open."""
        lines: dict[str, list[tuple[int, MenuLine]]] = {}
        opened = self.entities.get(current) or self.screens.get(
            current
        )  # one without a line is marked by its permission's
        pages: list[tuple[Entity | Screen, str, str]] = [
            (e, e.plural, f"{e.name}-list") for e in self.entities.values()
        ]
        pages += [(screen, screen.label, screen.name) for screen in self.screens.values()]
        for page, label, url_name in pages:
            level = page.level if isinstance(page, Screen) else VIEW
            if page.menu is not None and viewer.may(page.line, level) and not self._is_tab(page, viewer):
                below = opened is not None and opened.menu is None and opened.line == page.line
                beside = isinstance(opened, Entity) and opened.tab_of == page.name
                line = MenuLine(gettext(label), address(url_name), page.name == current or below or beside)
                lines.setdefault(page.menu.group, []).append((page.menu.order, line))
        return [
            MenuGroup(gettext(group), icon, tuple(line for _, line in sorted(lines[group], key=lambda pair: pair[0])))
            for group, icon in self.groups
            if group in lines
        ]

    def _is_tab(self, page: Any, viewer: Viewer) -> bool:
        """Whether the person finds it beside another entity, and not by a line of its own."""
        first = self.entities.get(getattr(page, "tab_of", ""))
        return first is not None and viewer.may(first.line)

    def _add(self, register: dict[str, Any], page: Any) -> None:
        if register.setdefault(page.name, page) is not page:
            raise ValueError(f"two pages of {self.name} are called {page.name}")
        if page.line not in LINES[self.name] and page.line != EVERYBODY:
            raise ValueError(f"{page.name} names the permission line {page.line!r}, which {self.name} does not have")

    def _guarded(self, screen: Screen) -> Callable[..., HttpResponse]:
        from relais.pages.guard import guarded

        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return screen.view(request, *args, **kwargs)

        return guarded(self, screen.line, screen.name, screen.level)(view)
