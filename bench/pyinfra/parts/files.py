"""Files and units, as every part needs them."""

from pyinfra import host
from pyinfra.operations import files, systemd


def put(path, mode="644", user="root", group="root"):
    """Writes a file of the host as bench/peers.ts rendered it."""
    return files.put(
        name=f"Write {path}",
        src=f"{host.data.files}{path}",
        dest=path,
        mode=mode,
        user=user,
        group=group,
        create_remote_dir=True,
    )


def run(unit, changes, reload_units=()):
    """Runs a unit, and makes it load what has changed."""

    def changed(operations):
        return lambda: any(operation.did_change() for operation in operations)

    if reload_units:
        systemd.daemon_reload(name=f"Load the unit of {unit}", _if=changed(reload_units))
    started = systemd.service(name=f"Run {unit}", service=unit, running=True, enabled=True)
    return systemd.service(
        name=f"Reload {unit}",
        service=unit,
        running=True,
        reloaded=True,
        _if=lambda: changed(changes)() and not started.did_change(),
    )
