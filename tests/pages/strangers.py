"""A second branch beside the scenario's: a reseller called Stranger, with its own client, entities and user."""

from pathlib import Path
from tempfile import TemporaryDirectory

LOG_IN = ("stranger", "Stranger-demo-2025")
BRANCH = """
companies:
  - {name: Strange Reseller, parent: System owner, type: reseller, creator_of_resellers: true}
  - {name: Strange Client, parent: Strange Reseller, type: client}
legal_entities:
  - {company: Strange Reseller, name: SR Ltd, legal_company_name: Strange Reseller Ltd, country: ES, is_default: true}
  - {company: Strange Client, name: SC Ltd, legal_company_name: Strange Client Ltd, country: ES, is_default: true}
users:
  - {interface: backoffice, company: Strange Reseller, login: stranger, password: "Stranger-demo-2025", first_name: Stan, last_name: Stranger, e_mail: stranger@example.com, language: en, no_restrictions: true}
"""


def make_stranger() -> None:
    from relais.records.apply.run import apply_file

    with TemporaryDirectory() as folder:
        path = Path(folder) / "branch.yaml"
        path.write_text(BRANCH, encoding="utf-8")
        apply_file(path)
