# An etcd that somebody else runs, for several clusters: TLS on both ends, users, and another cluster in it.
# Usage: sh stranger-etcd.sh ADDRESS PASSWORD, as root.
set -eu
address=$1
password=$2
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install etcd-server etcd-client openssl curl >/dev/null
systemctl stop etcd
install -d -m 0750 -o root -g etcd /etc/shared-etcd
cd /etc/shared-etcd
umask 027
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
signed() { # NAME SUBJECT EXTENSIONS
  key "$1"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  printf '%s\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt"
}
key ca
openssl req -x509 -new -key ca.key -subj '/CN=shared etcd' -days 30 -out ca.crt
{
  signed server /CN=etcd.example "subjectAltName=IP:$address,IP:127.0.0.1
extendedKeyUsage=serverAuth,clientAuth"
  signed client /O=demo 'extendedKeyUsage=clientAuth'
} 2>/dev/null
chgrp etcd ./*
chmod 0640 ./*
cat >/etc/default/etcd <<EOF
ETCD_NAME=shared
ETCD_DATA_DIR=/var/lib/etcd/shared
ETCD_LISTEN_CLIENT_URLS=https://$address:2379,https://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=https://$address:2379
ETCD_LISTEN_PEER_URLS=http://127.0.0.1:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://127.0.0.1:2380
ETCD_INITIAL_CLUSTER=shared=http://127.0.0.1:2380
ETCD_CERT_FILE=/etc/shared-etcd/server.crt
ETCD_KEY_FILE=/etc/shared-etcd/server.key
ETCD_TRUSTED_CA_FILE=/etc/shared-etcd/ca.crt
ETCD_CLIENT_CERT_AUTH=true
EOF
systemctl restart etcd
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=ca.crt ETCDCTL_CERT=client.crt ETCDCTL_KEY=client.key
etcdctl put /service/other/initialize 7110000000000000001 >/dev/null
etcdctl put /service/other/leader db9 >/dev/null
etcdctl user add "root:$password" >/dev/null
etcdctl user grant-role root root >/dev/null
etcdctl role add demo >/dev/null
etcdctl role grant-permission demo --prefix=true readwrite /service/demo/ >/dev/null
etcdctl user add "demo-members:$password" >/dev/null
etcdctl user grant-role demo-members demo >/dev/null
etcdctl auth enable
