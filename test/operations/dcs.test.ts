import { beforeEach, expect, test } from "vitest";
import { NO_ANSWER } from "../../src/dcs/no-answer";
import { CommandError, ConnectError } from "../../src/errors";
import type { Host } from "../../src/host/host";
import { LockedError } from "../../src/host/lock";
import { askDcs, DcsSilentError } from "../../src/operations/dcs";
import { onDcs } from "../../src/cluster/restore-steps";

/** Why hosts have no answer; the others have one. */
let troubles: { [host: string]: Error };
let asked: string[];

beforeEach(() => {
  troubles = {};
  asked = [];
});

const host = (name: string) =>
  ({
    async change(): Promise<string> {
      asked.push(name);
      if (troubles[name]) throw troubles[name];
      return `by ${name}`;
    },
  }) as unknown as Host;

const cutOff = (name: string) =>
  new CommandError(name, "forgetting the cluster", NO_ANSWER, "expected an answer from etcd, got:");

const ask = (...names: string[]) => askDcs({ host }, names, (one) => one.change("", ""));

test("a host that is reached but cut off from the DCS is passed over, and so is one that cannot be reached", async () => {
  troubles = { db1: cutOff("db1"), db2: new ConnectError("db2", "cannot be reached.") };
  expect(await ask("db1", "db1", "db2", "db3", "db4")).toBe("by db3");
  expect(asked).toEqual(["db1", "db2", "db3"]);
});

test("what breaks while it is asked is asked of the next one: it may be done twice", async () => {
  troubles = { db1: new CommandError("db1", "forgetting the cluster", null, "") };
  expect(await ask("db1", "db2")).toBe("by db2");
});

test("a host that another run is changing is not passed over: two runs never change one thing", async () => {
  troubles = { db1: new LockedError("db1", "is being changed by another run: anna.") };
  await expect(ask("db1", "db2")).rejects.toThrow("db1: is being changed by another run: anna.");
  expect(asked).toEqual(["db1"]);
});

test("what the DCS refuses is not asked again", async () => {
  troubles = { db1: new CommandError("db1", "setting", 1, "somebody else changed it") };
  await expect(ask("db1", "db2")).rejects.toThrow("somebody else changed it");
  expect(asked).toEqual(["db1"]);
});

test("where none has an answer, the error tells of each, and whether any was reached", async () => {
  troubles = { db1: cutOff("db1"), db2: new ConnectError("db2", "cannot be reached.") };
  const silent = await ask("db1", "db2").catch((error: unknown) => error);
  expect(silent).toBeInstanceOf(DcsSilentError);
  expect((silent as Error).message).toMatch(/db1: forgetting the cluster.*\n.*\ndb2: cannot/s);
  troubles.db1 = new ConnectError("db1", "cannot be reached.");
  expect(await ask("db1", "db2").catch((error: unknown) => error)).not.toBeInstanceOf(
    DcsSilentError,
  );
});

test("a restore changes the DCS by any host that gets an answer, a member's that holds none of it too", async () => {
  troubles = { db1: cutOff("db1"), witness: cutOff("witness") };
  const plan = {
    name: "demo",
    dcs: { members: { db1: "http://db1:2379", witness: "http://witness:2379" } },
    patroni: { members: { db1: "db1:8008", db2: "db2:8008" } },
  };
  await onDcs({ plan, host } as never, "forgetting the old cluster", () => "");
  expect(asked).toEqual(["db1", "witness", "db2"]);
});
