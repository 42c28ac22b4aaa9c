import { describe, expect } from "vitest";
import { full } from "../harness";
import { until } from "../lab-cluster";
import { cluster, standing, synchronousOf } from "./standing";

standing();

describe("a data disk", () => {
  full(
    "a member whose data disk is not mounted does not start, and the status says why",
    async () => {
      const replica = synchronousOf(await cluster.healthy());
      const asRoot = (script: string) => cluster.onHost(replica, "sudo sh -e", script);
      const disk = "/var/lib/postgresql";
      // Inside the host nobody could mount the device itself again.
      await asRoot(`systemctl stop patroni
mkdir /mnt/disk
mount --bind ${disk} /mnt/disk
umount ${disk}
systemctl --no-block start patroni`);
      const said = await until("the reason", 60, async () => {
        const { problems } = await cluster.status();
        return problems.find((one) => one.includes("is not there: it was mounted at"));
      });
      expect(said).toContain(`${replica}: `);
      expect(await asRoot(`ls -A ${disk}`)).toBe("");
      await asRoot(`mount --bind /mnt/disk ${disk}
umount /mnt/disk
systemctl start patroni`);
      await cluster.healthy();
    },
  );

  full(
    "a data directory that is a file system of its own, with its lost+found, is copied anew",
    async () => {
      const replica = synchronousOf(await cluster.healthy());
      const data = "/var/lib/postgresql/17/main";
      const asRoot = (script: string) => cluster.onHost(replica, "sudo sh -e", script);
      await asRoot(`systemctl stop patroni
mv ${data} ${data}.old
install -d -o postgres -g postgres -m 0700 ${data}
mount -t tmpfs -o size=2g,mode=0700,uid=$(id -u postgres),gid=$(id -g postgres) tmpfs ${data}
mkdir -m 0700 ${data}/lost+found
cp -a ${data}.old/. ${data}/
systemctl start patroni`);
      await cluster.healthy();
      await cluster.pgherd("reinit", replica, "--yes");
      await cluster.healthy();
      await asRoot(`systemctl stop patroni
umount ${data}
rm -rf ${data} /var/lib/pgherd/data-mount
mv ${data}.old ${data}
systemctl start patroni`);
      await cluster.healthy();
    },
  );
});
