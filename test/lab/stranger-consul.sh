# A Consul that somebody else runs, for several clusters: a server, or the agent of a member's host. Nobody may do anything without
# a token. Usage: sh stranger-consul.sh NAME ADDRESS SERVER [TOKEN], as root; with a token it is an agent's.
set -eu
name=$1
address=$2
server=$3
token=${4:-}
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install consul curl >/dev/null
umask 027
if [ -n "$token" ]; then
  role='"server": false'
  tokens="\"tokens\": { \"agent\": \"$token\" },"
else
  role='"server": true, "bootstrap_expect": 1'
  tokens=
fi
cat >/etc/consul.d/shared.json <<EOF
{
  $role,
  "node_name": "$name",
  "data_dir": "/var/lib/consul",
  "bind_addr": "$address",
  "retry_join": ["$server"],
  "leave_on_terminate": false,
  "skip_leave_on_interrupt": true,
  "acl": { $tokens "enabled": true, "default_policy": "deny" }
}
EOF
chgrp consul /etc/consul.d/shared.json
systemctl enable consul >/dev/null 2>&1
systemctl restart consul
if [ -n "$token" ]; then exit; fi

api=http://127.0.0.1:8500/v1
for i in $(seq 60); do
  # It may not listen yet, or have no leader.
  said=$(curl -s -X PUT "$api/acl/bootstrap") || :
  management=$(printf '%s' "$said" | sed -n 's/.*"SecretID":"\([^"]*\)".*/\1/p')
  if [ -n "$management" ]; then break; fi
  sleep 1
done
printf 'X-Consul-Token: %s\n' "$management" >/etc/consul.d/management
put() { curl -sf --retry 20 --retry-all-errors --retry-delay 1 -H @/etc/consul.d/management -X PUT -d "$2" "$api$1"; }
put /acl/policy '{"Name": "demo", "Rules": "key_prefix \"service/demo/\" { policy = \"write\" } session \"db1\" { policy = \"write\" } session \"db2\" { policy = \"write\" }"}' >/dev/null
put /acl/policy '{"Name": "agents", "Rules": "node_prefix \"\" { policy = \"write\" } service_prefix \"\" { policy = \"read\" } agent_prefix \"\" { policy = \"write\" }"}' >/dev/null
put /kv/service/other/leader db9 >/dev/null
secret() { put /acl/token "{\"Policies\": [{\"Name\": \"$1\"}]}" | sed -n 's/.*"SecretID":"\([^"]*\)".*/\1/p'; }
echo "demo $(secret demo)"
echo "agents $(secret agents)"
