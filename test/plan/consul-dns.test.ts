import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { planCallers } from "../../src/plan/callers";
import { planFlows } from "../../src/plan/flows";
import { planCluster } from "../../src/plan/plan";
import { withSecrets } from "../../src/plan/secrets";
import { AGENT_FILE, AGENT_SECRETS_FILE } from "../../src/roles/consul";
import { MEMBER_FILE } from "../../src/roles/patroni";
import { STACKS } from "../stacks";

/** The stack with Consul, and with these settings of it. */
function settings(dcs: object) {
  const { hosts, cluster } = STACKS.consul?.() as { hosts: object; cluster: { dcs: object } };
  return parseSettings({ hosts, cluster: { ...cluster, dcs: { ...cluster.dcs, ...dcs } } });
}

/** What the agent of a host that only asks is told. */
function agentIsTold(dcs: object) {
  const { services } = planCluster(settings(dcs));
  const plan = services.find(({ host, daemon }) => host === "db3" && daemon === "consul");
  const secrets = withSecrets(plan?.secretFiles ?? {}, ({ name }) => name);
  const parsed = (text = "{}") => JSON.parse(text) as Record<string, Record<string, object>>;
  return {
    ...parsed(plan?.files[AGENT_FILE]?.content),
    tokens: Object.keys(parsed(secrets[AGENT_SECRETS_FILE]?.content).acl?.tokens ?? {}),
  };
}

const patroni = (dcs: object) =>
  planCluster(settings(dcs)).services.find(({ daemon }) => daemon === "patroni")?.files[MEMBER_FILE]
    ?.content;

test("Patroni registers nothing, and no DNS runs, unless the stack says so", () => {
  expect(agentIsTold({})).toMatchObject({ ports: { dns: -1 }, tokens: ["agent"] });
  expect(patroni({})).not.toContain("register_service");
  expect(planCluster(settings({})).secrets.map(({ name }) => name)).not.toContain("consul-dns");
});

test("where Patroni registers, Consul's DNS answers the hosts themselves, by a token that may read that only", () => {
  const told = agentIsTold({ registerService: true });
  expect(told).toMatchObject({
    ...{ client_addr: "127.0.0.1", ports: { dns: 8600 }, tokens: ["default", "agent"] },
  });
  expect(told).not.toHaveProperty("addresses");
  expect(patroni({ registerService: true })).toContain(
    'consul:\n  host: "127.0.0.1:8500"\n  register_service: true\n',
  );
  const access = planCluster(settings({ registerService: true })).ownDcs[0]?.access;
  expect(access?.rights["pgherd-demo-dns"]?.replaceAll(/\s+/g, " ")).toBe(
    'service "demo" { policy = "read" } node "db1" { policy = "read" } ' +
      'node "db2" { policy = "read" } node "db3" { policy = "read" } ',
  );
  expect(access?.rights["pgherd-demo-patroni"]).toContain('service "demo" {\n  policy = "write"');
});

test("clients get to the DNS where the stack says so, and nobody else", () => {
  const dns = (dcs: object) =>
    planFlows(settings(dcs))
      .filter(({ port, to }) => port === 8600 && to === "db3")
      .map(({ from, protocol }) => `${from} ${protocol}`);
  expect(dns({ registerService: true })).toEqual([]);
  const open = { registerService: true, dnsFor: "clients" };
  expect(dns(open)).toEqual(["clients tcp", "clients udp"]);
  expect(agentIsTold(open)).toMatchObject({ addresses: { dns: "127.0.0.1 10.89.0.13" } });
});

test("Consul's agent may ask Patroni of its own host, which it checks", () => {
  const users = (host: string) =>
    planCallers(settings({ registerService: true }), host).find(({ port }) => port === 8008)?.users;
  expect(users("db3")).toContain("consul");
  expect(users("lb1")).not.toContain("consul");
});
