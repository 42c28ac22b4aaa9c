import { beforeEach, expect, test, vi } from "vitest";
import { NO_ANSWER } from "../../src/dcs/no-answer";
import { CommandError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import { beginUnheardAnew } from "../../src/provider/unheard";

vi.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const PLACE = {
  cluster: "demo",
  members: { db1: "10.0.0.1:8008", db2: "10.0.0.2:8008", db3: "10.0.0.3:8008" },
  port: 5432,
  dcs: { host: "db1", endpoints: ["http://10.0.0.1:2379"] },
  configuration: { ttl: 30, loop_wait: 10 },
};

interface Member {
  /** Seconds since its Patroni has begun; none where it does not run. */
  age?: number;
  heard: boolean;
  primary?: boolean;
  /** Whether its host gets no answer from the DCS. */
  silent?: boolean;
}

let members: { [name: string]: Member };
let leader: string | undefined;
let done: string[];

beforeEach(() => {
  members = {
    db1: { age: 4000, heard: true },
    db2: { age: 4000, heard: true },
    db3: { age: 4000, heard: true },
  };
  leader = "db2";
  done = [];
});

/** Answers by what a script asks. */
const context = {
  host: (name: string) => ({
    async observe<T>({ script, parse }: Probe<T>): Promise<T> {
      const one = members[name] as Member;
      if (script.includes("ExecMainStartTimestampMonotonic"))
        return parse(
          one.age === undefined
            ? "ExecMainStartTimestampMonotonic=0\nActiveState=failed\n5000.25\n"
            : `ExecMainStartTimestampMonotonic=${(5000 - one.age) * 1e6}\nActiveState=active\n5000.25\n`,
        );
      if (script.includes("pg_is_in_recovery")) return parse(one.primary ? "t\n" : "f\n");
      if (one.silent) throw new CommandError(name, "a question", NO_ANSWER, "");
      const value = script.includes(btoa("/service/demo/leader"))
        ? leader
        : one.heard
          ? "{}"
          : undefined;
      const found = value === undefined ? {} : { kvs: [{ value: btoa(value), mod_revision: "1" }] };
      return parse(JSON.stringify({ header: {}, ...found }));
    },
    async change(what: string): Promise<string> {
      done.push(`${name}: ${what}`);
      const one = members[name] as Member;
      one.heard = true;
      if (one.primary) leader = name;
      return "";
    },
  }),
  progress() {},
  info: (_urn: string, message: string) => done.push(message.split(",")[0] ?? ""),
} as unknown as Context;

const begin = () => beginUnheardAnew(context, "urn", PLACE);

test("nobody is touched whose Patroni the DCS has heard of", async () => {
  await begin();
  expect(done).toEqual([]);
});

test("the primary begins anew first, and the others once it leads", async () => {
  for (const one of Object.values(members)) one.heard = false;
  (members.db2 as Member).primary = true;
  leader = undefined;
  await begin();
  expect(done.filter((line) => line.includes("starting"))).toEqual([
    "db2: starting Patroni again",
    "db1: starting Patroni again",
    "db3: starting Patroni again",
  ]);
  expect(leader).toBe("db2");
});

test("one that has only just begun is waited for, as long as it may yet be heard of", async () => {
  let age = 20;
  Object.defineProperty(members.db1, "age", { get: () => (age += 5) });
  (members.db1 as Member).heard = false;
  await begin();
  expect(done).toContain("db1: starting Patroni again");
  expect(age).toBeGreaterThan(60);
});

test("one that keeps ending, does not run or gets no answer itself is left alone", async () => {
  members = {
    db1: { age: 20, heard: false },
    db2: { heard: false },
    db3: { age: 4000, heard: false, silent: true },
  };
  await begin();
  expect(done).toEqual([]);
});

test("one that is heard of a little later is left alone", async () => {
  let looks = 0;
  Object.defineProperty(members.db1, "heard", { get: () => ++looks > 2, set() {} });
  await begin();
  expect([done, looks > 2]).toEqual([[], true]);
});
