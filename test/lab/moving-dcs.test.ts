import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { down } from "../../src/lab/down";
import { FULL, RELEASES } from "./harness";
import { killedAfterEachChange } from "./interruption";
import { LabCluster, type StackSettings } from "./lab-cluster";
import { strangerEtcd } from "./stranger-etcd";
import { unnoticed } from "./unnoticed";

// A cluster that runs goes from one DCS to another while clients write; in short at the end of consul.test.ts.

/** The lab's name, for whoever runs several at once. */
const LAB = process.env.PGHERD_TEST_LAB ?? "t-moving";

const VOTERS = ["db1", "db2", "backup1"];

type Dcs = StackSettings["cluster"]["dcs"];

const etcd: Dcs = { kind: "etcd", members: VOTERS };
const consul: Dcs = { kind: "consul", members: VOTERS };

describe.runIf(FULL).each(RELEASES)("from etcd to Consul on Debian %s", (distro) => {
  let inEtcd: LabCluster;

  const into = (dcs: Dcs) => inEtcd.varying((settings) => (settings.cluster.dcs = dcs));

  beforeAll(async () => {
    inEtcd = new LabCluster(LAB).varying(({ cluster: wanted }) => {
      wanted.dcs = etcd;
      if (distro === "bookworm") wanted.postgresql = { ...wanted.postgresql, version: 15 };
    });
    await inEtcd.boot({ topology: "standard", distro });
    await inEtcd.deploy();
    await inEtcd.healthy();
    await inEtcd.sql(5000, "create table probe (id int)");
  });
  afterAll(() => down(LAB));

  test("another DCS without the word of moving is refused, and says how to move", async () => {
    expect(await into(consul).refused("preview")).toContain(
      "To move the cluster there, put the old block below the new one as cluster.dcs.movedFrom",
    );
  });

  test("one pulumi up moves it, while clients write", async () => {
    const moving = into({ ...consul, movedFrom: etcd } as Dcs);
    await unnoticed(inEtcd, moving, () => moving.deploy());
    const { dcs } = await moving.healthy();
    expect(dcs.kind).toBe("consul");
    await moving.unchanged();
    expect(await moving.shown("preview")).toContain("the cluster has moved");
  });

  test("the next one takes the old DCS out of service, and its data stays", async () => {
    const moved = into(consul);
    await moved.deploy();
    await moved.unchanged();
    const left = "systemctl is-active etcd; sudo test -d /var/lib/etcd/demo && echo kept";
    expect(await moved.onHost("db1", left)).toBe("inactive\nkept\n");
  });

  test("it goes back, though pgherd is killed after each change", async () => {
    const back = into({ ...etcd, movedFrom: consul } as Dcs);
    await unnoticed(into(consul), back, () => killedAfterEachChange(back, "provider"));
    expect((await back.healthy()).dcs.kind).toBe("etcd");
    await back.unchanged();
    // Its data of before came back with it.
    await inEtcd.deploy();
    await inEtcd.unchanged();
  });
});

describe.runIf(FULL)("from an etcd of its own to one that is there already", () => {
  const PASSWORD = "geheim";
  const onMembers: Dcs = { kind: "etcd", members: ["db1", "db2", "db3"] };
  let own: LabCluster;
  let given: Dcs & object;
  let key: string;

  beforeAll(async () => {
    const blank = new LabCluster(LAB);
    await blank.boot({ topology: "standard" });
    const stranger = await strangerEtcd(blank, "backup1", "10.89.0.41", PASSWORD);
    key = stranger.key;
    given = {
      kind: "etcd",
      endpoints: ["https://10.89.0.41:2379"],
      username: "demo-members",
      ca: stranger.ca,
      certificate: stranger.certificate,
    };
    own = blank.varying((settings) => {
      settings.hosts = Object.fromEntries(
        Object.entries(settings.hosts).filter(([name]) => name !== "backup1"),
      );
      settings.cluster.dcs = onMembers;
      delete settings.cluster.backup;
    });
    await own.deploy();
    await own.healthy();
    await own.sql(5000, "create table probe (id int)");
  });
  afterAll(() => down(LAB));

  const into = (dcs: Dcs) =>
    own.varying((settings) => {
      settings.cluster.dcs = dcs;
      settings.dcsPassword = PASSWORD;
      settings.dcsKey = key;
    });

  test("there and back, while clients write", async () => {
    const there = into({ ...given, movedFrom: onMembers } as Dcs);
    await unnoticed(own, there, () => there.deploy());
    expect((await there.healthy()).dcs).toMatchObject({ kind: "etcd", existing: true });
    await there.unchanged();
    const back = into({ ...onMembers, movedFrom: given } as Dcs);
    await unnoticed(there, back, () => back.deploy());
    await back.unchanged();
    const alone = into(onMembers);
    await alone.deploy();
    await alone.unchanged();
  });
});
