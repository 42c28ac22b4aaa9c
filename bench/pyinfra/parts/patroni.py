"""Patroni, and by it PostgreSQL, on each member."""

import json

from pyinfra import host
from pyinfra.api import FactBase, operation
from pyinfra.operations import files

from .files import put, run

CONFIG = "/etc/patroni/pgherd"


class ClusterView(FactBase):
    """All members, as this one sees the cluster."""

    default = list

    def command(self, address):
        return f"curl -s --max-time 5 http://{address}:8008/cluster || true"

    def process(self, output):
        text = "".join(output)
        return json.loads(text).get("members", []) if text.startswith("{") else []


class PendingRestart(FactBase):
    """Settings that wait for a restart of PostgreSQL."""

    default = list

    def command(self):
        return (
            "cd / && runuser -u postgres -- psql -XAtqc "
            "'select name from pg_settings where pending_restart'"
        )

    def process(self, output):
        return list(output)


def whole(view, names, synchronous):
    """Whether all members run, one of them leads, and enough of them confirm commits."""
    running = [one for one in view if one["state"] in ("running", "streaming")]
    leaders = [one for one in running if one["role"] == "leader"]
    confirming = [one for one in running if synchronous and one["role"] == synchronous["role"]]
    return (
        sorted(one["name"] for one in running) == sorted(names)
        and len(leaders) == 1
        and len(confirming) >= (synchronous["count"] if synchronous else 0)
    )


@operation()
def ready(address, names, synchronous):
    """Waits until the cluster is whole."""
    if whole(host.get_fact(ClusterView, address=address), names, synchronous):
        host.noop("the cluster is whole")
    else:
        running = '"state": "\\(running\\|streaming\\)"'
        role = f'"role": "{synchronous["role"]}"' if synchronous else '"role": "leader"'
        yield (
            f"for second in $(seq 300); do view=$(curl -s --max-time 5 http://{address}:8008/cluster); "
            f"[ $(echo \"$view\" | grep -o '{running}' | wc -l) = {len(names)} ] && "
            f"echo \"$view\" | grep -q '{role}' && exit 0; sleep 1; done; exit 1"
        )


@operation()
def settled():
    """Expects no setting that waits for a restart."""
    pending = host.get_fact(PendingRestart)
    if pending:
        raise ValueError(f"{host.name}: waiting for a restart: {', '.join(pending)}")
    host.noop("no setting waits for a restart")
    yield from ()


def deploy():
    files.directory(
        name="Make the folder of Patroni's configuration",
        path=CONFIG,
        user="postgres",
        group="postgres",
        mode="700",
    )
    owner = {"user": "postgres", "group": "postgres"}
    member = put(f"{CONFIG}/10-member.yml", mode="600", **owner)
    secrets = put(f"{CONFIG}/20-secrets.yml", mode="600", **owner)
    put("/var/lib/pgherd/before-patroni")
    unit = put("/etc/systemd/system/patroni.service.d/pgherd.conf")
    run("patroni.service", changes=[member, secrets, unit], reload_units=[unit])
    ready(
        name="Wait for the members",
        address=host.data.address,
        names=host.data.members,
        synchronous=host.data.synchronous,
    )
    settled(name="Expect no setting that waits for a restart")
