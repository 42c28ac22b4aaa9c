import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXPANDED } from "../../src/facts/firewall";
import { strict } from "../../src/host/shell";

import {
  firewallFiles,
  keepRules,
  loadRules,
  openFirewall,
  removeFirewall,
  tryRules,
} from "../../src/operations/firewall";

const BODY = "    chain input {\n    }\n";
const script = tryRules(BODY, 45);

/** Where each of these stands in a script, to compare their order. */
function positions(text: string, ...parts: string[]): number[] {
  return parts.map((part) => {
    const at = text.indexOf(part);
    if (at < 0) throw new Error(`expected ${part} in:\n${text}`);
    return at;
  });
}

function inOrder(text: string, ...parts: string[]): void {
  const found = positions(text, ...parts);
  expect(found).toEqual([...found].sort((a, b) => a - b));
}

test("rules that nft refuses are neither loaded nor kept", () => {
  inOrder(
    strict(script),
    "set -eu",
    "load-firewall /var/lib/pgherd/firewall-trial.nft.pgherd-new -c",
    "load-firewall /var/lib/pgherd/firewall-trial.nft\n",
  );
  expect(script).not.toContain("/var/lib/pgherd/firewall.nft");
});

test("the host remembers its rules and sets its timer before it loads others", () => {
  inOrder(
    script,
    "nft -s list table inet pgherd",
    "systemd-run",
    "load-firewall /var/lib/pgherd/firewall-trial.nft\n",
  );
  expect(script).toMatch(
    /systemd-run .*--on-active=45 .*nft -f \/run\/pgherd\/firewall-before\.nft/,
  );
});

test("what a killed run was trying is taken back first, and not remembered as what was there", () => {
  inOrder(
    script,
    "then /usr/sbin/nft -f /run/pgherd/firewall-before.nft",
    "systemctl stop pgherd-firewall-rollback.timer",
    ">/run/pgherd/firewall-before.nft",
  );
});

test("connections from before the first rules are made known before anything is dropped", () => {
  inOrder(
    script,
    "before=$(/usr/sbin/nft -s list table inet pgherd)",
    "grep -q 'ct state'",
    "ct state new accept",
    "load-firewall /var/lib/pgherd/firewall-trial.nft\n",
    "nft delete table inet pgherd_tracking",
  );
});

test("they are made known beside the rules that there are, which go on keeping others out", () => {
  const known = script.slice(
    script.indexOf("table inet pgherd_tracking"),
    script.indexOf("sleep 2"),
  );
  expect(known).not.toMatch(/table inet pgherd\b/);
});

test("rules that are loaded without a trial are checked first, and come back with the host", () => {
  const load = loadRules(BODY);
  inOrder(
    load,
    "set -e",
    "firewall.nft.pgherd-new -c",
    "enable -q pgherd-firewall",
    "restart pgherd-firewall",
  );
  expect(load).not.toContain("ct state");
  expect(openFirewall(BODY)).toContain(`if [ -e /var/lib/pgherd/firewall.nft ]; then\n${load}`);
});

test("the rules come back whenever nftables' own service has removed all there are", () => {
  const path = "/etc/systemd/system/nftables.service.d/pgherd.conf";
  const unit = firewallFiles(BODY)[path]?.content ?? "";
  for (const key of ["ExecStart", "ExecReload", "ExecStop"]) {
    // What fails must not keep the host's own rules from being loaded.
    expect(unit).toMatch(
      new RegExp(
        `^${key}=-/bin/sh -c '/bin/sh /var/lib/pgherd/load-firewall /var/lib/pgherd/firewall.nft;`,
        "m",
      ),
    );
  }
  expect(keepRules()).toContain(path);
  expect(loadRules(BODY)).toContain(path);
});

test("rules that the host has already taken back are not kept", () => {
  const keep = keepRules();
  inOrder(
    keep,
    "is-active pgherd-firewall-rollback.timer || { echo",
    "exit 1",
    "mv -f /var/lib/pgherd/firewall-trial.nft /var/lib/pgherd/firewall.nft",
    "systemctl stop pgherd-firewall-rollback.timer",
    "systemctl enable -q pgherd-firewall.service",
    "systemctl restart pgherd-firewall.service",
  );
});

test("one transaction replaces the table, whether it is there or not", () => {
  const rules = firewallFiles(BODY)["/var/lib/pgherd/firewall.nft"];
  expect(rules).toMatchObject({ mode: "0600", owner: "root", group: "root" });
  expect(rules?.content).toBe(
    `# Written by pgherd.\ntable inet pgherd\ndelete table inet pgherd\ntable inet pgherd {\n${BODY}}\n`,
  );
});

test("the rules are there before the network when the host starts, and that is recorded", () => {
  const unit = firewallFiles(BODY)["/etc/systemd/system/pgherd-firewall.service"]?.content ?? "";
  expect(unit).toContain("Before=network-pre.target");
  expect(unit).toContain(
    "ExecStart=/bin/sh /var/lib/pgherd/load-firewall /var/lib/pgherd/firewall.nft\n",
  );
  expect(unit).toMatch(/^ExecStartPost=.*load-firewall .*firewall\.nft record$/m);
});

test("users stand in the rules by the ids that they have when the rules are loaded; one who is not there keeps none from being loaded", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-firewall-"));
  const nft = join(folder, "nft");
  writeFileSync(nft, `#!/bin/sh\necho "$@" >${folder}/options; cat >${folder}/loaded\n`, {
    mode: 0o755,
  });
  const loader = (firewallFiles(BODY)["/var/lib/pgherd/load-firewall"]?.content ?? "")
    .replaceAll("/usr/sbin/nft", nft)
    .replaceAll("/run/pgherd", folder);
  writeFileSync(join(folder, "loader"), loader);
  const rules = join(folder, "rules");
  const body = "meta skuid != { 0, $uid_daemon, $uid_nobody-here }\n";
  writeFileSync(rules, body);
  execFileSync("sh", [join(folder, "loader"), rules, "-c"]);
  const expanded = `define uid_daemon = 1\ndefine uid_nobody-here = 0\n${body}`;
  expect(readFileSync(join(folder, "loaded"), "utf8")).toBe(expanded);
  expect(readFileSync(join(folder, "options"), "utf8")).toBe("-c -f -\n");
  expect(execFileSync("sh", ["-c", `${EXPANDED}\nexpanded ${rules}`], { encoding: "utf8" })).toBe(
    expanded,
  );
  expect(() =>
    execFileSync("sh", [join(folder, "loader"), `${rules}-gone`], { stdio: "pipe" }),
  ).toThrow("No such file");
});

test("nothing of the firewall is left when it is removed", () => {
  const remove = removeFirewall();
  for (const one of [
    "systemctl disable -q --now pgherd-firewall.service",
    "/etc/systemd/system/pgherd-firewall.service",
    "/etc/systemd/system/nftables.service.d/pgherd.conf",
    "/var/lib/pgherd/firewall.nft",
    "/var/lib/pgherd/load-firewall",
    "/run/pgherd/firewall",
    "nft delete table inet pgherd",
  ]) {
    expect(remove).toContain(one);
  }
});
