"""The cluster of a pgherd stack, the way people write it for pyinfra.

What the files on the hosts say is rendered from the same stack (bench/peers.ts), so that both tools write and check the
same.
"""

import sys
from pathlib import Path

from pyinfra import config, host

sys.path.insert(0, str(Path(__file__).parent))

from parts import balancer, base, database, dcs, entry_point, firewall, patroni  # noqa: E402
from parts.together import together  # noqa: E402

config.SUDO = True

base.deploy()
firewall.deploy()
if "dcs" in host.groups:
    dcs.deploy()
if "members" in host.groups:
    patroni.deploy()
if "balancers" in host.groups:
    balancer.deploy()
together(name="Wait for each other")
if "members" in host.groups:
    database.deploy()
if "balancers" in host.groups:
    entry_point.deploy()
