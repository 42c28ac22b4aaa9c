#!/bin/sh
# A server as somebody has tuned it to load data, and has left it so: no WAL for replicas, nothing that a power cut asks for,
# its directory a link, and an edit that waits for a restart. Run as root on a blank host.
set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p /etc/postgresql-common
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get -qq update
apt-get -qq -y -o Dpkg::Use-Pty=0 install postgresql >/dev/null
version=$(ls /usr/lib/postgresql)
install -d -o postgres -g postgres -m 0700 /srv/pg
pg_createcluster "$version" main -d /srv/pg/main >/dev/null
mv /srv/pg/main /srv/pg/disk2
ln -s disk2 /srv/pg/main
config=/etc/postgresql/$version/main
cat >>"$config/postgresql.conf" <<'END'
listen_addresses = '*'
wal_level = minimal
max_wal_senders = 0
fsync = off
full_page_writes = off
shared_buffers = 256MB
END
echo "host all all 10.89.0.0/24 scram-sha-256" >>"$config/pg_hba.conf"
pg_ctlcluster "$version" main start
cd /
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -c "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id"
sed -i 's/^shared_buffers = 256MB/shared_buffers = 300MB/' "$config/postgresql.conf"
pg_ctlcluster "$version" main reload
