import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root";
import type { LabCluster } from "./lab-cluster";

/** Has somebody else's etcd on a host, with TLS on both ends and a user. @returns what lets the cluster in, as PEM. */
export async function strangerEtcd(
  lab: LabCluster,
  host: string,
  address: string,
  password: string,
): Promise<{ readonly ca: string; readonly certificate: string; readonly key: string }> {
  const script = readFileSync(join(packageRoot(), "test/lab/stranger-etcd.sh"), "utf8");
  await lab.onHost(host, "cat >etcd.sh", script);
  await lab.onHost(host, `sudo sh etcd.sh ${address} '${password}'`);
  const read = (name: string) => lab.onHost(host, `sudo cat /etc/shared-etcd/${name}`);
  return {
    ca: await read("ca.crt"),
    certificate: await read("client.crt"),
    key: await read("client.key"),
  };
}
