"""Which sender ID a message has whose client names none (SP-12): the company's default, or its only active one; where it has no
sender ID at all, the System owner's default, under the company's own agreement.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # the snapshot holds these senders
    from relais.pipeline.configuration import Agreement, Sender

ACTIVE = "active"


class DefaultSenders(msgspec.Struct, frozen=True):
    """Of one snapshot. `own`: company and channel → its default, None where it has several and none is. `of_system`: by channel.
    `agreements`: company → its agreement, of those that have just one."""

    own: Mapping[tuple[int, str], "Sender | None"]
    of_system: Mapping[str, "Sender"]
    agreements: Mapping[int, int]

    def of(self, company_id: int, channel: str) -> "Sender | None":
        """What the company sends from by default on that channel; None where it has to name a sender."""
        if (company_id, channel) in self.own:
            return self.own[company_id, channel]
        sender, agreement_id = self.of_system.get(channel), self.agreements.get(company_id)
        if sender is None or agreement_id is None:
            return None
        return msgspec.structs.replace(sender, company_id=company_id, agreement_id=agreement_id)


def compiled(
    senders: Mapping[tuple[int, str, str], "Sender"], agreements: Iterable["Agreement"], system_owner_id: int | None
) -> DefaultSenders:
    """Of everything that a snapshot holds."""
    groups: dict[tuple[int, str], list[Sender]] = defaultdict(list)
    for (company_id, channel, _), sender in senders.items():
        groups[company_id, channel].append(sender)
    bought: dict[int, list[int]] = defaultdict(list)
    for agreement in agreements:
        bought[agreement.company_id].append(agreement.id)
    return DefaultSenders(
        {key: _chosen(group) for key, group in groups.items()},
        {
            channel: sender
            for (company_id, channel), group in groups.items()
            if company_id == system_owner_id
            for sender in group
            if sender.default
        },
        {company_id: ids[0] for company_id, ids in bought.items() if len(ids) == 1},
    )


def _chosen(group: list["Sender"]) -> "Sender | None":
    active = [sender for sender in group if sender.status == ACTIVE]
    return next((sender for sender in group if sender.default), active[0] if len(active) == 1 else None)
