import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { render } from "../../src/plan/template";

// What PostgreSQL's restore_command lets into a member's pg_wal, with the real script and a backup host of files.

const SEGMENT = "0000000100000001000000FF";
const PAGE = 8192;
const BYTES = 2 ** 20;
/** Where the segment begins, with segments of 1 MB. */
const START = (1n << 32n) + 0xffn * BigInt(BYTES);

let sshd: Server;
beforeAll(async () => {
  sshd = createServer();
  await new Promise<void>((resolve) => sshd.listen(0, "127.0.0.1", resolve));
});
afterAll(() => sshd.close());

/** A segment in which pages up to a number are written, and the rest is of an older use of the file, or empty. */
function segment(pages: number, { text = "row", rest = "" } = {}): Buffer {
  const all = Buffer.alloc(BYTES, rest);
  for (let page = 0; page < pages; page++) {
    all.fill(text, page * PAGE, (page + 1) * PAGE);
    all.writeBigUInt64LE(START + BigInt(page * PAGE), page * PAGE + 8);
  }
  return all;
}

function digest(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Runs the script on a member with these files in pg_wal, against a backup host with those. */
function restore(
  own: Readonly<Record<string, Buffer>>,
  archive: Readonly<Record<string, Buffer>>,
  ...args: string[]
) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-wal-"));
  const [pgWal, kept, bin] = ["pg_wal", "archive", "bin"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [pgWal, kept, bin]) mkdirSync(one);
  for (const [name, content] of Object.entries(own)) writeFileSync(join(pgWal, name), content);
  for (const [name, content] of Object.entries(archive)) writeFileSync(join(kept, name), content);
  const ssh = `#!/bin/sh\necho "$LC_ALL" >${folder}/language\necho "$4 $5" >>${folder}/asked\n[ -e "${kept}/$5" ] || exit 66\ncat "${kept}/$5"\n`;
  writeFileSync(join(bin, "ssh"), ssh);
  chmodSync(join(bin, "ssh"), 0o755);
  const { port } = sshd.address() as { port: number };
  const script = render("patroni/wal-from-backup.sh", {
    ...{ host: "backup1", sshConfig: "/dev/null", address: "127.0.0.1", port },
    silent: join(folder, "silent"),
  });
  writeFileSync(join(folder, "script"), script);
  const { status, stderr } = spawnSync("bash", ["script", ...args, "pg_wal/RECOVERYXLOG"], {
    cwd: folder,
    env: { ...process.env, LC_ALL: "de_DE.UTF-8", PATH: `${bin}:${process.env.PATH}` },
    encoding: "utf8",
  });
  const got = join(pgWal, "RECOVERYXLOG");
  return {
    status,
    stderr,
    got: existsSync(got) ? digest(readFileSync(got)) : undefined,
    asked: existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8") : "",
    language: existsSync(join(folder, "language"))
      ? readFileSync(join(folder, "language"), "utf8").trim()
      : "",
    left: readdirSync(pgWal).filter((name) => name.endsWith(".pgherd")),
  };
}

test.each([
  ["has no such segment", {}],
  ["has the same one", { [SEGMENT]: segment(128) }],
  ["has begun it", { [SEGMENT]: segment(3) }],
  [
    "has begun it in a file that was another segment before",
    { [SEGMENT]: segment(3, { rest: "older rows" }) },
  ],
])("a whole segment is given to a member that %s", (_what, own) => {
  const { status, got, asked } = restore(own, { [SEGMENT]: segment(128) }, SEGMENT);
  expect([status, got]).toEqual([0, digest(segment(128))]);
  // Whole ones only, as the backup host answers it.
  expect(asked).toBe(`wal ${SEGMENT}\n`);
});

test.each([
  ["that ends before", segment(3)],
  ["of somebody else", segment(128, { text: "other" })],
])("a segment %s does not take the place of what a member has written", (_what, archived) => {
  const found = restore({ [SEGMENT]: segment(40) }, { [SEGMENT]: archived }, SEGMENT);
  expect(found).toMatchObject({ status: 1, got: undefined, left: [] });
  expect(found.stderr).toContain(`${SEGMENT} of backup1 is not what this member has of it`);
});

test("a segment with damage in its last page does not take the place of one that a member has gone on from", () => {
  const damaged = segment(128);
  damaged.writeUInt8(0, BYTES - 1);
  const [next, page] = ["000000010000000100000100", Buffer.alloc(BYTES)];
  page.writeBigUInt64LE(START + BigInt(BYTES), 8);
  const own = { [SEGMENT]: segment(128), [next]: page };
  expect(restore(own, { [SEGMENT]: damaged }, SEGMENT)).toMatchObject({ status: 1, left: [] });
});

test.each([
  ["shorter", segment(128).subarray(0, PAGE)],
  ["empty", Buffer.alloc(0)],
  ["longer", Buffer.concat([segment(128), Buffer.alloc(1)])],
])("a segment that is %s than a member's own is not given to it", (_what, archived) => {
  const own = { [SEGMENT]: segment(3) };
  expect(restore(own, { [SEGMENT]: archived }, SEGMENT)).toMatchObject({ status: 1, left: [] });
});

/** A member that has got to know of timelines which left the first one there. */
const histories = (...places: readonly string[]) =>
  Object.fromEntries(
    places.map((place, i) => [`0000000${i + 2}.history`, Buffer.from(`1\t${place}\tno target\n`)]),
  );

test.each([
  ["was left within it", ["1/FF80000"], 1],
  ["was left at its end", ["1/10000000"], 0],
  ["was left before it by an attempt that nobody follows", ["1/0", "1/20000000"], 0],
])("of a timeline that %s a member gets what belongs to the next one", (_what, places, status) => {
  const own = { ...histories(...places), [SEGMENT]: segment(3) };
  expect(restore(own, { [SEGMENT]: segment(128) }, SEGMENT)).toMatchObject({ status, left: [] });
});

test("a history that a member knows is not asked for", () => {
  const history = {
    "00000002.history": Buffer.from("1\t0/5000000\tno recovery target specified\n"),
  };
  expect(restore(history, history, "00000002.history")).toMatchObject({ status: 1, asked: "" });
  expect(restore({}, history, "00000002.history")).toMatchObject({ status: 0 });
});

test("a script's tools speak one language, whatever that of the server which runs it", () => {
  expect(restore({}, {}, SEGMENT).language).toBe("C.UTF-8");
});

test("a restore takes what there is of a segment that is not complete", () => {
  const { status, asked } = restore({}, { [SEGMENT]: segment(3) }, "--whole", SEGMENT);
  expect([status, asked]).toEqual([0, `any-wal ${SEGMENT}\n`]);
});
