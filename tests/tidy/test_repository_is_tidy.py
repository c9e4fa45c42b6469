"""The repository keeps its own rules (STYLE.md). A rule that has to bend gets a line in an exemption list below.

The lists only shrink: an exemption that is no longer needed, or larger than needed, fails too.
"""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("src", "tests", "bench")
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

LONG_FILES: dict[str, int] = {}  # path → lines
LONG_FUNCTIONS: dict[str, int] = {}  # path:function → lines
FORBIDDEN_MODULES = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "info", "misc", "common"}

# Written in pieces, so that this file does not break its own rule.
LEFT_OPEN = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
SKIPPED = re.compile(r"pytest\.mark\.(?:skip|xfail)\b|pytest\.(?:skip|xfail)\(")
HOME_PATH = re.compile(
    r"(?<![\w.:/-])/(?:" + "|".join(("home", "ro" + "ot", "wo" + "rk", "Users", "tm" + "p")) + r")/\w"
)
ADDRESS = re.compile(r"://")
UNEXPLAINED = re.compile(r"#\s*(?:type:\s*ignore(?:\[[^\]]*\])?|noqa(?::\s*[A-Z0-9, ]+)?)\s*$")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@cache
def tracked() -> tuple[Path, ...]:
    """Files that are, or are about to be, part of the repository; without git (an unpacked archive), all that look so."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        names = [PROJECT / name for name in listed.stdout.split("\0") if name]
    else:
        names = [
            path
            for path in PROJECT.rglob("*")
            if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
        ]
    return tuple(sorted(path for path in names if path.is_file()))


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and named(path).startswith(CODE_FOLDERS)]


def texts() -> list[tuple[Path, str]]:
    """Every tracked text, with its content."""
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def lines_with(pattern: re.Pattern[str], path: Path, text: str) -> list[str]:
    return [f"{named(path)}:{number}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_files_are_at_most_500_lines() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES_MAX} == LONG_FILES


def test_functions_fit_a_screen() -> None:
    long: dict[str, int] = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    long[f"{named(path)}:{node.name}"] = length
    assert long == LONG_FUNCTIONS


def test_nothing_is_marked_as_left_open() -> None:
    assert [place for path, text in texts() for place in lines_with(LEFT_OPEN, path, text)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [named(path) for path in python_files() if path.stem in FORBIDDEN_MODULES] == []


def test_every_package_and_module_of_the_product_states_its_rule() -> None:
    silent = []
    for path in python_files():
        if not named(path).startswith("src/") or "migrations" in path.parts:
            continue
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))):
            silent.append(named(path))
    assert silent == []


def test_every_folder_of_the_product_is_a_package() -> None:
    folders = {path.parent for path in python_files() if named(path).startswith("src/relais/")}
    assert [named(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_a_silenced_check_says_why_beside_it() -> None:
    assert [
        place for path in python_files() for place in lines_with(UNEXPLAINED, path, path.read_text(encoding="utf-8"))
    ] == []


def test_no_path_of_somebodys_machine_is_written_down() -> None:
    assert [place for path, text in texts() for place in lines_with(HOME_PATH, path, text)] == []


def test_lock_files_name_packages_and_hashes_only() -> None:
    locks = [path for path in tracked() if path.name.startswith("requirements") and path.suffix == ".txt"]
    assert len(locks) == 2
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert lines_with(ADDRESS, path, text) == []
        assert lines_with(re.compile(r"^-"), path, text) == [], "options (an index, a link) do not belong here"


def test_every_locked_package_has_a_hash() -> None:
    for path in (PROJECT / "requirements.txt", PROJECT / "requirements-dev.txt"):
        joined = path.read_text(encoding="utf-8").replace("\\\n", " ")
        packages = [line for line in joined.splitlines() if re.match(r"[a-z0-9]", line)]
        assert packages
        assert [line.split()[0] for line in packages if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("page", [path for path in tracked() if path.suffix == ".md"], ids=named)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        place, _, _ = target.partition("#")
        if ADDRESS.search(target) or target.startswith("mailto:") or not place:
            continue
        if not (page.parent / place).exists():
            dead.append(target)
    assert dead == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (PROJECT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_skipped_tests_say_why() -> None:
    silent = []
    for path in python_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if SKIPPED.search(line) and "reason=" not in line and "SKIPPED" not in line and "re.compile" not in line:
                silent.append(f"{named(path)}:{number}")
    assert silent == []
