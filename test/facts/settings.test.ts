import { expect, test } from "vitest";
import { contextsProbe, settingsProbe } from "../../src/facts/settings";

test("a member's settings are told by its files and by how it was started", () => {
  const output =
    '{"files" : {"work_mem" : {"value" : "4MB", "file" : "postgresql.conf"}}, "started" : {"max_connections" : "100"}, "pending" : ["shared_buffers"]}\n';
  expect(settingsProbe(5432).parse(output)).toEqual({
    files: { work_mem: { value: "4MB", file: "postgresql.conf" } },
    started: { max_connections: "100" },
    pending: ["shared_buffers"],
  });
});

test("it is known how settings take effect", () => {
  const answer = '{"work_mem":{"context":"user","type":"integer","unit":"kB"}}';
  expect(contextsProbe(5432).parse(answer)).toEqual({
    work_mem: { context: "user", type: "integer", unit: "kB" },
  });
});
