import { expect, test } from "vitest";
import { rejectsByAddress, throughBalancers } from "../../../src/migration/carried/rules";
import type { Source } from "../../../src/migration/inputs/source";
import { SOURCE } from "../../source";

const BALANCERS = ["10.89.0.31/32", "10.89.0.100/32"];
const source = (hba: readonly string[], passwords: Source["passwords"] = "scram-sha-256") => ({
  ...SOURCE,
  hba,
  passwords,
});
const through = (...hba: string[]) => throughBalancers(source(hba), ["10.89.0.31/32"]);

test("a server that lets all in by a password needs no lines for the balancers", () => {
  expect(
    through("local all all peer", "host all all 10.0.0.0/8 md5", "host a b all trust"),
  ).toEqual([]);
});

test("who is rejected, whoever he is, is rejected through each balancer", () => {
  expect(throughBalancers(source(['host "My Shop" all 10.89.0.0/24 reject']), BALANCERS)).toEqual([
    'host "My Shop" all 10.89.0.31/32 reject',
    'host "My Shop" all 10.89.0.100/32 reject',
  ]);
});

test("whom an earlier line lets in is not shut out by a reject for all others", () => {
  expect(
    through(
      "host app app 10.5.0.0 255.255.0.0 scram-sha-256",
      "host a a all trust",
      "host all all all reject",
    ),
  ).toEqual([
    "host app app 10.89.0.31/32 scram-sha-256",
    "host a a 10.89.0.31/32 scram-sha-256",
    "host all all 10.89.0.31/32 reject",
  ]);
});

test("who is rejected from the balancers' network is not let in by a line for another network", () => {
  expect(
    through(
      "host all boss 10.89.0.0/16 md5",
      "host all all 10.5.0.0/16 md5",
      'host "My Shop" all 10.89.0.0/24 reject',
    ),
  ).toEqual([
    "host all boss 10.89.0.31/32 scram-sha-256",
    'host "My Shop" all 10.89.0.31/32 reject',
    "host all all 10.89.0.31/32 scram-sha-256",
  ]);
});

test("with passwords stored as MD5 both kinds let in", () => {
  expect(
    throughBalancers(
      source(["host app app 10.5.0.0/16 scram-sha-256", "host all all 0.0.0.0/0 reject"], "md5"),
      ["10.89.0.31/32"],
    ),
  ).toEqual(["host app app 10.89.0.31/32 md5", "host all all 10.89.0.31/32 reject"]);
});

test("who logs in by another service goes on doing so", () => {
  const line = 'host all +"team a" 10.5.0.0/16 ldap ldapserver=l ldapbasedn="dc=a,dc=b"';
  expect(through(line, "host all all all md5")).toEqual([
    'host all +"team a" 10.89.0.31/32 ldap ldapserver=l ldapbasedn="dc=a,dc=b"',
  ]);
});

test("who is rejected by an address of his own is told of, and shuts nobody else out", () => {
  const hba = ["host all all 10.7.0.0/16 reject", "host all all all md5"];
  expect(through(...hba)).toEqual([]);
  expect(rejectsByAddress(source(hba), BALANCERS)).toEqual([hba[0]]);
});
