"""Says whether the bundles are those of the sources, without node: `python assets/check.py`; exit code 1 and the reasons if not.

The build writes down the digest of every source and bundle (assets.json beside the bundles). Also kept here: what a page's
first load may weigh, and that the lock file names packages by their digests only.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
BUNDLES = SOURCES.parent / "src/relais/pages/static/relais"
LEFT_OUT = {"check.py"}
FIRST_LOAD_OCTETS_MAX = 350_000
PAGE_OCTETS = 15_000  # what the HTML of a page may take of it, compressed


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, but for installed packages and this check."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("node_modules/") and name not in LEFT_OUT and path.suffix != ".pyc":
            found[name] = sha256(path.read_bytes()).hexdigest()
    return found


def problems() -> list[str]:
    """What is wrong, each with what to do; nothing when all is well."""
    told = json.loads((BUNDLES / "assets.json").read_text(encoding="utf-8"))
    made = {name: digest for name, digest in digests(BUNDLES).items() if name != "assets.json"}
    expected = {name: bundle["sha256"] for name, bundle in told["bundles"].items()}
    changed = sorted(name for name, _ in set(told["sources"].items()) ^ set(digests(SOURCES).items()))
    found = [
        f"assets/{name} is not what the bundles were made from. Run `make assets`." for name in dict.fromkeys(changed)
    ]
    by_hand = sorted({name for name, _ in set(expected.items()) ^ set(made.items())})
    found += [f"bundle {name} is not what the build made. Run `make assets`." for name in by_hand]
    first = [
        name
        for name in expected
        if name in ("relais.css", "relais.js", "components.js", "charts.js", "icons.svg") or "inter-latin-wght" in name
    ]
    weight = sum(told["bundles"][name]["compressed_octets"] for name in first) + PAGE_OCTETS
    if weight > FIRST_LOAD_OCTETS_MAX:
        found.append(f"a first load takes {weight} octets, more than {FIRST_LOAD_OCTETS_MAX}. Leave something out.")
    if "://" in (SOURCES / "package-lock.json").read_text(encoding="utf-8"):
        found.append("assets/package-lock.json holds an address. Run `make assets`, which takes them out.")
    return found


if __name__ == "__main__":
    wrong = problems()
    print("\n".join(wrong) or "The bundles are those of the sources.")
    sys.exit(bool(wrong))
