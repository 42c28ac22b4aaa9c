import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { labExec } from "../../../src/lab/exec";
import { leaderOf } from "../lab-cluster";
import { LAB } from "./lab";
import { cluster, DATABASES, standing } from "./standing";

standing();

describe("a setting that needs a restart", () => {
  test("takes a setting that needs a restart one member after the other, and clients go on writing", async () => {
    const raised = cluster.varying(({ cluster: { postgresql } }) => {
      Object.assign(postgresql as object, { parameters: { max_connections: 150 } });
    });
    await cluster.sql(5000, "drop table if exists probe; create table probe (id int)");
    const leader = leaderOf(await cluster.healthy());
    expect(await raised.pulumi("preview")).toMatch(
      new RegExp(`max_connections: 100 → 150: needs a restart.* a switchover from ${leader} to`),
    );
    const { written, failed, longestMs } = await cluster.writesDuring(() => raised.deploy());
    process.stdout.write(`rolling restart: no write for ${longestMs} ms, ${failed} failed\n`);
    expect(leaderOf(await cluster.healthy())).not.toBe(leader);
    for (const member of DATABASES) {
      expect(await cluster.superuserSql(member, "show max_connections")).toBe("150");
    }
    const found = Number(await cluster.sql(5000, "select count(distinct id) from probe"));
    expect(found).toBeGreaterThanOrEqual(written);
    expect(found).toBeLessThanOrEqual(written + failed);
  });

  test("is finished by the next run where one was killed, and settings go back as they came", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const interruption = { how: "provider", when: "after", step: "changing the dynamic config" };
    writeFileSync(join(folder, "interruption"), JSON.stringify(interruption));
    const killed = await labExec(
      LAB,
      [
        ...["sh", "-c", '"$@" 2>&1; echo "ended with $?"', "sh"],
        ...cluster.argv("up", "--yes", "--skip-preview"),
      ],
      { env: { PGHERD_TEST_STEPS: folder } },
    );
    expect(killed).not.toMatch(/ended with 0/);
    await cluster.deploy();
    for (const member of DATABASES) {
      expect(await cluster.superuserSql(member, "show max_connections")).toBe("100");
    }
    await cluster.healthy();
  });
});
