"""What clients connect to: the balancers, and the virtual IP that one of them holds."""

from pyinfra import host, inventory
from pyinfra.api import FactBase, operation


def statistics(port):
    """A command that prints HAProxy's servers behind the entrance for the primary that are up."""
    ask = f'exec 3<>/dev/tcp/127.0.0.1/{port}; printf "GET /;csv HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'
    up = '$1 == "primary" && $2 !~ /END$/ && $18 ~ /^UP/ { print $2 }'
    return f"bash -c '{ask}' 2>/dev/null | awk -F, '{up}'"


def connects(address, port):
    """A command that succeeds if there is somebody at an address."""
    return f"bash -c ': </dev/tcp/{address}/{port}' 2>/dev/null"


class Primaries(FactBase):
    """Members that HAProxy takes for the primary."""

    default = list

    def command(self, port):
        return statistics(port)

    def process(self, output):
        return list(output)


class Connects(FactBase):
    """Whether there is somebody at an address."""

    def command(self, address, port):
        return f"{connects(address, port)} && echo yes || echo no"

    def process(self, output):
        return list(output)[-1] == "yes"


class Held(FactBase):
    """The host's own addresses."""

    def command(self):
        return "ip -o address show | awk '{ print $4 }'"

    def process(self, output):
        return [line.partition("/")[0] for line in output]


def until(check):
    """A command that waits for another one's success."""
    return f"for second in $(seq 60); do {check} && exit 0; sleep 1; done; exit 1"


@operation()
def answers(address, port):
    """Waits until the virtual IP leads somewhere."""
    if host.get_fact(Connects, address=address, port=port):
        host.noop("the virtual IP answers")
    else:
        yield until(connects(address, port))


@operation()
def held_once(address):
    """Expects one balancer to hold the virtual IP."""
    balancers = inventory.get_group("balancers")
    holders = [one.name for one in balancers if address in one.get_fact(Held)]
    if len(holders) > 1:
        raise ValueError(f"{address} is held by {', '.join(holders)}")
    host.noop("the virtual IP is held once")
    yield from ()


@operation()
def leads(port):
    """Waits until the balancer leads to one primary."""
    if len(host.get_fact(Primaries, port=port)) == 1:
        host.noop("one primary")
    else:
        yield until(f"[ $({statistics(port)} | wc -l) = 1 ]")


def deploy():
    for address in host.data.vips:
        answers(
            name=f"Wait for {address}", address=address, port=host.data.ports["primary"]
        )
        if host.name == host.data.balancers[0]:
            held_once(name=f"Expect one holder of {address}", address=address)
    leads(name="Wait for the primary", port=host.data.stats_port)
