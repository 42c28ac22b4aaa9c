import { expect, test } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { checkSettings } from "../../src/config/parse";

const etcd = { kind: "etcd", members: ["db1", "db2", "db3"] };
const consul = { kind: "consul", members: ["db1", "db2", "db3"] };
const given = { kind: "etcd", endpoints: ["http://10.0.0.9:2379"], username: "demo" };

function check(dcs: object, more: object = {}) {
  const raw = rawStack("lab") as { cluster: object };
  return checkSettings({ ...raw, cluster: { ...raw.cluster, dcs, ...more } });
}

test("a cluster moves between kinds of DCS, and to one that is there already and back", () => {
  for (const dcs of [
    { ...consul, movedFrom: etcd },
    { ...etcd, movedFrom: consul },
    { ...given, movedFrom: etcd },
    { ...etcd, movedFrom: given },
    { ...given, movedFrom: consul },
  ])
    expect(check(dcs).problems).toEqual([]);
});

test("the password of the DCS that it comes from is asked for as long as that is named", () => {
  expect(check({ ...etcd, movedFrom: given }).secrets).toEqual({
    dcsPassword: "the password of cluster.dcs.movedFrom.username",
  });
  expect(check(etcd).secrets).toEqual({});
});

test("two that would be one daemon, or have one place, are refused", () => {
  expect(check({ ...etcd, movedFrom: { ...etcd, clientPort: 2399 } }).problems).toEqual([
    expect.stringContaining(
      "pgherd:cluster.dcs.movedFrom: expected another kind of DCS than the new one",
    ),
  ]);
  expect(check({ ...given, movedFrom: given }).problems).toEqual([
    expect.stringContaining("expected one of the two to be a DCS that pgherd deploys"),
  ]);
});

test("a port that both would have on one host is refused, and a move has no move of its own", () => {
  expect(check({ ...consul, clientPort: 2379, movedFrom: etcd }).problems).toEqual([
    expect.stringContaining("expected a port of its own, got 2379"),
  ]);
  expect(check({ ...consul, movedFrom: { ...etcd, movedFrom: consul } }).problems).toEqual([
    expect.stringContaining("cluster.dcs.movedFrom.movedFrom: no such setting"),
  ]);
});

test("a cluster that is still being migrated does not move", () => {
  const migration = { from: "db1", until: "replicated" };
  const { problems } = check({ ...consul, movedFrom: etcd }, { migration });
  expect(problems).toContainEqual(
    expect.stringContaining("expected a server's migration to be over"),
  );
});
