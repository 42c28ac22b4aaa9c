import { execFile } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dcsAt, type Dcs } from "../../src/dcs/dcs";
import { NO_ANSWER } from "../../src/dcs/no-answer";
import { claimDatabase, forgetCluster, forgetDatabase } from "../../src/dcs/patroni";
import { strict } from "../../src/host/shell";
import { PlayedEtcd } from "./played-etcd";

// The scripts are run by a real shell, and ask by a real curl.

const KEY = "demo/config";
/** As etcd has it. */
const WHOLE = "/service/demo/config";
const REFUSES = "http://127.0.0.1:1";

let etcd: PlayedEtcd;
let dcs: Dcs;

beforeEach(async () => {
  etcd = new PlayedEtcd();
  dcs = dcsAt({ endpoints: [await etcd.member()] });
});

afterEach(() => etcd.close());

function run(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile("/bin/sh", ["-s"], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(strict(script));
  });
}

async function look(key: string, at = dcs) {
  const { script, parse } = at.keyProbe(key);
  const { code, stdout } = await run(script);
  expect(code).toBe(0);
  return parse(stdout);
}

test("a key is told with the revision of its last change", async () => {
  const value = `{"ttl": 30, "note": "ü it's $(odd)"}`;
  etcd.keys.set(WHOLE, { value, revision: 9007199254740992 });
  expect(await look(KEY)).toEqual({ value, revision: "9007199254740992" });
  expect((await run(dcs.printKey(KEY))).stdout).toBe(value);
});

test("an absent key is undefined, and one that holds nothing is there", async () => {
  expect(await look(KEY)).toBeUndefined();
  expect((await run(dcs.printKey(KEY))).stdout).toBe("");
  etcd.set(WHOLE, "");
  expect(await look(KEY)).toEqual({ value: "", revision: "2" });
});

test("a key is set only if its revision is the one that was read", async () => {
  const value = `{"note":"it's $(odd)\n"}`;
  etcd.set(WHOLE, "{}");
  expect(await run(`${dcs.changeKey(KEY, value, "2")}\necho done`)).toMatchObject({
    ...{ code: 0, stdout: "done\n" },
  });
  expect(etcd.contents()).toEqual({ [WHOLE]: value });
});

test("what is to be set with a key is set in the same moment, or not at all", async () => {
  etcd.set(WHOLE, "{}");
  await run(dcs.changeKey(KEY, "new", "1", { "demo/other": "old" }));
  expect(etcd.contents()).toEqual({ [WHOLE]: "{}" });
  await run(dcs.changeKey(KEY, "new", "2", { "demo/other": "old" }));
  expect(etcd.contents()).toEqual({ [WHOLE]: "new", "/service/demo/other": "old" });
});

test("a key is made only where there is none", async () => {
  await run(dcs.changeKey(KEY, "{}", "0"));
  expect(etcd.contents()).toEqual({ [WHOLE]: "{}" });
  await run(dcs.setAbsentKey(KEY, "other"));
  expect(etcd.contents()).toEqual({ [WHOLE]: "{}" });
});

test("a lost race is an error, and what the other has written stays", async () => {
  etcd.set(WHOLE, "theirs");
  const { code, stderr } = await run(`${dcs.changeKey(KEY, "ours", "1")}\necho done`);
  expect(code).toBe(1);
  expect(stderr).toContain("somebody else changed /service/demo/config at the same moment");
  expect(etcd.contents()).toEqual({ [WHOLE]: "theirs" });
});

test("one that refuses the connection, or has no majority, is passed over", async () => {
  etcd.set(WHOLE, "{}");
  const endpoints = [REFUSES, await etcd.member("cut off"), await etcd.member()];
  const several = dcsAt({ endpoints });
  expect(await look(KEY, several)).toEqual({ value: "{}", revision: "2" });
  expect((await run(several.changeKey(KEY, "new", "2"))).code).toBe(0);
  expect((await run(forgetCluster(several, "demo", "forgotten"))).code).toBe(0);
  expect(etcd.contents()).toEqual({});
});

test("what was done, though nobody has heard of it, is no lost race", async () => {
  const endpoints = [await etcd.member("unheard"), await etcd.member()];
  const { code } = await run(dcsAt({ endpoints }).changeKey(KEY, "ours", "0"));
  expect([code, etcd.contents()]).toEqual([0, { [WHOLE]: "ours" }]);
});

test("where nobody answers it is told of each what it said, and the script ends by a code of its own", async () => {
  const cutOff = await etcd.member("cut off");
  const nobody = dcsAt({ endpoints: [REFUSES, cutOff] });
  for (const script of [
    nobody.keyProbe(KEY).script,
    nobody.changeKey(KEY, "x", "0"),
    claimDatabase(nobody, "demo", "17"),
    forgetCluster(nobody, "demo", "kept"),
  ]) {
    const { code, stderr } = await run(`${script}\necho done`);
    expect(code).toBe(NO_ANSWER);
    expect(stderr).toMatch(/expected an answer from etcd, got:\nhttp:\/\/127.0.0.1:1: curl: \(7\)/);
    expect(stderr).toContain(`${cutOff}: {"error":"etcdserver: request timed out"`);
  }
});

test("of a forgotten cluster nothing is left but, for the next one, its configuration; others are left alone", async () => {
  const ours = ["config", "configs", "failsafe", "history", "initialize", "leader", "members/db1"];
  const others = ["/service/demo", "/service/demo2/leader", "/service/dem/leader", "/other"];
  const keys = [...ours.map((name) => `/service/demo/${name}`), ...others];
  for (const key of keys) etcd.set(key, "x");
  await run(forgetCluster(dcs, "demo", "kept"));
  expect(Object.keys(etcd.contents())).toEqual([WHOLE, ...others]);
  await run(forgetCluster(dcs, "demo", "forgotten"));
  expect(Object.keys(etcd.contents())).toEqual(others);
});

test("a database is claimed once, and by nobody else then", async () => {
  for (const id of ["17", "17"])
    expect((await run(`${claimDatabase(dcs, "demo", id)}\necho done`)).stdout).toBe("done\n");
  const { code, stderr } = await run(claimDatabase(dcs, "demo", "18"));
  expect(code).toBe(1);
  expect(stderr).toContain("has the system identifier '17', the server's is 18.");
});

test("a database is forgotten unless the DCS has learned of another", async () => {
  const key = "/service/demo/initialize";
  etcd.set(key, "17");
  await run(forgetDatabase(dcs, "demo", "1"));
  expect(etcd.contents()).toEqual({ [key]: "17" });
  await run(forgetDatabase(dcs, "demo", "2"));
  expect(etcd.contents()).toEqual({});
});
