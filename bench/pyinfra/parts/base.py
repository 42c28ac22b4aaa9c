"""What every host needs before any service."""

from io import StringIO

from pyinfra import host
from pyinfra.api import FactBase, StringCommand, operation
from pyinfra.operations import apt, files

from .files import put

POLICY = "/usr/sbin/policy-rc.d"


class System(FactBase):
    """What a host must be: its distribution, the name of process 1 and its memory in kB."""

    def command(self):
        return ". /etc/os-release; echo $ID $VERSION_ID $(cat /proc/1/comm) $(awk '/^MemTotal/{print $2}' /proc/meminfo)"

    def process(self, output):
        distribution, version, init, memory = list(output)[-1].split()
        return {
            "distribution": distribution,
            "version": int(version),
            "init": init,
            "memory": int(memory),
        }


class KernelSettings(FactBase):
    """Live settings of the kernel, by name; only those that the host may set."""

    default = dict

    def command(self, names):
        paths = " ".join(f"{name}:/proc/sys/{name.replace('.', '/')}" for name in names)
        return (
            f"for one in {paths}; do "
            '[ -w "${one#*:}" ] && echo "${one%%:*} $(tr -s "[:space:]" " " <"${one#*:}")"; done; true'
        )

    def process(self, output):
        found = (line.strip().partition(" ") for line in output)
        return {name: value for name, _, value in found}


@operation()
def fits():
    """Refuses a host that does not fit."""
    found = host.get_fact(System)
    fitting = found["distribution"] == "debian" and found["version"] >= 12
    if not fitting or found["init"] != "systemd" or found["memory"] < 256 * 1024:
        raise ValueError(f"{host.name} does not fit: {found}")
    host.noop("fits")
    yield from ()


@operation()
def kernel(settings):
    """Sets live settings of the kernel, those of the network in a container."""
    found = host.get_fact(KernelSettings, names=list(settings))
    for name, value in settings.items():
        if name.startswith("net.") and found.get(name) != value:
            yield StringCommand("sysctl", "--write", f"'{name}={value}'")


@operation()
def packages(names):
    """Installs packages, without starting their services."""
    commands = list(apt.packages._inner(packages=names, no_recommends=True))
    if commands:
        yield f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 0755 {POLICY}"
        yield "apt-get -q update"
        yield from commands
        yield f"rm -f {POLICY}"


def deploy():
    fits(name="Refuse hosts that do not fit")
    if "members" in host.groups:
        put("/etc/postgresql-common/createcluster.conf")
    for unit in host.data.masked:
        files.link(
            name=f"Keep {unit} from starting",
            path=f"/etc/systemd/system/{unit}",
            target="/dev/null",
            force=True,
        )
    packages(name="Install packages", names=host.data.packages)
    put("/etc/sysctl.d/90-pgherd.conf")
    if "members" in host.groups:
        put("/etc/tmpfiles.d/pgherd-thp.conf")
    kernel(name="Set the kernel's settings", settings=host.data.kernel)
    files.put(
        name="Record which cluster the host belongs to",
        src=StringIO(f"{host.data.cluster}\n"),
        dest="/var/lib/pgherd/cluster",
        mode="644",
        user="root",
        group="root",
    )
