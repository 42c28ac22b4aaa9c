#!/bin/sh
# What a preview tells to do on the hosts that the server of odd.sh is copied to. Run as root.
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y -o Dpkg::Use-Pty=0 install locales >/dev/null
echo "de_DE.UTF-8 UTF-8" >>/etc/locale.gen
locale-gen >/dev/null
id -u postgres 2>/dev/null || adduser --quiet --system --group --home /var/lib/postgresql --shell /bin/bash postgres
install -d -o postgres -g postgres -m 0700 /var/log/shop /srv/fast /srv/archive
groupadd -f --system dba
usermod -aG dba postgres
install -d -o postgres -g postgres /etc/postgresql/17/shop
echo "SHOP_ARCHIVE = '/srv/archive'" >/etc/postgresql/17/shop/environment
