import { expect, test } from "vitest";
import { journalProbe } from "../../src/facts/journal";

const LINES = `{"__REALTIME_TIMESTAMP":"1795300696123456","SYSLOG_IDENTIFIER":"patroni","MESSAGE":"no action. I am (db1), the leader with the lock","__CURSOR":"s=1"}
{"__REALTIME_TIMESTAMP":"1795300697000000","MESSAGE":[104,105,255],"__CURSOR":"s=2"}
-- cursor: s=2;i=4d
`;

test("lines are told with time, host and who said it, and the place up to which that was", () => {
  const { script, parse } = journalProbe("db1", ["patroni.service"], { lines: 50, since: "-1h" });
  expect(script).toContain("-n 50 --since=-1h -u patroni.service");
  expect(parse(LINES)).toEqual({
    cursor: "s=2;i=4d",
    lines: [
      {
        at: 1795300696123.456,
        host: "db1",
        unit: "patroni",
        text: "no action. I am (db1), the leader with the lock",
      },
      { at: 1795300697000, host: "db1", unit: "", text: "hi\uFFFD" },
    ],
  });
});

test("what comes later is asked for by that place, and where nothing came it stays", () => {
  const { script, parse } = journalProbe("db1", ["etcd.service"], { lines: 50, after: "s=2;i=4d" });
  expect(script).toContain("--after-cursor='s=2;i=4d'");
  expect(script).not.toContain("-n 50");
  expect(parse("")).toEqual({ cursor: "s=2;i=4d", lines: [] });
});
