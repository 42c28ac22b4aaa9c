import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dcsAt } from "../../src/dcs/dcs";

const ENDPOINTS = ["http://10.89.0.11:2379", "http://10.89.0.12:2379"];
const dcs = dcsAt({ endpoints: ENDPOINTS });

test("the membership keeps all digits of 64-bit ids", () => {
  // Printed by etcdctl 3.5.16.
  const output = `{"header":{"cluster_id":17237436991929493444,"member_id":9372538179322589801,"raft_term":2},"members":[{"ID":9372538179322589801,"name":"db1","peerURLs":["http://10.89.0.11:2380"],"clientURLs":["http://10.89.0.11:2379"]},{"ID":10501334649042878790,"name":"db2","peerURLs":["http://10.89.0.12:2380"],"clientURLs":["http://10.89.0.12:2379"]}]}\n`;
  expect(dcs.membershipProbe().parse(output)).toEqual({
    clusterId: "ef37ad9dc622a7c4",
    members: [
      {
        id: "8211f1d0f64f3269",
        name: "db1",
        peerUrl: "http://10.89.0.11:2380",
        clientUrl: "http://10.89.0.11:2379",
        learner: false,
      },
      {
        id: "91bc3c398fb3c146",
        name: "db2",
        peerUrl: "http://10.89.0.12:2380",
        clientUrl: "http://10.89.0.12:2379",
        learner: false,
      },
    ],
  });
});

test("a member that has been added and has not started yet has no name and no URL, and is a learner", () => {
  const output = `{"header":{"cluster_id":1},"members":[{"ID":10501334649042878790,"peerURLs":["http://10.89.0.12:2380"],"isLearner":true}]}`;
  expect(dcs.membershipProbe().parse(output).members).toEqual([
    {
      id: "91bc3c398fb3c146",
      name: "",
      peerUrl: "http://10.89.0.12:2380",
      clientUrl: "",
      learner: true,
    },
  ]);
});

test("health pages are told for those that say so, in the order of the question", () => {
  const probe = dcs.healthyProbe();
  expect(probe.parse("http://10.89.0.12:2379\nhttp://10.89.0.11:2379\n")).toEqual(ENDPOINTS);
  expect(probe.parse("")).toEqual([]);
});

test("a member has a log or none, whatever else lies in its directory", () => {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-etcd's "));
  const { script, parse } = dcs.hasDataProbe(folder);
  const look = () => parse(execFileSync("/bin/sh", { input: script, encoding: "utf8" }));
  expect(look()).toBe(false);
  mkdirSync(join(folder, "member/snap"), { recursive: true });
  mkdirSync(join(folder, "member/wal"));
  writeFileSync(join(folder, "member/snap/db"), "");
  expect(look()).toBe(false);
  writeFileSync(join(folder, "member/wal/0000000000000000-0000000000000000.wal"), "");
  expect(look()).toBe(true);
});

test("a member tells of itself whether it is healthy, leads, and how large its database is", () => {
  const { parse } = dcs.memberProbe("http://10.89.0.11:2379");
  // Printed by etcd 3.5.16; before 3.5 it has no "dbSizeInUse" in a cluster that has just begun.
  const status =
    '{"header":{"cluster_id":"6103604099387519979", "member_id":"12404013212023582004", "revision":"66", "raft_term":"3"}, "version":"3.5.16", "dbSize":"49152", "leader":"12404013212023582004", "raftIndex":"78", "raftTerm":"3", "raftAppliedIndex":"78", "dbSizeInUse":"40960"}';
  const quota = "etcd_server_quota_backend_bytes 2.147483648e+09\n";
  const known = { databaseBytes: 49152, usedBytes: 40960, quotaBytes: 2 ** 31 };
  expect(parse(`healthy\n${status}\n${quota}`)).toEqual({
    ...{ healthy: true, leader: true, alarms: [] },
    ...known,
  });
  const full = status.replace(
    /}$/,
    ', "errors":["memberID:12404013212023582004 alarm:NOSPACE ", "memberID:1 alarm:NOSPACE "]}',
  );
  expect(parse(`healthy\n${full}\n${quota}`)).toEqual({
    ...{ healthy: true, leader: true, alarms: ["NOSPACE"] },
    ...known,
  });
  const lost = status.replace('"leader":"12404013212023582004"', '"leader":"0"');
  expect(parse(`${lost}\n`)).toMatchObject({ healthy: false, leader: false, alarms: [] });
  expect(parse("")).toEqual({ healthy: false, leader: false, alarms: [] });
});
