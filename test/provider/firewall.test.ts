import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectError } from "../../src/errors";
import type { FirewallState } from "../../src/facts/firewall";
import type { Probe } from "../../src/host/host";
import { firewallFiles } from "../../src/operations/firewall";
import type { Context } from "../../src/provider/context";
import { firewall, newPorts } from "../../src/provider/firewall";

const WANTED = "    chain input {\n    }\n";
const OLD = "    chain old {\n    }\n";

const inputs = {
  cluster: "demo",
  host: "lb1",
  rules: WANTED,
  loaded: "active",
  enabled: "enabled",
};

/** A host in memory: it answers probes and notes what is done to it. */
class FakeHost {
  readonly name = "lb1";
  readonly done: string[] = [];
  state: FirewallState = { loaded: "absent", enabled: "absent" };
  rules?: string;
  letsIn = true;
  connectTimeout = 10;
  /** Seconds that a login takes; longer ones are given up. */
  loginTakes = 0;
  /** What the host has been told of how long it is to try the rules. */
  trial = 0;
  /** How often it is asked until the timer has fired. */
  rollbackAfter = 3;

  async observe<T>({ script }: Probe<T>): Promise<unknown> {
    if (script.includes("ActiveState")) {
      this.rollbackAfter -= 1;
      if (this.rollbackAfter === 1) throw new ConnectError("lb1", "the connection was cut off.");
      return this.rollbackAfter > 0;
    }
    if (script.includes("is-enabled")) return this.state;
    return this.rules === undefined ? {} : firewallFiles(this.rules);
  }

  async loginSeconds(): Promise<number> {
    return this.connectTimeout;
  }

  async change(action: string, script: string): Promise<string> {
    this.done.push(action);
    this.trial = Number(/--on-active=(\d+)/.exec(script)?.[1] ?? this.trial);
    if (action.startsWith("keeping")) {
      this.rules = WANTED;
      this.state = { loaded: "active", enabled: "enabled" };
    }
    return "";
  }

  async reconnect(): Promise<void> {
    this.done.push("logging in anew");
    if (this.loginTakes > 0) await sleep(1000 * this.loginTakes);
    if (!this.letsIn) throw new ConnectError("lb1", "cannot be reached: timed out.", "Look at it.");
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

let host: FakeHost;

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost();
});

afterEach(() => void vi.useRealTimers());

function apply() {
  const context = { host: () => host, progress: () => {} } as unknown as Context;
  return firewall.apply(context, "urn", inputs);
}

test("new rules are kept once they have let the controller in again", async () => {
  expect(await apply()).toEqual(inputs);
  expect(host.done).toEqual([
    "trying the firewall's rules",
    "logging in anew",
    "keeping the firewall's rules",
  ]);
});

test("a host that is as wanted is left alone", async () => {
  host.rules = WANTED;
  host.state = { loaded: "active", enabled: "enabled" };
  expect(await apply()).toEqual(inputs);
  expect(host.done).toEqual([]);
});

test.each([
  ["has other rules", OLD, { loaded: "active", enabled: "enabled" }],
  ["has rules changed by hand", WANTED, { loaded: "changed", enabled: "enabled" }],
  ["has lost its rules", WANTED, { loaded: "absent", enabled: "enabled" }],
  ["would forget them at its next start", WANTED, { loaded: "active", enabled: "disabled" }],
] as const)("a host that %s is given the wanted ones", async (_title, rules, state) => {
  host.rules = rules;
  host.state = state;
  expect(await apply()).toEqual(inputs);
  expect(host.done).toContain("keeping the firewall's rules");
});

test("rules that shut out the controller are not kept, and the host has taken them back", async () => {
  host.letsIn = false;
  const failed = expect(apply()).rejects.toThrow(
    "lb1: the new firewall rules shut out this controller; the host has taken them back after 45 seconds.\n" +
      "Meanwhile: lb1: cannot be reached: timed out.\n" +
      "Add its network to pgherd:cluster.firewall.ssh.",
  );
  await vi.runAllTimersAsync();
  await failed;
  expect(host.done).not.toContain("keeping the firewall's rules");
});

test("a host whose logins take long is tried for as long as the stack allows", async () => {
  host.connectTimeout = 40;
  host.letsIn = false;
  host.loginTakes = 40;
  setTimeout(() => Object.assign(host, { letsIn: true }), 60_000);
  const applied = apply();
  await vi.runAllTimersAsync();
  expect(await applied).toEqual(inputs);
  // A login that begins at the last moment, after 80 seconds, ends before the host takes the rules back.
  expect(host.trial).toBeGreaterThan(120);
});

test("a host that never answers again is told of without a claim about its rules", async () => {
  host.letsIn = false;
  host.rollbackAfter = Infinity;
  const failed = expect(apply()).rejects.toThrow(
    "the host takes them back by itself after 45 seconds, but does not answer yet.",
  );
  await vi.runAllTimersAsync();
  await failed;
});

describe("the host of a server that is migrated", () => {
  const BEGINNING =
    "    chain input {\n        type filter hook input priority filter; policy accept;\n    }\n";
  const CLOSED = BEGINNING.replace("accept", "drop");
  const ofServer = { ...inputs, rules: CLOSED, beginning: BEGINNING };
  const context = () => ({ host: () => host, progress: () => {} }) as unknown as Context;
  const loaded = { loaded: "active", enabled: "enabled" } as const;

  test("keeps the new ports for the cluster before clients are moved, without a trial", async () => {
    await newPorts.apply(context(), "urn", ofServer);
    expect(host.done).toEqual(["keeping the new ports for the cluster"]);
  });

  test("is left alone once that is so, and when it has been closed", async () => {
    host.state = loaded;
    for (const rules of [BEGINNING, CLOSED]) {
      host.rules = rules;
      expect(await newPorts.apply(context(), "urn", ofServer)).toEqual(ofServer);
    }
    expect(host.done).toEqual([]);
  });

  test("is not opened again by a change of the rules once it has been closed", async () => {
    host.state = loaded;
    host.rules = CLOSED.replace("}", "# older\n }");
    await newPorts.apply(context(), "urn", ofServer);
    expect(host.done[0]).toBe("trying the firewall's rules");
  });

  test("keeps them so when the firewall is taken away, as long as the daemons run", async () => {
    const said: string[] = [];
    vi.spyOn(host, "change").mockImplementation(async (...args: string[]) => {
      said.push(args[1] ?? "");
      return "";
    });
    host.rules = CLOSED;
    await newPorts.delete(context(), "urn", ofServer);
    expect(said).toEqual([]);
    await firewall.delete(context(), "urn", ofServer);
    expect(said[0]).toContain(BEGINNING);
    host.rules = BEGINNING;
    await newPorts.delete(context(), "urn", ofServer);
    expect(said[1]).toContain("nft delete table inet pgherd");
  });
});

test("what is found is told as it is", async () => {
  host.rules = OLD;
  host.state = { loaded: "changed", enabled: "disabled" };
  const context = { host: () => host } as unknown as Context;
  expect(await firewall.read(context, inputs, inputs)).toEqual({
    ...inputs,
    rules: OLD,
    loaded: "changed",
    enabled: "disabled",
  });
});
