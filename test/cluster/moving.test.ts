import { expect, test } from "vitest";
import { performFailover } from "../../src/cluster/failover";
import type { Cluster } from "../../src/cluster/cluster";
import { writesProblem } from "../../src/cluster/moving";
import { ConnectError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import { played } from "./played";

function says(answers: { readonly [member: string]: string | undefined }): Cluster {
  return {
    ...played().cluster,
    host: (name: string) => ({
      observe<T>({ parse }: Probe<T>): Promise<T> {
        const said = answers[name];
        return said === undefined
          ? Promise.reject(new ConnectError(name, "no route"))
          : Promise.resolve(parse(said));
      },
    }),
  } as unknown as Cluster;
}

test("nobody is made the leader while a server takes writes of which Patroni tells nobody", async () => {
  expect(await writesProblem(says({ db1: "t\n", db2: "f\n", db3: "" }))).toEqual([
    expect.stringMatching(/^db1 takes writes, though it leads nowhere: .* would be a second one/),
  ]);
  expect(await writesProblem(says({ db1: undefined, db2: "f\n", db3: "f\n" }))).toEqual([]);
});

test("a cluster that is led is told of that alone", async () => {
  const at = played();
  await expect(performFailover(at.cluster, {})).rejects.toThrow(/db1 leads and runs/);
});
