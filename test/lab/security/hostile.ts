import { expect, test } from "vitest";
import { until, type LabCluster } from "../lab-cluster";

/** Texts that are allowed, and would be more than texts if anything on their way took them for its own. */
const HOSTILE = {
  log_line_prefix: `%m [%p] 'a' "b" \\c # $(id) \${HOME} é🐘 {{x}}: - -- % %% `,
  "hostile.setting": `'; select 1; -- "\\' $(touch /tmp/hostile) \`id\` %n`,
} as const;

/** A line of pg_hba.conf with names that hold what parts names, and what it makes of them. */
const LINE = `host "a \"\"b\"\" #c" "$(id) é 'x'" 10.99.0.0/16 reject # it's a comment`;
const NAMES = `a "b" #c|$(id) é 'x'|`;

/** Values that mean something to the formats on their way reach the daemons as they were written. */
export function hostile(cluster: LabCluster): void {
  test("hostile values reach PostgreSQL as they stand in the stack, and the next run finds them so", async () => {
    const file = cluster.variation((settings) => {
      settings.cluster.postgresql = {
        ...settings.cluster.postgresql,
        parameters: { ...settings.cluster.postgresql?.parameters, ...HOSTILE },
        pgHba: [LINE],
      };
    });
    const varied = cluster.with(file);
    try {
      await varied.deploy();
      await varied.healthy();
      for (const [name, value] of Object.entries(HOSTILE)) {
        const shown = `select encode(convert_to(current_setting('${name}'), 'UTF8'), 'hex')`;
        expect([name, await cluster.superuserSql("db1", shown)]).toEqual([
          name,
          Buffer.from(value).toString("hex"),
        ]);
      }
      const read = `select database[1], user_name[1], error from pg_hba_file_rules where address = '10.99.0.0'`;
      // A member loads the file when Patroni next looks at its configuration.
      const rule = await until("the line on db1", 60, async () => {
        const said = await cluster.superuserSql("db1", read);
        return said === "" ? undefined : said;
      });
      expect(rule).toBe(NAMES);
      expect(await cluster.onHost("db1", "ls /tmp/hostile 2>&1 || :")).toContain("No such file");
      await varied.unchanged();
    } finally {
      await cluster.deploy();
      await cluster.healthy();
    }
  });
}
