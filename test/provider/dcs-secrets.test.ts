import { beforeEach, expect, test } from "vitest";
import { MANAGEMENT_FILE, tokenFiles } from "../../src/dcs/consul/local";
import type { Context } from "../../src/provider/context";
import { takeSecrets } from "../../src/provider/dcs-secrets";
import { AGENT_FILE } from "../../src/roles/consul";

const OWN = {
  kind: "consul" as const,
  members: { db1: "http://10.89.0.11:8500", db2: "http://10.89.0.12:8500" },
  peerUrl: "http://10.89.0.11:8300",
  dataDirectory: "/var/lib/consul/demo",
};
const { body } = tokenFiles("pgherd-demo-patroni");
const file = (content: string) => ({ content });
const FILES = { [body]: file('{"SecretID":"old"}'), [AGENT_FILE]: file("{}") };

let knowing: string[];
let asked: string[];

const context = {
  progress() {},
  host: (name: string) => ({
    async change(_action: string, script: string): Promise<string> {
      asked.push(`${name}${script.includes('"SecretID":"new"') ? " with the new token" : ""}`);
      return knowing.includes(name) ? "taken\n" : "unknown\n";
    },
  }),
} as unknown as Context;

beforeEach(() => {
  knowing = ["db1", "db2"];
  asked = [];
});

const take = (wanted: typeof FILES) =>
  takeSecrets(context, "urn", OWN, { wanted, found: FILES }, ["db1", "db2"]);

test("new secrets are made known by the first member whose management token is known", async () => {
  knowing = ["db2"];
  await take({ ...FILES, [body]: file('{"SecretID":"new"}') });
  expect(asked).toEqual(["db1 with the new token", "db2 with the new token"]);
});

test("where no secret is new nobody is asked", async () => {
  await take({ ...FILES, [AGENT_FILE]: file('{"server":true}') });
  expect(asked).toEqual([]);
});

test("a member gets no secret that could not be made known", async () => {
  knowing = [];
  const wanted = { ...FILES, [MANAGEMENT_FILE]: file("X-Consul-Token: new\n") };
  await expect(take(wanted)).rejects.toThrow(
    "db1, db2: expected consul to take the management token, got none there that it knows.",
  );
});
