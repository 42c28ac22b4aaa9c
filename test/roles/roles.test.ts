import { expect, test } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { DISTRIBUTION_NAMES, distributionNamed } from "../../src/distributions/distributions";
import { ROLES_HEALTH } from "../../src/operations/roles/roles";
import { planCluster } from "../../src/plan/plan";
import { portsOn } from "../../src/plan/ports";
import { hostsOf, roleNamed, ROLES, ROLES_IN_ORDER, rolesOn } from "../../src/roles/roles";

const settings = parseSettings(withBackups(rawStack("lab")));
const { cluster } = settings;
const plan = planCluster(settings);

test("every role is planned on its hosts, and nothing else is", () => {
  const planned = plan.services.map(({ daemon, host }) => `${daemon} on ${host}`);
  const wanted = ROLES.flatMap((role) =>
    hostsOf(role, cluster).map((on) => `${role.name} on ${on}`),
  );
  expect(planned.sort()).toEqual(wanted.sort());
});

test("a role comes after those that it needs, in the order in which roles are set up", () => {
  const names = ROLES_IN_ORDER.map(({ name }) => name);
  expect(names).toEqual(["etcd", "consul", "patroni", "haproxy", "keepalived", "barman"]);
  expect([...names].sort()).toEqual(ROLES.map(({ name }) => name).sort());
  for (const { name, after } of ROLES)
    for (const before of after) expect(names.indexOf(before)).toBeLessThan(names.indexOf(name));
});

test("a port of a role is looked for by the preflight and let in by the firewall, on each of its hosts", () => {
  for (const role of ROLES)
    for (const host of hostsOf(role, cluster))
      for (const { number, purpose, from } of role.ports) {
        const port = number(cluster) as number;
        expect(portsOn(settings, host)[port]).toBe(role.name);
        const flows = plan.flows.filter((flow) => flow.to === host && flow.port === port);
        for (const flow of flows) expect(flow.purpose).toBe(purpose);
        expect(flows.length).toBeLessThanOrEqual(from(cluster).length);
      }
});

test("what a role's daemon says stands in the journal of its own unit among others", () => {
  for (const { unit, journal } of ROLES) expect(journal).toContain(unit);
});

test("a file that a role's own program checks is one that is written for it", () => {
  for (const { name, validate } of ROLES) {
    const written = plan.services.filter(({ daemon }) => daemon === name);
    for (const path of Object.keys(validate(cluster.name)))
      for (const { files, secretFiles } of written)
        expect(Object.keys({ ...files, ...secretFiles })).toContain(path);
  }
});

test("what a role's own program does not judge says why", () => {
  for (const { validate } of ROLES) {
    const all = Object.values(validate(cluster.name));
    expect(all).not.toEqual([]);
    for (const one of all)
      if (typeof one === "object" && "none" in one) expect(one.none).not.toBe("");
  }
});

test("each distribution names every package, and the stack's choice changes nothing else of a plan on Debian", () => {
  const names = (one?: string) => Object.keys(distributionNamed(one).packages);
  for (const one of DISTRIBUTION_NAMES) {
    expect(names(one)).toEqual(names());
    const raw = withBackups(rawStack("lab")) as { cluster: { system?: object } };
    raw.cluster.system = { distribution: one };
    const { preflight, services, hosts, firewalls } = planCluster(parseSettings(raw));
    expect(services.map(({ files }) => files)).toEqual(plan.services.map(({ files }) => files));
    expect({ hosts, firewalls }).toEqual({ hosts: plan.hosts, firewalls: plan.firewalls });
    expect(preflight).toEqual({ ...plan.preflight, distribution: one });
  }
});

test("every role is asked for its health, on each of its hosts, and what one asks is no other's answer", () => {
  const asked = ROLES_HEALTH.flatMap(({ roles }) => roles);
  expect([...asked].sort()).toEqual([...ROLES.map(({ name }) => name), "firewall"].sort());
  const parts = new Map<string, string>();
  for (const { roles, hosts, questions } of ROLES_HEALTH) {
    const role = roles.join(" or ");
    // Of the kinds of DCS a cluster has one.
    for (const one of roles)
      if (one !== "firewall" && hostsOf(roleNamed(one), cluster).length > 0)
        expect(hosts(plan)).toEqual(hostsOf(roleNamed(one), cluster));
    for (const host of hosts(plan)) {
      expect(Object.keys(questions(plan, host)), `${role} on ${host}`).not.toEqual([]);
      for (const part of Object.keys(questions(plan, host))) {
        expect(parts.get(part) ?? role, part).toBe(role);
        parts.set(part, role);
      }
    }
  }
});

test("a server that stands still keeps no question of the status waiting for long", () => {
  const scripts = ROLES_HEALTH.flatMap(({ hosts, questions }) =>
    hosts(plan).flatMap((host) =>
      Object.values(questions(plan, host) as { [part: string]: { script: string } }),
    ),
  ).map(({ script }) => script);
  const asking = scripts.filter((script) => script.includes("-XAtqw"));
  expect(asking).not.toEqual([]);
  for (const script of asking) expect(script).toMatch(/timeout \d+ setpriv /);
});

test("a host may have several roles", () => {
  expect(rolesOn(cluster, "db1").map(({ name }) => name)).toEqual(["etcd", "patroni"]);
  expect(rolesOn(cluster, "lb1").map(({ name }) => name)).toEqual(["haproxy", "keepalived"]);
  expect(rolesOn(cluster, "backup1").map(({ name }) => name)).toEqual(["barman"]);
  expect(rolesOn(cluster, "elsewhere")).toEqual([]);
});

function withBackups(raw: Record<string, unknown>): Record<string, unknown> {
  const { hosts, cluster: wanted } = raw as { hosts: object; cluster: object };
  return {
    ...raw,
    hosts: { ...hosts, backup1: { address: "10.89.0.41" } },
    cluster: { ...wanted, backup: { host: "backup1" } },
  };
}
