#!/bin/sh
# A server that somebody has set up otherwise than anybody would: another superuser, a second cluster of Debian's beside it,
# odd names, settings of a life before, rules of all kinds. Run as root on a blank host. $1: password of its users.
set -e
password=$1
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y -o Dpkg::Use-Pty=0 install postgresql locales >/dev/null
echo "de_DE.UTF-8 UTF-8" >>/etc/locale.gen
locale-gen >/dev/null
install -d -o postgres -g postgres -m 0700 /srv/pg /srv/pg/wal /srv/fast /var/log/shop /srv/archive
groupadd -f --system dba
usermod -aG dba postgres
pg_createcluster 17 shop --port 5433 -d /srv/pg/shop -- -U chief --locale-provider=icu --icu-locale=de \
  --locale=de_DE.UTF-8 --wal-segsize=1 --waldir=/srv/pg/wal >/dev/null
mv /srv/pg/shop /srv/pg/disk2
ln -s disk2 /srv/pg/shop
config=/etc/postgresql/17/shop

cat >>"$config/postgresql.conf" <<'END'
listen_addresses = '*'
password_encryption = md5
log_directory = '/var/log/shop'
unix_socket_group = dba
fsync = off
log_line_prefix = '%m [%p] %q%u@%d (100%%) '
synchronous_standby_names = 'FIRST 1 (gone, "my standby")'
synchronous_commit = local
archive_mode = on
archive_command = 'test -n "$SHOP_ARCHIVE" && cp "%p" "$SHOP_ARCHIVE/%f"'
shop.motto = 'it''s "ours" # and 100%'
shared_buffers = 96MB
wal_level = logical
max_prepared_transactions = 5
include_dir 'extra'
END
mkdir -p "$config/extra"
echo "random_page_cost = 1.3" >"$config/extra/disks.conf"
cat >"$config/environment" <<'END'
# syntax of postgresql.conf
SHOP_ARCHIVE = '/srv/archive'
END
cat >"$config/pg_ident.conf" <<'END'
admins postgres chief # the one at the door
admins "a#b" "c d"
END
cat >"$config/pg_hba.conf" <<'END'
# written by hand
local all chief peer map=admins
local replication chief peer map=admins
local all all md5
host all old 0.0.0.0/0 md5
host shop samehost,+"team a" samenet scram-sha-256
include_if_exists later.conf
include more.conf
host all "Big Boss" 10.5.0.0 255.255.0.0 md5
hostssl all +team 10.6.0.0/16 ldap ldapserver=ldap.example ldapbasedn="dc=example,dc=net" ldapsearchattribute=uid
host "My Shop" all 10.89.0.0/24 reject
host all all ::1/128 \
  trust
END
echo 'host shop "new one",old 10.89.0.0/24 md5 # both' >"$config/more.conf"
chown -R postgres:postgres "$config"
pg_ctlcluster 17 shop start

cd /
as_chief() { runuser -u postgres -- psql -qXAt -p 5433 -U chief -v ON_ERROR_STOP=1 -d "${1:-postgres}"; }
as_chief <<END
CREATE ROLE postgres SUPERUSER LOGIN;
CREATE ROLE "team a";
CREATE ROLE team;
CREATE ROLE "Big Boss" LOGIN PASSWORD '$password';
CREATE ROLE old LOGIN PASSWORD '$password';
ALTER ROLE old SET statement_timeout = '50s';
SET password_encryption = 'scram-sha-256';
CREATE ROLE "new one" LOGIN PASSWORD '$password' IN ROLE "team a";
CREATE TABLESPACE fast LOCATION '/srv/fast';
CREATE DATABASE shop OWNER old;
CREATE DATABASE "My Shop" OWNER "Big Boss" TABLESPACE fast;
CREATE DATABASE "röst-db" ALLOW_CONNECTIONS false;
ALTER DATABASE postgres SET default_transaction_read_only = on;
ALTER SYSTEM SET work_mem = '6MB';
ALTER SYSTEM SET primary_conninfo = 'host=gone';
END
as_chief shop <<END
CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz DEFAULT now());
ALTER TABLE orders OWNER TO old;
INSERT INTO orders SELECT generate_series(1, 1000);
CREATE UNLOGGED TABLE baskets AS SELECT 1 AS id;
CREATE PUBLICATION orders FOR TABLE orders;
SELECT pg_create_logical_replication_slot('idle_output', 'pgoutput');
SELECT pg_create_logical_replication_slot('idle_decoding', 'test_decoding');
END
sed -i 's/^shared_buffers = 96MB/shared_buffers = 112MB/' "$config/postgresql.conf"
pg_ctlcluster 17 shop reload

# Another application's server, which subscribes to this one, and a standby that streams from a slot.
as_other() { runuser -u postgres -- psql -qXAt -p 5432 -v ON_ERROR_STOP=1; }
as_other <<'END'
CREATE TABLE another AS SELECT 1 AS id;
CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz);
CREATE SUBSCRIPTION orders CONNECTION 'host=/var/run/postgresql port=5433 user=chief dbname=shop' PUBLICATION orders;
END
runuser -u postgres -- pg_basebackup -h /var/run/postgresql -p 5433 -U chief -D /srv/pg/follower -T /srv/fast=/srv/pg/fast2 \
  -c fast -C -S follower -R
cat >/srv/pg/follower/postgresql.conf <<'END'
port = 5434
max_prepared_transactions = 5
shared_buffers = 16MB
END
rm -f /srv/pg/follower/postgresql.auto.conf
cat >>/srv/pg/follower/postgresql.conf <<'END'
primary_conninfo = 'host=/var/run/postgresql port=5433 user=chief application_name=follower'
primary_slot_name = 'follower'
END
echo 'local all all peer map=admins' >/srv/pg/follower/pg_hba.conf
echo 'admins postgres chief' >/srv/pg/follower/pg_ident.conf
systemd-run -q --unit=follower -p User=postgres /usr/lib/postgresql/17/bin/postgres -D /srv/pg/follower
# Somebody who has not finished, and something that nobody has.
systemd-run -q --unit=clerk -p User=postgres sh -c \
  '(echo "BEGIN; CREATE TEMPORARY TABLE desk AS SELECT 1; SELECT txid_current();"; exec sleep infinity) | psql -qX -p 5433 -U chief -d shop'
as_chief shop <<'END'
BEGIN;
INSERT INTO orders VALUES (0);
PREPARE TRANSACTION 'half';
END
