import { expect, test } from "vitest";
import { dcsAt } from "../../src/dcs/dcs";
import { plannedDcs } from "../../src/dcs/planned";

// What one that somebody else runs says of itself. The answers are those of Consul 1.8.7 and etcd 3.5.16.

const existing = { prefix: "/service" };
const AGENT = "http://127.0.0.1:8500";
const consul = dcsAt({ kind: "consul", endpoints: [AGENT], existing });
const ETCD = ["https://10.0.0.1:2379", "https://10.0.0.2:2379"];
const etcd = dcsAt({ endpoints: ETCD, existing });

const STALE = `{"Results":null,"Errors":[{"OpIndex":0,"What":"failed to set key \\"x\\", index is stale"}]} 409`;
const DENIED = `{"Results":null,"Errors":[{"OpIndex":0,"What":"Permission denied"}]} 409`;

function self(server: boolean, shortest: string): string {
  return JSON.stringify({
    Config: { Version: "1.8.7", Server: server },
    DebugConfig: { SessionTTLMin: shortest },
  });
}

function standing(parts: { [part: string]: string }) {
  const answers = {
    leader: `"10.0.0.1:8300" 200`,
    key: " 404",
    self: `${self(true, "0s")} 200`,
    own: STALE,
    others: DENIED,
    ...parts,
  };
  const lines = Object.entries(answers).map(([part, answer]) => `${part} ${answer}`);
  return consul.standingProbe("demo").parse(lines.join("\n"));
}

test("an agent that knows who leads is healthy, whoever votes", () => {
  const { parse } = consul.healthyProbe();
  expect(parse('"10.0.0.1:8300"\n200')).toEqual([AGENT]);
  for (const other of ['""\n200', "No known Consul servers\n500", "curl: (7) Failed to connect"])
    expect(parse(other)).toEqual([]);
});

test("rights of Consul are told by why a condition does not hold", () => {
  expect(standing({})).toMatchObject({ answering: [AGENT], may: true, mayMore: false });
  expect(standing({ own: DENIED }).may).toContain("Permission denied");
  expect(standing({ others: STALE }).mayMore).toBe(true);
});

test("a server of Consul without a setting takes no session below ten seconds, and an agent does not tell", () => {
  expect(standing({}).leastTtl).toBe(20);
  expect(standing({ self: `${self(true, "2s")} 200` }).leastTtl).toBe(4);
  expect(standing({ self: `${self(true, "1m30s")} 200` }).leastTtl).toBe(180);
  expect(standing({ self: `${self(false, "2s")} 200` }).leastTtl).toBeUndefined();
  expect(standing({ self: "Permission denied 403" }).leastTtl).toBeUndefined();
});

test("what is no answer of Consul's is told as it is", () => {
  const page = "<html>Welcome to nginx!</html> 200";
  const found = standing({ leader: page, key: page, self: page, own: page, others: page });
  expect(found).toMatchObject({ answering: [], systemIdentifier: undefined });
  expect(found.said).toContain("Welcome to nginx!");
});

test("etcd answers also to whom it refuses a key, and that is told as a lack of rights", () => {
  const denied = '{"code":7,"message":"etcdserver: permission denied"}';
  const lines = [
    `key ${ETCD[0]} ${denied}`,
    `key ${ETCD[1]} curl: (7) Failed to connect`,
    'version {"etcdserver":"3.5.16"}',
  ];
  expect(etcd.standingProbe("demo").parse(lines.join("\n"))).toMatchObject({
    answering: [ETCD[0]],
    may: denied,
    mayMore: false,
  });
});

test("Patroni is told of the port that stands there, be it the scheme's own", () => {
  const { patroniSettings } = plannedDcs("consul");
  const identity = { ca: false, certificate: false, anonymous: true };
  const lines = patroniSettings({
    endpoints: ["https://consul.example.com:443"],
    existing,
    identity,
  }).split("\n");
  expect(lines).toContain('  host: "consul.example.com:443"');
  expect(lines).toContain("  scheme: https");
});
