import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ListedMember } from "../../src/dcs/dcs";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { formerVoters } from "../../src/provider/former-voters";

const at = (number: number) => `10.89.0.1${number}`;
const url = (number: number) => `http://${at(number)}:2379`;

const INPUTS = {
  cluster: "demo",
  members: { db1: url(1) },
  former: { db2: url(2), db3: url(3) },
  patroni: { db1: `${at(1)}:8008` },
  rules: {},
  crossing: {},
  voting: [],
  open: [],
};

const member = (name: string, number: number, learner = false): ListedMember => ({
  id: `${number}f`,
  name,
  peerUrl: `http://${at(number)}:2380`,
  clientUrl: name === "" ? "" : url(number),
  learner,
});

/** Hosts in memory, and a Patroni on db1 that asks one member of etcd, and turns to those that it has heard of when that is away. */
let membership: ListedMember[];
let down: string[];
let broken: string[];
let removed: string[];
let asks: string;
let knows: string[];
let done: string[];

beforeEach(() => {
  membership = [member("db1", 1), member("db2", 2), member("db3", 3)];
  down = [];
  broken = [];
  removed = [];
  asks = at(3);
  knows = [at(1), at(2), at(3)];
  done = [];
  vi.useFakeTimers();
  vi.setTimerTickMode("nextTimerAsync");
});

afterEach(() => void vi.useRealTimers());

const answers = (address: string) => ![...down, ...broken].includes(address);

function askedNow(): string {
  if (!answers(asks)) asks = knows.find(answers) ?? asks;
  return asks;
}

const context = {
  progress() {},
  isRemoved: (name: string) => removed.includes(name),
  host: (name: string) => ({
    async observe({ script }: Probe<unknown>): Promise<unknown> {
      const own = membership.filter(({ peerUrl }) => script.includes(new URL(peerUrl).hostname));
      if (script.includes("ss -Htnp")) return answers(askedNow()) ? [`${asks}:2379`] : [];
      if (script.includes("systemctl show")) return { active: "active" };
      if (script.includes("quota"))
        return { healthy: own.some(healthy), leader: false, alarms: [] };
      if (script.includes("/v3/kv/range")) return own.filter(healthy).map((one) => one.clientUrl);
      return { clusterId: "1", members: [...membership] };
    },
    async change(action: string, script: string): Promise<string> {
      const address = at(Number(name.replace(/\D/g, "")));
      const id = /member remove (\w+)/.exec(script)?.[1];
      if (action.startsWith("stopping")) down.push(address);
      if (action.startsWith("starting")) {
        down = down.filter((one) => one !== address);
        // Whoever asks it hears of all.
        if (asks === address) knows = membership.map(({ peerUrl }) => new URL(peerUrl).hostname);
      }
      if (id) {
        broken.push(at(Number(id[0])));
        membership = membership.filter((one) => one.id !== id);
      }
      const what = ["stop", "start"].find((one) => action.startsWith(one));
      done.push(id ? `remove ${id}` : `${what} ${name}`);
      return "";
    },
  }),
} as unknown as Context;

const healthy = ({ peerUrl, learner }: ListedMember) =>
  answers(new URL(peerUrl).hostname) && !learner;

const apply = () => formerVoters.apply(context, "urn", INPUTS);

test("each is stopped for a moment, started again and taken out, and Patroni asks one that stays", async () => {
  await apply();
  expect(done).toEqual([
    "stop db2",
    "start db2",
    "remove 2f",
    "stop db3",
    "start db3",
    "remove 3f",
  ]);
  expect(asks).toBe(at(1));
});

test("a Patroni that knows of those only that leave hears of others before the last one goes", async () => {
  knows = [at(2), at(3)];
  await apply();
  expect(done).toEqual([
    ...["stop db2", "start db2", "remove 2f"],
    ...["stop db3", "start db3", "stop db3", "start db3", "remove 3f"],
  ]);
  expect(asks).toBe(at(1));
});

test("one that is broken goes, since nobody asks it", async () => {
  broken = [at(2)];
  await apply();
  expect(done).toContain("remove 2f");
  expect(membership.map(({ name }) => name)).toEqual(["db1"]);
});

test("one that Patroni cannot do without stays, and is there again", async () => {
  knows = [];
  membership = membership.filter(({ name }) => name !== "db2");
  const deaf = {
    ...context,
    host: (name: string) => ({ ...context.host(name), change: deafChange(name) }),
  };
  await expect(formerVoters.apply(deaf as unknown as Context, "urn", INPUTS)).rejects.toThrow(
    "expected Patroni on db1 to ask another member of etcd than db3, which leaves, found that it knows of no other.",
  );
  expect(done.at(-1)).toBe("start db3");
  expect(membership).toHaveLength(2);
});

/** It never hears of anybody. */
const deafChange = (name: string) => async (action: string, script: string) => {
  const said = await context.host(name).change(action, script);
  knows = [];
  return said;
};

test("of one that is gone for good nothing is asked", async () => {
  removed = ["db2", "db3"];
  broken = [at(2)];
  asks = at(1);
  await apply();
  expect(done).toEqual(["remove 2f", "remove 3f"]);
});

test("one that was added and never began is taken out as it is", async () => {
  membership = [member("db1", 1), member("", 2, true)];
  await apply();
  expect(done).toEqual(["remove 2f"]);
});
