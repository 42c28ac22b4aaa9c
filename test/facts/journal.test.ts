import { expect, test } from "vitest";
import { journalProbe } from "../../src/facts/journal";

const LINES = `{"__REALTIME_TIMESTAMP":"1795300696123456","SYSLOG_IDENTIFIER":"patroni","MESSAGE":"no action. I am (db1), the leader with the lock","__CURSOR":"s=1"}
{"__REALTIME_TIMESTAMP":"1795300697000000","MESSAGE":[104,105,255],"__CURSOR":"s=2"}
-- cursor: s=2;i=4d
`;

test("lines are told with time, host and who said it, and the place up to which that was", () => {
  const { script, parse } = journalProbe("db1", ["patroni.service"], {
    lines: 50,
    since: 1795300000500,
  });
  expect(script).toContain("-n 50 --since=@1795300000 -u patroni.service");
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

test("what HAProxy says to syslog and on its standard error as well is told once", () => {
  const said = (message: string, identifier = "haproxy") =>
    `${JSON.stringify({ __REALTIME_TIMESTAMP: "1795300697000000", SYSLOG_IDENTIFIER: identifier, MESSAGE: message })}\n`;
  const { parse } = journalProbe("lb1", ["haproxy.service"], { lines: 50 });
  const found = parse(
    said("[WARNING]  (937) : Server primary/db2 is UP, reason: Layer7 check passed.") +
      said("Server primary/db2 is UP, reason: Layer7 check passed.") +
      said("[NOTICE]   (935) : New worker (937) forked") +
      said("[WARNING]  (1) : not HAProxy's", "patroni"),
  );
  expect(found.lines.map(({ text }) => text)).toEqual([
    "Server primary/db2 is UP, reason: Layer7 check passed.",
    "[NOTICE]   (935) : New worker (937) forked",
    "[WARNING]  (1) : not HAProxy's",
  ]);
});
