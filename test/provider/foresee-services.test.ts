import { expect, test } from "vitest";
import { configurationHash } from "../../src/configuration-hash";
import type { Context } from "../../src/provider/context";
import { foreseeServices } from "../../src/provider/foresee-services";

const wanted = (content: string) => ({
  paths: ["/etc/x"],
  hash: configurationHash({ "/etc/x": { content } }),
});

/** What a preview says where the file is so on each host, and its daemon too. */
async function foresee(found: { [host: string]: { content: string; active?: string } }) {
  const told = new Set<string>();
  const host = (name: string) => ({
    observe: async ({ script }: { script: string }) =>
      script.includes("systemctl show")
        ? { active: found[name]?.active ?? "active" }
        : { "/etc/x": { content: found[name]?.content ?? "" } },
  });
  const hosts = Object.fromEntries(Object.keys(found).map((name) => [name, wanted("new")]));
  const context = { told, host } as unknown as Context;
  return {
    said: await foreseeServices(context, { cluster: "demo", services: { haproxy: hosts } }),
    told,
  };
}

test("a preview says once what becomes of a daemon, for all its hosts", async () => {
  const { said, told } = await foresee({ lb1: { content: "old" }, lb2: { content: "old" } });
  expect(said).toEqual(["haproxy on lb1, lb2 reloads: open sessions go on"]);
  expect([...told]).toEqual(["haproxy on lb1", "haproxy on lb2"]);
});

test("a daemon that runs with the files as they are to be is not named", async () => {
  const { said, told } = await foresee({ lb1: { content: "new" }, lb2: { content: "old" } });
  expect(said).toEqual(["haproxy on lb2 reloads: open sessions go on"]);
  expect([...told]).toEqual(["haproxy on lb2"]);
});

test("a daemon that does not run is said to start", async () => {
  const hosts = { lb1: { content: "new", active: "inactive" }, lb2: { content: "new" } };
  expect((await foresee(hosts)).said).toEqual(["haproxy on lb1 starts"]);
});
