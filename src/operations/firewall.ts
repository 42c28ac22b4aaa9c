import { dirname } from "node:path";
import {
  EXPANDED,
  FIREWALL_RECORD,
  FIREWALL_UNIT,
  KERNEL_SUM,
  ROLLBACK_TIMER,
  RULES_FILE,
  rulesFile,
  TABLE,
  TRACKING_TABLE,
} from "../facts/firewall";
import { hereDocument } from "../host/shell";
import type { FileInput } from "../resources/inputs/files";
import { removeFiles, writeFiles } from "./files";
import { enableUnits, retireUnit } from "./units";

/** Rules on trial, and those that they replaced. */
const TRIAL_FILE = "/var/lib/pgherd/firewall-trial.nft";
const BEFORE_FILE = "/run/pgherd/firewall-before.nft";
const ROLLBACK_SERVICE = ROLLBACK_TIMER.replace(".timer", ".service");

const UNIT_PATH = `/etc/systemd/system/${FIREWALL_UNIT}`;

const LOADER = "/var/lib/pgherd/load-firewall";
const LOADER_SCRIPT = `#!/bin/sh
# Written by pgherd. load-firewall FILE [OPTION]: nft loads a file of rules, whose users get the ids that they have now. With
# "record" as the option it is written down that these rules are loaded.
set -eu
${EXPANDED}
rules=$(expanded "$1")
shift
case \${1-} in
  record)
    mkdir -p /run/pgherd
    { printf '%s\\n' "$rules" | sha256sum; ${KERNEL_SUM}; } >${FIREWALL_RECORD}
    ;;
  *) printf '%s\\n' "$rules" | /usr/sbin/nft "$@" -f - ;;
esac
`;

/** The command that loads a file of rules. */
function load(file: string, option = ""): string {
  return `/bin/sh ${LOADER} ${file}${option && ` ${option}`}`;
}

const CHECK = load("{}", "-c");

/** As Debian's own nftables.service, after which it comes because that one starts with removing all rules. */
const UNIT = `# Written by pgherd.
[Unit]
Description=Firewall of the PostgreSQL cluster
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=local-fs.target nftables.service
Conflicts=shutdown.target
RequiresMountsFor=${RULES_FILE}
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
StandardInput=null
ExecStart=${load(RULES_FILE)}
ExecStartPost=${load(RULES_FILE, "record")}
ExecReload=${load(RULES_FILE)}
ExecReload=${load(RULES_FILE, "record")}
# It comes too early for a /tmp of its own; systemd.exec(5).
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_ADMIN
ProtectSystem=strict
ReadWritePaths=/run
ProtectHome=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=sysinit.target
`;

/**
 * Debian's own service removes all rules of everybody when it starts, reloads or stops: ours come back with it, and so do
 * those of the forks that run. What fails here must not keep the host's own rules from being loaded; the status tells.
 */
const WITH_NFTABLES_PATH = "/etc/systemd/system/nftables.service.d/pgherd.conf";
const AGAIN =
  `/bin/sh -c '${load(RULES_FILE)}; for file in /var/lib/pgherd/fork-*.nft; do ` +
  // systemd takes one dollar of two away (systemd.service(5), Command Lines).
  'case $$(systemctl is-active "pgherd-$$(basename "$$file" .nft).service") in ' +
  `active|activating|reloading) /usr/sbin/nft -f "$$file";; esac; done'`;
const WITH_NFTABLES = `# Written by pgherd.
[Service]
ExecStart=-${AGAIN}
ExecReload=-${AGAIN}
ExecStop=-${AGAIN}
`;

/** The files of a host's firewall, with the body of its table. */
export function firewallFiles(body: string): { readonly [path: string]: FileInput } {
  return {
    [RULES_FILE]: rootFile(rulesFile(body), "0600"),
    ...unitFiles(),
  };
}

function unitFiles(): { readonly [path: string]: FileInput } {
  return {
    [LOADER]: rootFile(LOADER_SCRIPT, "0644"),
    [UNIT_PATH]: rootFile(UNIT, "0644"),
    [WITH_NFTABLES_PATH]: rootFile(WITH_NFTABLES, "0644"),
  };
}

function rootFile(content: string, mode: string): FileInput {
  return { content, mode, owner: "root", group: "root" };
}

/**
 * A connection that was there before the first rules is not known to the kernel, and an answer on it would be dropped
 * as unasked for. This gets to know them, beside the rules that there are.
 */
const TRACK_CONNECTIONS = `table ${TRACKING_TABLE}
delete table ${TRACKING_TABLE}
table ${TRACKING_TABLE} {
    chain input {
        type filter hook input priority filter; policy accept;
        ct state new accept
    }
}
`;
const TRACK_SECONDS = 2;

/**
 * Loads new rules for a trial. Rules that nft refuses are never loaded.
 * @param seconds after which the host itself takes them back unless `keepRules` runs before.
 */
export function tryRules(body: string, seconds: number): string {
  return [
    writeFiles(
      {
        [LOADER]: rootFile(LOADER_SCRIPT, "0644"),
        [TRIAL_FILE]: rootFile(rulesFile(body), "0600"),
      },
      { [TRIAL_FILE]: CHECK },
    ),
    // What a killed run was trying must not be taken for what was there before.
    `if systemctl -q is-active ${ROLLBACK_TIMER}; then /usr/sbin/nft -f ${BEFORE_FILE}; fi`,
    endTrial(),
    "mkdir -p /run/pgherd",
    // Rules that are there and cannot be told would be taken back to none.
    `tables=$(/usr/sbin/nft list tables)`,
    `before=`,
    `if printf '%s\\n' "$tables" | grep -qxF 'table ${TABLE}'; then before=$(/usr/sbin/nft -s list table ${TABLE}); fi`,
    `(umask 077; printf 'table ${TABLE}\\ndelete table ${TABLE}\\n%s\\n' "$before" >${BEFORE_FILE})`,
    // Timers are a minute late by default (systemd.timer(5), AccuracySec).
    `systemd-run -q --collect --unit=${ROLLBACK_SERVICE} --on-active=${seconds} --timer-property=AccuracySec=1s /usr/sbin/nft -f ${BEFORE_FILE}`,
    `if ! printf '%s\\n' "$before" | grep -q 'ct state'; then`,
    `/usr/sbin/nft -f - ${hereDocument(TRACK_CONNECTIONS)}sleep ${TRACK_SECONDS}`,
    "fi",
    load(TRIAL_FILE),
    deleteTable(TRACKING_TABLE),
  ].join("\n");
}

/** Loads rules that shut nobody out whom pgherd needs, now and after every start of the host: they need no trial. */
export function loadRules(body: string): string {
  return [
    "set -e",
    endTrial(),
    writeFiles(firewallFiles(body), { [RULES_FILE]: CHECK }),
    startUnit(),
  ].join("\n");
}

/** Keeps the rules that are on trial, now and after every start of the host. */
export function keepRules(): string {
  return [
    // Otherwise it was not these rules that let the confirmation in.
    `systemctl -q is-active ${ROLLBACK_TIMER} || { echo 'the new rules were taken back before they were confirmed; run again' >&2; exit 1; }`,
    writeFiles(unitFiles()),
    `mv -f ${TRIAL_FILE} ${RULES_FILE}`,
    endTrial(),
    // Loads them once more, should the timer have fired a moment ago.
    startUnit(),
    `rm -f ${BEFORE_FILE}`,
  ].join("\n");
}

/** Loads the rules file and records it, now and whenever the host starts. */
function startUnit(): string {
  return [
    "systemctl daemon-reload",
    enableUnits([FIREWALL_UNIT]),
    `systemctl restart ${FIREWALL_UNIT}`,
  ].join("\n");
}

/**
 * Takes the rules back to those that let in all but what is the cluster's own; where there are none, there stay none.
 * @param body of the table then.
 */
export function openFirewall(body: string): string {
  return `if [ -e ${RULES_FILE} ]; then\n${loadRules(body)}\nfi`;
}

/** Takes the firewall away: everything is let in again. */
export function removeFirewall(): string {
  return [
    endTrial(),
    retireUnit(FIREWALL_UNIT),
    removeFiles([
      ...[
        LOADER,
        UNIT_PATH,
        WITH_NFTABLES_PATH,
        RULES_FILE,
        TRIAL_FILE,
        BEFORE_FILE,
        FIREWALL_RECORD,
      ],
    ]),
    // Of others' settings of that service there may be some.
    `rmdir ${dirname(WITH_NFTABLES_PATH)} 2>/dev/null || :`,
    "systemctl daemon-reload",
    deleteTable(TABLE),
    deleteTable(TRACKING_TABLE),
  ].join("\n");
}

function deleteTable(table: string): string {
  return `if /usr/sbin/nft list table ${table} >/dev/null 2>&1; then /usr/sbin/nft delete table ${table}; fi`;
}

/** Neither of the two need be there. */
function endTrial(): string {
  return (
    [ROLLBACK_TIMER, ROLLBACK_SERVICE]
      // 5: there is no such unit (systemctl(1), "EXIT STATUS"). A trial that does not end would take back what comes after it.
      .map((unit) => `systemctl stop ${unit} 2>/dev/null || [ $? = 5 ]`)
      .join("\n")
  );
}
