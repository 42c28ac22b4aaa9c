import { describe, expect, test, vi } from "vitest";
import { CommandError } from "../../../src/errors";
import type { ClusterMember } from "../../../src/facts/patroni";
import { patroniKey } from "../../../src/dcs/patroni";
import type { Probe } from "../../../src/host/host";
import type { Context } from "../../../src/provider/context";
import { rollback } from "../../../src/migration/provider/rollback";
import type { RollbackInputs } from "../../../src/migration/inputs/adoption";

const inputs: RollbackInputs = {
  cluster: "shop",
  host: "db1",
  superuser: "postgres",
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  port: 5432,
  endpoints: ["http://10.89.0.11:2379"],
  roles: [],
  slots: [],
};

const SOURCE = {
  ...{ port: 5432, unit: "postgresql@17-main.service", enabled: [], roles: [], slots: [] },
  ...{ dataDirectory: "/srv/data", configDirectory: "/srv/data", binDirectory: "/usr/bin" },
  ...{ hbaFile: "/srv/data/pg_hba.conf", identFile: "/srv/data/pg_ident.conf" },
};

interface Hosts {
  /** Of Patroni's unit on the server's host. */
  readonly active?: string;
  readonly primary?: boolean;
  readonly timeline?: number;
  /** Of other members, as Patroni calls them. */
  readonly other?: string;
  /** What Patroni keeps of changes of the timeline. */
  readonly history?: string;
  /** Who leads, until the lead is handed over. */
  readonly leader?: string;
  /** What the server reads from elsewhere, and is not as it was. */
  readonly files?: { readonly changed: readonly string[]; readonly gone: readonly string[] };
  /** What Patroni answers when it is to hand the lead over, and what it says in its journal. */
  readonly refused?: { readonly answer: string; readonly journal: string };
  /** Whether its tags keep the server from the lead. */
  readonly neverLeads?: boolean;
  /** Of the server's own member, as Patroni calls it. */
  readonly own?: {
    readonly state?: string;
    readonly lagBytes?: number;
  };
  /** Nothing was adopted, or all of it has been taken back. */
  readonly alone?: boolean;
}

/** What is changed, on which host, in this order. Nobody leads unless it is said who. */
async function changed(hosts: Hosts): Promise<string[]> {
  const { active = "active", primary = true, timeline = 1, other, history } = hosts;
  const done: string[] = [];
  let { leader } = hosts;
  const members: ClusterMember[] = [
    { name: "db1", role: "replica", state: "running", pendingRestart: false, ...hosts.own },
  ];
  if (other) members.push({ name: "db2", role: "replica", state: other, pendingRestart: false });
  const context = {
    info() {},
    warn: (_urn: string, text: string) => done.push(text),
    progress() {},
    host: (name: string) => ({
      async observe({ script, parse }: Probe<unknown>): Promise<unknown> {
        if (script.includes("source.json"))
          return hosts.alone ? undefined : { ...SOURCE, ...(hosts.files && { files: ["/a"] }) };
        if (script.includes("journalctl")) return parse(hosts.refused?.journal ?? "");
        if (script.includes("sha256sum")) return hosts.files;
        if (script.includes("systemctl show")) return { active };
        if (script.includes("/cluster"))
          return {
            members: members.map((one) => (one.name === leader ? { ...one, role: "leader" } : one)),
            paused: done.includes("db1 pausing Patroni"),
            ...(hosts.neverLeads && { neverLead: ["db1"] }),
          };
        if (script.includes("synchronous_standby_names")) return { synchronous_standby_names: "" };
        if (script.includes("pg_controldata")) return { primary, timeline };
        if (script.includes(btoa(patroniKey(inputs.cluster, "history"))))
          return history && { value: history };
        if (script.includes("postmaster.pid")) return SOURCE.unit;
        return undefined;
      },
      async change(what: string): Promise<string> {
        done.push(`${name} ${what}`);
        if (what === "switching over") {
          if (hosts.refused) throw new CommandError(name, what, 1, hosts.refused.answer);
          leader = "db1";
        }
        return "";
      },
    }),
  } as unknown as Context;
  await rollback.apply(context, "urn", inputs, undefined);
  return done;
}

test("a server that Patroni has never led goes back at once, and is left running", async () => {
  const done = await changed({});
  expect(done).toContain("db1 pausing Patroni");
  expect(done.indexOf("db1 pausing Patroni")).toBeLessThan(done.indexOf("db1 stopping Patroni"));
  expect(done).not.toContain("db1 ending synchronous replication");
  expect(done.at(-1)).toBe("db1 ending the rollback");
});

test("a server that would not start for want of what it reads from elsewhere stays in the cluster", async () => {
  const files = { changed: [], gone: ["/etc/shared/my tuning.conf"] };
  await expect(changed({ files })).rejects.toThrow(
    /cannot read \/etc\/shared\/my tuning\.conf\..*Nothing has changed yet\..*included\.tar 'etc\/shared\/my tuning\.conf'/s,
  );
});

test("what a server reads from elsewhere, and somebody has changed, is told and left so", async () => {
  const done = await changed({ files: { changed: ["/etc/shared/tuning.conf"], gone: [] } });
  expect(done[0]).toMatch(/left so, .*: \/etc\/shared\/tuning\.conf\. As before: .*included\.tar$/);
  expect(done.at(-1)).toBe("db1 ending the rollback");
});

test("where nothing was adopted, or all of it has been taken back, nothing is done", async () => {
  expect(await changed({ alone: true })).toEqual([]);
});

test("one that another member leads gets the lead first, since only then it has every row", async () => {
  const done = await changed({ other: "running", leader: "db2" });
  expect(done.slice(0, 3)).toEqual([
    ...["db1 opening the firewall", "db2 switching over", "db1 ending synchronous replication"],
  ]);
  expect(done.indexOf("db2 stopping Patroni")).toBeGreaterThan(2);
  expect(done.at(-1)).toBe("db1 ending the rollback");
});

describe("where Patroni hands the lead to the server not, it is told", () => {
  const answer = "Patroni answered 503: Switchover failed";
  const journal = `2026-11-30 10:00:00,123 INFO: no action. I am (db2), the leader with the lock
2026-11-30 10:00:01,123 INFO: Member db1 exceeds maximum replication lag
2026-11-30 10:00:01,124 INFO: Member db11 is not reachable
2026-11-30 10:00:01,125 WARNING: switchover: no healthy members found, switchover is not possible
`;
  const led = { other: "running", leader: "db2" };
  const refusal = async (hosts: Hosts) => {
    try {
      await changed({ refused: { answer, journal: "" }, ...led, ...hosts });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  test("what Patroni says against it, and how the server stands", async () => {
    expect(await refusal({ own: { lagBytes: 5_000_000 }, refused: { answer, journal } }))
      .toBe(`db2: switching over failed with exit code 1.
  Patroni answered 503: Switchover failed
  db2's Patroni: Member db1 exceeds maximum replication lag; switchover: no healthy members found, switchover is not possible
db1: replica, 5000000 B behind.
journalctl -u patroni -n 50 on the members; then run the same again.`);
  });

  test("what of the server itself speaks against it", async () => {
    expect(await refusal({ own: { state: "starting" } })).toContain(
      "\ndb1 is not up (starting).\n",
    );
    expect(await refusal({ neverLeads: true })).toContain("\ndb1 may never lead: its tags");
  });
});

test("one that leads already is handed nothing", async () => {
  expect(await changed({ leader: "db1" })).not.toContain("db1 switching over");
});

test("one that had gone back before, and has other timelines behind it, does so too", async () => {
  const history = JSON.stringify([[1, 67108960, "no recovery target specified"]]);
  expect(await changed({ history, timeline: 2 })).toContain("db1 ending the rollback");
});

test("Patroni that has failed, and would be started again, is taken out of service", async () => {
  for (const active of ["activating", "failed", "inactive"])
    expect(await changed({ active }), active).toContain("db1 stopping Patroni");
});

test.each<[string, Hosts]>([
  ["the server has followed another one", { primary: false }],
  ["a later timeline than its own is known", { history: '[[1, 67108960, ""]]' }],
  ["another member has the data", { other: "streaming" }],
])("whoever leads is waited for where %s", async (_why, hosts) => {
  vi.useFakeTimers();
  const going = expect(changed(hosts)).rejects.toThrow(/expected a leader/);
  await vi.runAllTimersAsync();
  await going;
  vi.useRealTimers();
});
