import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { renderMigration } from "../../../src/migration/cli/migration";
import { stepsDone, type SeenSteps } from "../../../src/migration/cli/steps-done";
import { assembleStatus, type HostAnswer } from "../../../src/operations/status";
import { answers, AT, PLAN, says, seen, unreachable, view } from "../../operations/answers";

const BACKUP = { host: "backup1", count: 1, running: false, nextAt: 0, problems: [] };

/** `prepared done, adopted next, …` */
const told = (change: Partial<SeenSteps>) =>
  stepsDone({ method: "adopt", server: "adopted", status: seen(), closed: false, ...change })
    .map(({ name, state }) => `${name} ${state}`)
    .join(", ");

const NOTHING: readonly HostAnswer[] = ["db1", "db2", "db3", "lb1", "lb2"].map((host) => ({
  host,
}));
const DCS_ONLY = NOTHING.map((answer) => ({ ...answer, dcs: says(answer.host, {}).dcs }));
const of = (given: readonly HostAnswer[]) => assembleStatus(PLAN, given, AT);

/** The server leads, and nobody else is there. */
const ALONE = view({ db1: "leader" });
const ADOPTED = DCS_ONLY.map((answer) =>
  answer.host === "db1" ? says("db1", { view: ALONE, streams: undefined }) : answer,
);

describe("of a server that becomes a member", () => {
  test.each<[string, Partial<SeenSteps>, string]>([
    [
      "nothing is done before the first run",
      { server: "alone", status: of(NOTHING) },
      "prepared next, adopted open, replicated open, balanced open, backedUp open, cutOver open",
    ],
    [
      "the DCS stands ready",
      { server: "alone", status: of(DCS_ONLY) },
      "prepared done, adopted next, replicated open, balanced open, backedUp open, cutOver open",
    ],
    [
      "Patroni leads it, and the copies are not there yet",
      { status: of(ADOPTED) },
      "prepared done, adopted done, replicated next, balanced open, backedUp open, cutOver open",
    ],
    [
      "a restart is still due",
      {
        status: seen(
          says("db2", { member: { pendingRestart: true, paused: false, dcsLastSeen: 1 } }),
        ),
      },
      "prepared done, adopted done, replicated next, balanced done, backedUp done, cutOver open",
    ],
    [
      "HAProxy leads to it, and there is no backup yet that the stack wants",
      { status: { ...seen(), backup: { ...BACKUP, count: 0 } } },
      "prepared done, adopted done, replicated done, balanced done, backedUp next, cutOver open",
    ],
    [
      "the stack has no backups: that step has nothing to do",
      {},
      "prepared done, adopted done, replicated done, balanced done, backedUp done, cutOver next",
    ],
    [
      "the old address is closed, whoever is away since then",
      { closed: true, status: seen(unreachable("lb1")) },
      "prepared done, adopted done, replicated done, balanced done, backedUp done, cutOver done",
    ],
  ])("%s", (_title, change, expected) => {
    expect(told(change)).toBe(expected);
  });

  test("what hosts would tell that cannot be reached is unknown, and never taken for not done", () => {
    const away = answers(...["db1", "db2", "db3", "lb1", "lb2"].map(unreachable));
    expect(told({ status: of(away), closed: undefined })).toBe(
      "prepared done, adopted unknown, replicated unknown, balanced unknown, backedUp unknown, cutOver unknown",
    );
    expect(told({ server: "alone", status: of(away) })).toMatch(/^prepared unknown, adopted open/);
  });
});

describe("of a server that is followed", () => {
  const follows = view({ db1: "standby_leader", db2: "replica", db3: "replica" });
  const following = seen(
    ...["db1", "db2", "db3"].map((host) => says(host, { view: follows, streams: undefined })),
  );

  test("readers are led to the members before writers are led to anybody", () => {
    // Whether its address is closed is asked of a server that was adopted alone.
    const followed = { method: "standbyCluster", server: "followed", closed: undefined } as const;
    expect(told({ ...followed, status: following })).toBe(
      "prepared done, replicated done, balanced done, cutOver next",
    );
  });

  test("all is done once the cluster has taken its place", () => {
    expect(told({ method: "standbyCluster", server: "replaced", status: of(NOTHING) })).toBe(
      "prepared done, replicated done, balanced done, cutOver done",
    );
  });
});

test("a person is told what to do for the next step, and what has happened after it", () => {
  const steps = stepsDone({ method: "adopt", server: "adopted", status: seen(), closed: false });
  const at = { host: "db1", state: "adopted", method: "adopt", direct: [], steps } as const;
  expect(
    stripVTControlCharacters(renderMigration({ ...at, until: "balanced" }))
      .split("\n")
      .map((line) => line.trimEnd())
      .slice(1),
  ).toEqual([
    "",
    "Step        State",
    ...["prepared", "adopted", "replicated", "balanced", "backedUp"].map(
      (name) => `${name.padEnd(10)}  done`,
    ),
    "cutOver     next",
    "",
    "  - `until: balanced` ends before cutOver: set it to that, then `pulumi up`.",
    "  - What has happened then: Hooks `when: cutOver` have moved the clients; nobody",
    "    is left on the old address; the firewall closes it.",
    "",
  ]);
  expect(renderMigration({ ...at, until: "cutOver" })).toContain(
    "`pulumi up` goes on with cutOver, as far as cutOver.",
  );
  expect(renderMigration({ ...at, until: "cutOver", steps: undefined })).toContain(
    "`pulumi up` does it.",
  );
});

test("a server whose adoption was cut off is not said to be led by Patroni", () => {
  const steps = stepsDone({
    method: "adopt",
    server: "adopted",
    status: of(NOTHING),
    closed: false,
  });
  const at = { host: "db1", state: "adopted", method: "adopt", until: "adopted" } as const;
  expect(renderMigration({ ...at, direct: [], steps })).toContain(
    "its adoption has begun, and Patroni does not lead the server yet. ",
  );
});

test("a migration that has been taken back is not said to be taken back by the next run", () => {
  const back = { host: "db1", method: "adopt", until: "cutOver", direct: [] } as const;
  expect(renderMigration({ ...back, state: "alone" })).toContain("it has been taken back.");
  expect(renderMigration({ ...back, state: "adopted" })).toContain("`pulumi up` does it.");
});
