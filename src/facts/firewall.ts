import { FactError } from "../errors";
import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** nftables' table with the host's rules. Tables of others stay as they are. */
export const TABLE = "inet pgherd";

/** Lets the kernel get to know connections, as long as rules are loaded that ask for that. */
export const TRACKING_TABLE = "inet pgherd_tracking";

/** The unit that loads the rules when the host starts, before its network does. */
export const FIREWALL_UNIT = "pgherd-firewall.service";

/** What the unit loads. */
export const RULES_FILE = "/var/lib/pgherd/firewall.nft";

/** Takes rules back on which nobody has said yes: a timer of the host's own, which needs no connection. */
export const ROLLBACK_TIMER = "pgherd-firewall-rollback.timer";

/** What was loaded: the sums of the rules file, users' ids included, and of the kernel's table. Gone after a reboot, as the table is. */
export const FIREWALL_RECORD = "/run/pgherd/firewall";

/** Prints the sum of the rules in the kernel, which is the same each time they are loaded. */
export const KERNEL_SUM = `/usr/sbin/nft -s list table ${TABLE} | sha256sum`;

/**
 * Shell: `expanded FILE` prints a rules file as nft takes it: `$uid_NAME` is that user's id at this moment. Who is not there
 * has root's, which is let through anyway: rules that name him would not be loaded at all.
 */
export const EXPANDED = `expanded() {
  # Without such a name there is nothing to find.
  names=$(grep -o '\\$uid_[a-z0-9_-]*' "$1" || [ $? = 1 ])
  for name in $(printf '%s\\n' "$names" | sort -u); do
    user=\${name#?uid_}
    # There may be no such user.
    if ! uid=$(id -u "$user" 2>/dev/null); then uid=0; fi
    echo "define uid_$user = $uid"
  done
  cat "$1"
}`;

const HEAD = `# Written by pgherd.
table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
`;
const TAIL = "}\n";

/** Whether these rules let nothing in but what they name. Those of a host that clients still reach itself let in the rest. */
export function isClosed(body: string): boolean {
  return body.includes("policy drop;");
}

/**
 * A file that replaces the table: nft loads it as one transaction, so that no packet ever meets half of the rules. The
 * table is made first because one that is not there cannot be deleted.
 * @param body of the table; ends in a newline.
 */
export function rulesFile(body: string): string {
  return `${HEAD}${body}${TAIL}`;
}

/** The body of the table in a rules file; all of a file that is none of ours. */
export function bodyOf(file: string): string {
  const ours = file.startsWith(HEAD) && file.endsWith(TAIL);
  return ours ? file.slice(HEAD.length, -TAIL.length) : file;
}

/** The rules as the host has them. */
export interface FirewallState {
  /** Whether the kernel has just what the rules file says; `absent` if it has no rules of ours at all. */
  readonly loaded: "active" | "changed" | "absent";
  /** `enabled`, `disabled`, `masked`… or `absent` where there is no unit. */
  readonly enabled: string;
}

export function firewallProbe(): Probe<FirewallState> {
  return {
    script: [
      EXPANDED,
      // It says "not-found" beside the word on its standard error.
      `echo "enabled $(systemctl is-enabled ${FIREWALL_UNIT} 2>/dev/null)"`,
      `if [ -e ${quote(RULES_FILE)} ]; then echo "file $(expanded ${quote(RULES_FILE)} | sha256sum)"; fi`,
      `if /usr/sbin/nft list table ${TABLE} >/dev/null; then echo "kernel $(${KERNEL_SUM})"; fi`,
      `echo "recorded" $(cat ${quote(FIREWALL_RECORD)})`,
    ]
      // Before the first rules there is none of these; what does not answer is never told as active.
      .map((line, at) => (at === 0 ? line : `{ ${line}; } 2>/dev/null`))
      .concat(":")
      .join("\n"),
    parse(output) {
      const fields = new Map(
        output.split("\n").map((line): [string, string[]] => {
          const [key = "", ...values] = line.split(/\s+/).filter((word) => word !== "-");
          return [key, values];
        }),
      );
      const enabled = fields.get("enabled");
      if (!enabled) throw new FactError(`expected the firewall's state, got "${output.trim()}".`);
      const [file = ""] = fields.get("file") ?? [];
      const [kernel = ""] = fields.get("kernel") ?? [];
      const [recordedFile, recordedKernel] = fields.get("recorded") ?? [];
      const asLoaded = file !== "" && file === recordedFile && kernel === recordedKernel;
      const unit = enabled[0] ?? "";
      return {
        loaded: kernel === "" ? "absent" : asLoaded ? "active" : "changed",
        enabled: ["", "not-found"].includes(unit) ? "absent" : unit,
      };
    },
  };
}

/** Whether rules are being tried which the host will take back by itself. */
export function onTrialProbe(): Probe<boolean> {
  return {
    script: `systemctl show -p ActiveState --value ${ROLLBACK_TIMER}`,
    parse: (output) => output.trim() === "active",
  };
}
