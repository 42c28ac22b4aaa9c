"""Roles and databases, on the member that leads."""

import base64
import hashlib
import hmac
import json
import os
import shlex

from pyinfra import host
from pyinfra.api import FactBase, operation

from .patroni import ClusterView

CATALOG = """select json_build_object(
  'roles', (select json_object_agg(rolname, json_build_object('createdb', rolcreatedb, 'createrole', rolcreaterole,
    'connectionLimit', rolconnlimit, 'verifier', coalesce(rolpassword, ''))) from pg_authid where rolcanlogin),
  'databases', (select json_object_agg(datname, pg_get_userbyid(datdba)) from pg_database where datallowconn))"""


def psql(port, sql):
    """A command that runs SQL as the superuser."""
    arguments = f"-XAtq -v ON_ERROR_STOP=1 -h /var/run/postgresql -p {port} -d postgres"
    return f"cd / && runuser -u postgres -- psql {arguments} -c {shlex.quote(sql)}"


class Catalog(FactBase):
    """Login roles and databases."""

    def command(self, port):
        return psql(port, CATALOG)

    def process(self, output):
        return json.loads("".join(output))


def verifier(password, salt, iterations):
    """What PostgreSQL stores for a password (RFC 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


def verifies(password, stored):
    """Whether a stored verifier is one of this password."""
    if not stored.startswith("SCRAM-SHA-256$"):
        return False
    iterations, salt = stored.split("$")[1].split(":")
    return verifier(password, base64.b64decode(salt), int(iterations)) == stored


def changes(found, roles, databases, passwords):
    """The SQL that makes roles and databases as wanted."""
    for role in roles:
        there = found["roles"].get(role["name"])
        if not there:
            yield f'create role "{role["name"]}" login'
        wanted = {key: role[key] for key in ("createdb", "createrole", "connectionLimit")}
        if not there or any(there[key] != value for key, value in wanted.items()):
            yield (
                f'alter role "{role["name"]}" {"" if role["createdb"] else "no"}createdb '
                f"{'' if role['createrole'] else 'no'}createrole connection limit {role['connectionLimit']}"
            )
    for name, password in passwords.items():
        there = found["roles"].get(name)
        if not there or not verifies(password, there["verifier"]):
            yield f"alter role \"{name}\" password '{verifier(password, os.urandom(16), 4096)}'"
    for database in databases:
        owner = found["databases"].get(database["name"])
        if owner is None:
            yield f'create database "{database["name"]}" owner "{database["owner"]}"'
        elif owner != database["owner"]:
            yield f'alter database "{database["name"]}" owner to "{database["owner"]}"'


@operation()
def catalog(address, port, roles, databases, passwords):
    """Makes roles and databases as wanted, if this member leads."""
    view = host.get_fact(ClusterView, address=address)
    if not any(one["name"] == host.name and one["role"] == "leader" for one in view):
        host.noop("another member leads")
        return
    found = host.get_fact(Catalog, port=port)
    for sql in changes(found, roles, databases, passwords):
        yield psql(port, sql)


def deploy():
    catalog(
        name="Set up roles and databases",
        address=host.data.address,
        port=host.data.postgresql_port,
        roles=host.data.login_roles,
        databases=host.data.databases,
        passwords=host.data.passwords,
    )
