"""HAProxy and Keepalived on each load balancer."""

from .files import put, run


def deploy():
    unit = put("/etc/systemd/system/haproxy.service.d/pgherd.conf")
    users = put("/etc/haproxy/pgherd-users.cfg", mode="600")
    configuration = put("/etc/haproxy/haproxy.cfg", mode="640", group="haproxy")
    # The unit itself checks the configuration before it reloads it.
    run("haproxy.service", changes=[unit, users, configuration], reload_units=[unit])
    put("/etc/keepalived/check-haproxy", mode="755")
    secret = put("/etc/keepalived/secret.conf", mode="600")
    virtual = put("/etc/keepalived/keepalived.conf")
    run("keepalived.service", changes=[secret, virtual])
