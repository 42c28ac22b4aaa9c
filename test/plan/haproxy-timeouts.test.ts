import { expect, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { planHaproxyServices } from "../../src/plan/haproxy";

function configuration(timeouts?: object): string {
  const settings = parseSettings({
    hosts: { a1: { address: "10.0.0.1" }, lb1: { address: "10.0.0.2" } },
    cluster: {
      name: "shop",
      members: ["a1"],
      dcs: { kind: "etcd", members: ["a1"] },
      loadBalancers: { hosts: ["lb1"], ...(timeouts && { timeouts }) },
      firewall: false,
    },
  });
  const [service] = planHaproxyServices(settings);
  return service?.files["/etc/haproxy/haproxy.cfg"]?.content ?? "";
}

test("HAProxy lets a session of a database be silent for a day, unless the stack says otherwise", () => {
  expect(configuration()).toContain("timeout client 24h\n    timeout server 24h\n");
  const own = configuration({ client: "30m", server: "2h", queue: "500ms", connect: "1s" });
  expect(own).toContain("timeout client 30m\n    timeout server 2h\n");
  expect(own).toContain("timeout queue 500ms\n    timeout connect 1s\n");
});

test.each(["25d", "0s", "30", "1w", "", "5s\n", "9999999999d", "-1s"])(
  "a time-out %j that HAProxy would refuse is refused before",
  (client) => {
    expect(() => configuration({ client })).toThrow(/loadBalancers\.timeouts\.client: .*24d/);
  },
);
