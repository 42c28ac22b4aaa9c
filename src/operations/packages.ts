import { words } from "../host/shell";

/** Another one after each start of the host (random(4)). */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/**
 * Installs packages in one transaction, without starting any of their services: those start with our configuration,
 * later. The policy file that keeps them from starting only counts while this script lives and the host is up, so that
 * a run that is cut off leaves nothing behind that matters (invoke-rc.d(8), deb-systemd-invoke(1p)).
 */
export function installPackages(packages: readonly string[]): string {
  return `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ] || grep -q pgherd $policy; then
  printf '#!/bin/sh\\n# pgherd: no package starts its services while pgherd installs it.\\n[ -d /proc/%s ] && [ "$(cat ${BOOT_ID})" = %s ] && exit 101\\nexit 0\\n' $$ "$(cat ${BOOT_ID})" >$policy
  chmod 0755 $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
dpkg --configure -a
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install -- ${words(packages)}`;
}
