import { dirname } from "node:path";
import { POLICY } from "../facts/packages";
import { quote, words } from "../host/shell";

/** Names the process that installs packages now (templates/packages/policy-rc.d.sh.hbs); gone with the next start of the host. */
const INSTALLING = "/run/pgherd/installing";

/**
 * Installs packages in one transaction, without starting any of their services: those start with our configuration,
 * later. What keeps them from starting only counts while this script lives and the host is up, so that a run that is cut
 * off leaves nothing behind that matters (invoke-rc.d(8), deb-systemd-invoke(1p)).
 */
export function installPackages(packages: readonly string[]): string {
  return `
mkdir -p ${dirname(INSTALLING)}
echo $$ >${INSTALLING}
trap 'rm -f ${INSTALLING}' EXIT
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
dpkg --configure -a
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install -- ${words(packages)}`;
}

/** Removes the policy that keeps packages from restarting daemons, if it is pgherd's. */
export function removePolicy(): string {
  return `if grep -qs 'Written by pgherd' ${quote(POLICY)}; then rm -f ${quote(POLICY)}; fi`;
}
