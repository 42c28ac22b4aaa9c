"""etcd, and the configuration in it that all members follow."""

import json
import shlex

from pyinfra import host
from pyinfra.api import FactBase, StringCommand, operation
from pyinfra.operations import files, systemd

from .files import put


class HealthyEndpoints(FactBase):
    """etcd's healthy endpoints."""

    default = list

    def command(self, endpoints):
        return f"etcdctl --endpoints={endpoints} endpoint health -w json 2>/dev/null || true"

    def process(self, output):
        lines = [line for line in output if line.startswith("[")]
        return [one["endpoint"] for one in json.loads(lines[0]) if one["health"]] if lines else []


class Members(FactBase):
    """Names of etcd's members."""

    default = list

    def command(self, endpoints):
        return f"etcdctl --endpoints={endpoints} member list 2>/dev/null || true"

    def process(self, output):
        return [line.split(", ")[2] for line in output if line.count(", ") > 3]


class Key(FactBase):
    """The JSON value of a key in etcd."""

    def command(self, endpoints, key):
        return f"etcdctl --endpoints={endpoints} get --print-value-only {key} 2>/dev/null || true"

    def process(self, output):
        text = "".join(output).strip()
        return json.loads(text) if text else None


@operation()
def healthy(endpoints, names):
    """Waits until all members are healthy."""
    found = host.get_fact(HealthyEndpoints, endpoints=endpoints)
    known = host.get_fact(Members, endpoints=endpoints)
    if len(found) == len(names) and sorted(known) == sorted(names):
        host.noop("all members are healthy")
    else:
        check = f"etcdctl --endpoints={endpoints} endpoint health >/dev/null 2>&1"
        yield f"for second in $(seq 60); do {check} && exit 0; sleep 1; done; exit 1"


@operation()
def key(endpoints, path, value):
    """Sets a key in etcd to a JSON value."""
    if host.get_fact(Key, endpoints=endpoints, key=path) != value:
        yield StringCommand(
            "etcdctl", f"--endpoints={endpoints}", "put", path, shlex.quote(json.dumps(value))
        )


def deploy():
    endpoints = host.data.etcd_endpoints
    files.directory(
        name="Make etcd's data directory",
        path="/var/lib/etcd",
        user="etcd",
        group="etcd",
        mode="700",
    )
    settings = put("/etc/default/etcd")
    unit = put("/etc/systemd/system/etcd.service.d/pgherd.conf")
    systemd.daemon_reload(name="Load etcd's unit", _if=unit.did_change)
    # A start ends when a majority has started.
    started = systemd.service(
        name="Run etcd", service="etcd.service", running=True, enabled=True
    )
    systemd.service(
        name="Restart etcd",
        service="etcd.service",
        restarted=True,
        _if=lambda: (settings.did_change() or unit.did_change()) and not started.did_change(),
        _serial=True,
    )
    if host.name == host.data.dcs[0]:
        healthy(name="Wait for etcd", endpoints=endpoints, names=host.data.dcs)
        key(
            name="Set what all members follow",
            endpoints=endpoints,
            path=f"/service/{host.data.cluster}/config",
            value=host.data.configuration,
        )
