#!/bin/sh
# A PostgreSQL server as somebody may have set it up years ago, with the distribution's packages and psql: nothing here is
# pgherd's. Run as root on a blank host. $1: password of the application's user; $2: how large (pgbench's scale).
set -e
password=$1
scale=${2:-5}
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y -o Dpkg::Use-Pty=0 install postgresql >/dev/null
version=$(ls /etc/postgresql)
config=/etc/postgresql/$version/main

# Settings in three places, as they grow over the years.
cat >>"$config/postgresql.conf" <<END
listen_addresses = '*'
max_connections = 120
wal_level = logical
shared_preload_libraries = 'pg_stat_statements'
include_dir 'extra'
END
mkdir -p "$config/extra"
echo "random_page_cost = 1.3" >"$config/extra/disks.conf"
echo "log_line_prefix = '%m [%p] %q%u@%d '" >"$config/conf.d/logging.conf"
cat >>"$config/pg_hba.conf" <<END
# The office
host shop shop 10.89.0.0/24 scram-sha-256
host shop auditor 10.89.0.0/24 reject
host replication subscriber 10.89.0.0/24 scram-sha-256
host shop subscriber 10.89.0.0/24 scram-sha-256
END
chown -R postgres:postgres "$config"
pg_ctlcluster "$version" main restart

cd /
as_postgres() { runuser -u postgres -- psql -qXAt -v ON_ERROR_STOP=1 "$@"; }
as_postgres <<END
CREATE ROLE shop LOGIN PASSWORD '$password';
CREATE ROLE auditor LOGIN PASSWORD '$password';
CREATE ROLE subscriber LOGIN REPLICATION PASSWORD '$password';
CREATE DATABASE shop OWNER shop;
ALTER SYSTEM SET work_mem = '6MB';
ALTER SYSTEM SET max_slot_wal_keep_size = '2GB';
SELECT pg_reload_conf();
SELECT pg_create_physical_replication_slot('archive_host');
END
# Somebody guards what is granted and dropped in this database.
as_postgres <<'END'
CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no % here', tg_tag; END$$;
CREATE EVENT TRIGGER guard ON ddl_command_start WHEN TAG IN ('GRANT', 'REVOKE', 'DROP OWNED') EXECUTE FUNCTION guard();
END
as_postgres -d shop <<END
CREATE EXTENSION pg_stat_statements;
CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz DEFAULT now());
ALTER TABLE orders OWNER TO shop;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO subscriber;
CREATE PUBLICATION orders FOR TABLE orders;
END
if [ -x "/usr/lib/postgresql/$version/bin/pgbench" ]; then
  runuser -u postgres -- "/usr/lib/postgresql/$version/bin/pgbench" -q -i -s "$scale" shop 2>/dev/null
fi
