"""The hosts of the cluster, from the description that bench/peers.ts writes."""

import json
import os

with open(os.environ["PGHERD_BENCH_SITE"]) as file:
    site = json.load(file)

SSH = {"ssh_config_file": os.environ["PGHERD_SSH_CONFIG"]}


def group(part):
    return [(name, {}) for name in site[part]]


hosts = [
    (name, {**SSH, **data, **{key: site[key] for key in site if key != "hosts"}})
    for name, data in site["hosts"].items()
]
dcs = group("dcs")
members = group("members")
balancers = group("balancers")
