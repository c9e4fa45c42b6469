"""Lists of addresses and ranges from which somebody may come, as people type them."""

import ipaddress

from relais.records.errors import Invalid

NETWORKS_MAX = 50


def ip_networks(text: str, field: str) -> str:
    """Each of them as addresses are written, in the order given, separated by commas. `Invalid` names what is none."""
    found = []
    for part in text.replace(";", ",").split(","):
        if not part.strip():
            continue
        try:
            network = ipaddress.ip_network(part.strip())
        except ValueError as error:
            raise Invalid.of(
                field, "%(part)s is neither an IP address nor a range such as 192.0.2.0/24", part=part.strip()[:60]
            ) from error
        found.append(str(network.network_address if network.num_addresses == 1 else network))
    if len(found) > NETWORKS_MAX:
        raise Invalid.of(field, "takes up to %(most)s addresses and ranges", most=NETWORKS_MAX)
    return ", ".join(dict.fromkeys(found))
