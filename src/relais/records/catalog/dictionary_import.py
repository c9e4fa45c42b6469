"""What imports of dictionaries share: rows compared with the dictionary, what would change, and whether that still holds when
it is to be done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from relais.records.catalog.sheets import Line
from relais.records.errors import WHOLE, Invalid

R = TypeVar("R", bound=Any)  # a row of the dictionary: a named tuple that begins with its key and has an `iso`


@dataclass(frozen=True, slots=True)
class Preview(Generic[R]):
    """What an import would do. `gone`: in the dictionary, of a country the file names, and not in the file."""

    new: tuple[R, ...]
    changed: tuple[tuple[R, R], ...]  # before, after
    gone: tuple[R, ...]
    unchanged_count: int
    errors: tuple[tuple[int, str], ...]  # line of the file, what is wrong

    @property
    def changes_anything(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    @property
    def stored(self) -> list[R]:
        """Rows as the dictionary will have them, but for those that stay."""
        return [*self.new, *(after for _, after in self.changed)]


def compared(lines: Iterable[Line], read: Callable[[Line], R], present: Mapping[str, R]) -> Preview[R]:
    """Differences to `present`. `read` raises ValueError with what is wrong with a line; a key that comes twice with other values
    is wrong, too."""
    wanted: dict[str, tuple[int, R]] = {}
    errors: list[tuple[int, str]] = []
    for line in lines:
        try:
            row = read(line)
        except ValueError as error:
            errors.append((line.number, str(error)))
            continue
        first_line, first = wanted.setdefault(row[0], (line.number, row))
        if first != row:
            errors.append((line.number, f"{row[0]} stands in line {first_line} already, with other values"))
    found = [row for _, row in sorted(wanted.values(), key=lambda each: each[1][0])]
    covered = {row.iso for row in found}
    left = (row for key, row in sorted(present.items()) if row.iso in covered and key not in wanted)
    return Preview(
        new=tuple(row for row in found if row[0] not in present),
        changed=tuple((present[row[0]], row) for row in found if row[0] in present and present[row[0]] != row),
        gone=tuple(left),
        unchanged_count=sum(present.get(row[0]) == row for row in found),
        errors=tuple(errors),
    )


def require_sound(seen: Preview[Any]) -> None:
    """`Invalid` for a preview with errors."""
    if seen.errors:
        line, reason = seen.errors[0]
        raise Invalid.of(WHOLE, f"{len(seen.errors)} lines are wrong, the first is line {line}: {reason}")


def require_as_seen(seen: Preview[Any], present: Mapping[str, Any]) -> None:
    """`Invalid` for a preview of a dictionary that was changed since."""
    foreseen = {before[0]: before for before, _ in seen.changed} | {row[0]: row for row in seen.gone}
    moved = any(present.get(key) != before for key, before in foreseen.items())
    if moved or any(row[0] in present for row in seen.new):
        raise Invalid.of(WHOLE, "the dictionary was changed meanwhile: preview the file again")
