"""Makes a running Jasmin serve one SMPP client: a group, a user, connectors to one centre, a route over them in random turns.

Run by the Python of Jasmin's own environment: `python jasmin_setup.py ROUTER_PORT MANAGER_PORT CENTRE_PORT CONNECTORS LOGIN
PASSWORD`. It says "ready" once the connectors are bound, and otherwise why not. Passwords of the two doors are those that Jasmin
comes with.
"""

import logging
import sys

from jasmin.managers.proxies import SMPPClientManagerPBProxy
from jasmin.protocols.smpp.configs import SMPPClientConfig
from jasmin.routing.Filters import TransparentFilter
from jasmin.routing.jasminApi import Group, SmppClientConnector, User
from jasmin.routing.proxies import RouterPBProxy
from jasmin.routing.Routes import RandomRoundrobinMTRoute
from twisted.internet import defer, reactor, task

WITHIN_S = 30.0


@defer.inlineCallbacks
def configure(router_port, manager_port, centre_port, connectors_count, login, password):
    router, manager = RouterPBProxy(), SMPPClientManagerPBProxy()
    yield router.connect("127.0.0.1", router_port, "radmin", "rpwd")
    yield manager.connect("127.0.0.1", manager_port, "cmadmin", "cmpwd")
    group, names = Group("load"), [f"centre{number}" for number in range(connectors_count)]
    assert (yield router.group_add(group)), "the group"
    assert (yield router.user_add(User("load", group, login, password))), "the user"
    everything = TransparentFilter()
    connectors = [SmppClientConnector(name) for name in names]
    assert (yield router.mtroute_add(RandomRoundrobinMTRoute([everything], connectors, 0.0), 1)), "the route"
    for name in names:
        connector = SMPPClientConfig(
            id=name, host="127.0.0.1", port=centre_port, username=name, password="any",
            submit_sm_throughput=0, log_level=logging.ERROR,
        )  # fmt: skip
        assert (yield manager.add(connector)), "the connector"
        assert (yield manager.start(name)), "the connector's start"
    for name in names:
        while (yield manager.session_state(name)) != "BOUND_TRX":
            yield task.deferLater(reactor, 0.1)


def done(failure):
    print("ready" if failure is None else failure.getErrorMessage() or failure.type.__name__)
    reactor.stop()


configure(*(int(each) for each in sys.argv[1:5]), *sys.argv[5:7]).addTimeout(WITHIN_S, reactor).addBoth(done)
reactor.run()
