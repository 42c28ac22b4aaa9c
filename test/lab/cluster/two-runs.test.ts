import { expect, test } from "vitest";
import { until } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

test("a host that another run is changing is left alone, and the run says whose it is", async () => {
  const hold =
    "mkdir -p /run/pgherd; exec 9>>/run/pgherd/lock; " +
    "flock -n 9 && echo someone >/run/pgherd/lock.owner && exec sleep 600";
  await cluster.onHost(
    "db1",
    `sudo systemd-run --quiet --collect --unit=another-run sh -c '${hold}'`,
  );
  try {
    await until("the other run's lock", 20, async () => {
      const owner = await cluster.onHost("db1", "sudo cat /run/pgherd/lock.owner");
      return owner === "someone\n" ? true : undefined;
    });
    const tuned = cluster.varying(({ cluster: wanted }) => {
      wanted.postgresql = { ...wanted.postgresql, parameters: { work_mem: "7777kB" } };
    });
    const said = await tuned.refused("up", "--yes", "--skip-preview");
    expect(said).toContain("db1: is being changed by another run: someone.");
  } finally {
    await cluster.onHost("db1", "sudo systemctl stop another-run");
  }
  expect(JSON.stringify(await cluster.dynamicConfiguration())).not.toContain("7777kB");
});
