"""Which packets a host lets in."""

from pyinfra import host
from pyinfra.api import FactBase, operation
from pyinfra.operations import systemd

from .files import put

UNIT = "pgherd-firewall.service"


class RulesLoaded(FactBase):
    """Whether the kernel has just the rules that were loaded from the file."""

    def command(self):
        return (
            "{ sha256sum </var/lib/pgherd/firewall.nft; /usr/sbin/nft -s list table inet pgherd | sha256sum; } "
            "2>/dev/null | cmp -s - /run/pgherd/firewall && echo yes || echo no"
        )

    def process(self, output):
        return list(output)[-1] == "yes"


@operation()
def rules():
    """Loads the rules where the kernel has others."""
    if host.get_fact(RulesLoaded):
        host.noop("the rules are loaded")
    else:
        yield "/usr/sbin/nft -c -f /var/lib/pgherd/firewall.nft"
        yield f"systemctl restart {UNIT}"


def deploy():
    put("/var/lib/pgherd/firewall.nft", mode="600")
    unit = put(f"/etc/systemd/system/{UNIT}")
    systemd.daemon_reload(name="Load the firewall's unit", _if=unit.did_change)
    systemd.service(name=f"Run {UNIT}", service=UNIT, running=True, enabled=True)
    rules(name="Load the rules")
