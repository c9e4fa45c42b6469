"""Asks a live database whether balances, EDRs, ledger and queues agree, and the audit is what was sealed; changes nothing.

All questions are asked in one repeatable-read snapshot, so that traffic may go on meanwhile.
"""

from dataclasses import dataclass

import asyncpg

from relais.store.blocks import blocks
from relais.store.sessions import open_session

_WARNINGS = frozenset({"balances_keep_their_credit_limit"})
_EXAMPLES_MAX = 20


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold: the records that break it, at most 20, as text."""

    rule: str
    warning: bool
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """`totals`: what was looked at, name to count. `rules`: the rules asked, in words. `seal`: position and digest of the
    newest seal of the audit; "" without one."""

    totals: dict[str, int]
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    seal: str = ""

    @property
    def holds(self) -> bool:
        """Whether every rule holds; warnings do not count."""
        return all(finding.warning for finding in self.findings)


async def verify(dsn: str) -> Verification:
    """Check the database at `dsn`; raises what `open_session` raises when it cannot be reached."""
    session = await open_session(dsn)
    try:
        async with session.transaction(isolation="repeatable_read", readonly=True):
            questions = dict(blocks("verify"))
            totals = dict((await session.fetchrow(questions.pop("totals"))).items())
            newest = await session.fetchrow(questions.pop("seal"))
            findings = []
            for name, sql in questions.items():
                rows = await session.fetch(sql)
                if rows:
                    examples = tuple(_told(row) for row in rows[:_EXAMPLES_MAX])
                    findings.append(Finding(_words(name), name in _WARNINGS, examples))
            rules = tuple(_words(name) for name in questions)
            return Verification(totals, rules, tuple(findings), _told(newest) if newest else "")
    finally:
        await session.close()


def _told(row: asyncpg.Record) -> str:
    return ", ".join(f"{column} {value}" for column, value in row.items())


def _words(name: str) -> str:
    return name.replace("_", " ").replace("edrs", "EDRs")
