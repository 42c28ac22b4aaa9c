import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { auditTo, type AuditEntry } from "../../src/api/audit";
import { listenOnSocket } from "../../src/api/server";
import { readToken } from "../../src/api/token";
import { testServer, TOKEN } from "./test-server";

// What another user of the operator's machine could put in the way, or open.

const ENTRY: AuditEntry = {
  ...{ at: "2026-11-21T22:00:00.000Z", address: "127.0.0.1", method: "POST" },
  ...{ path: "/", body: {}, status: 200, ms: 5 },
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pgherd-"));
});

test("a token that every user of the machine may read is refused", () => {
  const file = join(folder, "token");
  writeFileSync(file, TOKEN);
  chmodSync(file, 0o644);
  expect(() => readToken(file)).toThrow(/--token-file: expected a file that only its owner reads/);
  chmodSync(file, 0o640);
  expect(readToken(file)).toBe(TOKEN);
});

test("the audit log is not written through a link, nor into a file that others may open", () => {
  const other = join(folder, "other");
  const file = join(folder, "audit.log");
  writeFileSync(other, "", { mode: 0o600 });
  symlinkSync(other, file);
  expect(() => auditTo(file)).toThrow(/expected a plain file of your own, .* which is a link/);
  expect(readFileSync(other, "utf8")).toBe("");
  linkSync(other, `${file}.2`);
  expect(() => auditTo(`${file}.2`)).toThrow(/which has another name as well/);
  writeFileSync(`${file}.3`, "", { mode: 0o600 });
  chmodSync(`${file}.3`, 0o644);
  expect(() => auditTo(`${file}.3`)).toThrow(/which others may open \(mode 644\)/);
});

test("no file of ours lies in a directory where everyone may replace it", async () => {
  const open = join(folder, "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  expect(() => auditTo(join(open, "audit.log"))).toThrow(/which everyone may write to/);
  const { app, close } = await testServer();
  try {
    await expect(listenOnSocket(app, join(open, "socket"))).rejects.toThrow(
      /--socket: expected a directory in which only you can replace files/,
    );
    chmodSync(open, 0o1777);
    auditTo(join(open, "audit.log"))(ENTRY);
  } finally {
    await close();
  }
});

test("nobody else may connect to the socket", async () => {
  const mask = process.umask(0);
  const { app, close } = await testServer();
  try {
    const socket = join(folder, "socket");
    await listenOnSocket(app, socket);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(mask);
    await close();
  }
});

test("a large audit log is put aside, and the oldest goes", () => {
  const file = join(folder, "audit.log");
  const audit = auditTo(file, 1000);
  for (let i = 0; i < 100; i++) audit({ ...ENTRY, ms: i });
  expect(statSync(file).size).toBeLessThan(1200);
  expect(readFileSync(`${file}.5`, "utf8")).toContain('"ms":');
  expect(existsSync(`${file}.6`)).toBe(false);
  expect(readFileSync(file, "utf8")).toContain('"ms":99');
});

test("an entry is cut where somebody made it long", () => {
  const file = join(folder, "audit.log");
  auditTo(file)({ ...ENTRY, path: "/x\n".repeat(1000), body: { to: "y".repeat(10_000) } });
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThan(3000);
});
