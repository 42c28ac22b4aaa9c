import {
  FIREWALL_RECORD,
  FIREWALL_UNIT,
  KERNEL_SUM,
  ROLLBACK_TIMER,
  RULES_FILE,
  rulesFile,
  TABLE,
} from "../facts/firewall";
import { hereDocument } from "../host/shell";
import type { FileInput } from "../resources/inputs";
import { removeFiles, writeFiles } from "./files";
import { retireUnit } from "./units";

/** Seconds after which a host takes rules back that nobody has confirmed. */
export const TRIAL_SECONDS = 45;

/** Rules on trial, and those that they replaced. */
const TRIAL_FILE = "/var/lib/pgherd/firewall-trial.nft";
const BEFORE_FILE = "/run/pgherd/firewall-before.nft";
const ROLLBACK_SERVICE = ROLLBACK_TIMER.replace(".timer", ".service");

const UNIT_PATH = `/etc/systemd/system/${FIREWALL_UNIT}`;

const RECORD = `/bin/sh -c 'mkdir -p /run/pgherd && { sha256sum <${RULES_FILE}; ${KERNEL_SUM}; } >${FIREWALL_RECORD}'`;

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
ExecStart=/usr/sbin/nft -f ${RULES_FILE}
ExecStartPost=${RECORD}
ExecReload=/usr/sbin/nft -f ${RULES_FILE}
ExecReload=${RECORD}
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

/** The files of a host's firewall, with the body of its table. */
export function firewallFiles(body: string): { readonly [path: string]: FileInput } {
  return {
    [RULES_FILE]: rootFile(rulesFile(body), "0600"),
    [UNIT_PATH]: rootFile(UNIT, "0644"),
  };
}

function rootFile(content: string, mode: string): FileInput {
  return { content, mode, owner: "root", group: "root" };
}

/**
 * A connection that was there before the first rules is not known to the kernel, and an answer on it would be dropped
 * as unasked for. This lets everything in and gets to know them.
 */
const TRACK_CONNECTIONS = rulesFile(`    chain input {
        type filter hook input priority filter; policy accept;
        ct state new accept
    }
`);
const TRACK_SECONDS = 2;

/**
 * Loads new rules for a trial: the host itself takes them back after `TRIAL_SECONDS` unless `keepRules` runs before.
 * Rules that nft refuses are never loaded.
 */
export function tryRules(body: string): string {
  return [
    writeFiles(
      { [TRIAL_FILE]: rootFile(rulesFile(body), "0600") },
      { [TRIAL_FILE]: "/usr/sbin/nft -c -f {}" },
    ),
    // What a killed run was trying must not be taken for what was there before.
    `if systemctl -q is-active ${ROLLBACK_TIMER}; then /usr/sbin/nft -f ${BEFORE_FILE}; fi`,
    endTrial(),
    "mkdir -p /run/pgherd",
    `(umask 077; { printf 'table ${TABLE}\\ndelete table ${TABLE}\\n'; /usr/sbin/nft -s list table ${TABLE} 2>/dev/null || :; } >${BEFORE_FILE})`,
    // Timers are a minute late by default (systemd.timer(5), AccuracySec).
    `systemd-run -q --collect --unit=${ROLLBACK_SERVICE} --on-active=${TRIAL_SECONDS} --timer-property=AccuracySec=1s /usr/sbin/nft -f ${BEFORE_FILE}`,
    `if ! /usr/sbin/nft list table ${TABLE} >/dev/null 2>&1; then`,
    `/usr/sbin/nft -f - ${hereDocument(TRACK_CONNECTIONS)}sleep ${TRACK_SECONDS}`,
    "fi",
    `/usr/sbin/nft -f ${TRIAL_FILE}`,
  ].join("\n");
}

/** Keeps the rules that are on trial, now and after every start of the host. */
export function keepRules(): string {
  return [
    // Otherwise it was not these rules that let the confirmation in.
    `systemctl -q is-active ${ROLLBACK_TIMER} || { echo 'the new rules were taken back before they were confirmed; run again' >&2; exit 1; }`,
    writeFiles({ [UNIT_PATH]: rootFile(UNIT, "0644") }),
    `mv -f ${TRIAL_FILE} ${RULES_FILE}`,
    endTrial(),
    "systemctl daemon-reload",
    `systemctl enable -q ${FIREWALL_UNIT}`,
    // Loads them once more, should the timer have fired a moment ago, and records it.
    `systemctl restart ${FIREWALL_UNIT}`,
    `rm -f ${BEFORE_FILE}`,
  ].join("\n");
}

/** Takes the firewall away: everything is let in again. */
export function removeFirewall(): string {
  return [
    endTrial(),
    retireUnit(FIREWALL_UNIT),
    removeFiles([UNIT_PATH, RULES_FILE, TRIAL_FILE, BEFORE_FILE, FIREWALL_RECORD]),
    "systemctl daemon-reload",
    `if /usr/sbin/nft list table ${TABLE} >/dev/null 2>&1; then /usr/sbin/nft delete table ${TABLE}; fi`,
  ].join("\n");
}

/** Neither of the two need be there. */
function endTrial(): string {
  return [ROLLBACK_TIMER, ROLLBACK_SERVICE]
    .map((unit) => `systemctl stop ${unit} 2>/dev/null || :`)
    .join("\n");
}
