import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderStatus } from "../../../src/cli/status";
import type { StandaloneServer } from "../../../src/migration/facts/standalone";
import { status as shape } from "../../../src/api/schemas";
import { assembleStatus, hostsToAsk, type HostAnswer } from "../../../src/operations/status";
import { observe, Refusal, type Cluster } from "../../../src/cluster/cluster";
import { AT, PLAN } from "../../operations/answers";

const plan = { ...PLAN, standalone: { host: "db1", port: 5433, superuser: "chief" } };
const serving: StandaloneServer = {
  ...{ condition: "serving", state: "running", takesWrites: true, problems: [] },
};

function seen(answer: Omit<HostAnswer, "host">) {
  return assembleStatus(plan, [{ host: "db1", ...answer }], AT);
}

test("after a migration's rollback only the old server is asked, and one that serves is healthy", () => {
  expect(hostsToAsk(plan)).toEqual(["db1"]);
  const status = seen({ standalone: serving });
  expect(status).toMatchObject({
    ...{ health: "healthy", healthy: true, problems: [], members: [], dcs: { members: [] } },
    standalone: { host: "db1", port: 5433, condition: "serving", state: "running" },
  });
  expect(shape.parse(JSON.parse(JSON.stringify(status)))).toMatchObject({
    standalone: { state: "running" },
  });
  expect(stripVTControlCharacters(renderStatus(status)).replace(/ +$/gm, "")).toBe(
    `Cluster demo: healthy
The stack rolls its migration back: only the old server counts.

Server  Port  State
db1     5433  running
`,
  );
});

test("after a rollback a server that is down and a host that cannot be asked are told apart", () => {
  const problems = ["db1: PostgreSQL does not run on port 5433. Start it there."];
  const down = {
    condition: "stopped",
    state: "not running",
    takesWrites: false,
    problems,
  } as const;
  expect(seen({ standalone: down })).toMatchObject({ health: "down", problems });
  const away = seen({ problem: "db1: cannot be reached." });
  expect(away).toMatchObject({ health: "unknown", problems: ["db1: cannot be reached."] });
  expect(away.standalone).toMatchObject({ condition: "unknown", state: "not known" });
});

test("what is left of a migration on a server that serves makes it no outage", () => {
  const problems = ["db1: the rollback has not come to its end. pulumi up goes on with it."];
  expect(seen({ standalone: { ...serving, problems } })).toMatchObject({
    ...{ health: "degraded", problems },
  });
});

test("who would change a cluster whose migration is rolled back is told that there is none", async () => {
  const host = () => {
    throw new Error("no host is asked");
  };
  await expect(observe({ plan, host } as unknown as Cluster)).rejects.toThrow(Refusal);
});
