import { expect, test } from "vitest";
import { leaderOf, type StackSettings } from "../lab-cluster";
import { cluster, standing } from "./standing";

standing();

test("a preview says first what reloads and what restarts, once, and what is new in short; one of some resources works too", async () => {
  const leader = leaderOf(await cluster.healthy());
  const change = ({ cluster: { loadBalancers, postgresql } }: StackSettings) => {
    Object.assign(loadBalancers as object, { maxConnections: 3000 });
    Object.assign(postgresql as object, { parameters: { max_connections: 150 } });
  };
  const balanced = cluster.varying(change);
  const backedUp = cluster.varying((settings) => {
    change(settings);
    settings.cluster.backup = { host: "backup1" };
  });
  const said = await backedUp.shown("preview", "--diff");
  expect(said).not.toMatch(/warning/i);
  expect(said).toMatch(/ \/var\/lib\/pgherd\/backup-take +: "root:root 0755, \d+ lines"/);
  expect(said).toContain('"postgres@db1 → barman@backup1: /var/lib/pgherd/backup-door');
  expect(said).not.toContain("#!/bin/");
  expect(said.split("\n").length).toBeLessThan(600);
  // Such sentences go to standard error: where the diff's own line is unfinished then, they do not begin one.
  const restart = new RegExp(
    `max_connections: 100 → 150: needs a restart.* a switchover from ${leader} to `,
    "g",
  );
  expect(said.match(restart)).toHaveLength(1);
  expect(said.search(restart)).toBeLessThan(said.indexOf("haproxy.cfg"));
  const reloads = said.indexOf("haproxy on lb1, lb2 reloads: open sessions go on");
  expect(reloads).toBeGreaterThan(0);
  expect(reloads).toBeLessThan(said.indexOf("haproxy.cfg"));
  expect(said.match(/^.*reloads: open sessions.*$/gm)).toHaveLength(1);
  const one = await balanced.pulumi("preview", "--target", "**::demo-lb1*");
  expect(one).toMatch(/~ 1 to update/);
});
