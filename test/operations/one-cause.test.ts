import { expect, test } from "vitest";
import { oneCauseOnce } from "../../src/operations/one-cause";

const HOSTS = ["db1", "db2", "lb1"];

test("one cause is told once, with all hosts that it touches", () => {
  const refused = (host: string, address: string) =>
    `${host}: anna@${address} port 22 refused the login: no key is accepted.\nAdd the public key.`;
  const all = [
    refused("db1", "10.0.0.1"),
    refused("db2", "10.0.0.12"),
    refused("lb1", "fd00::1"),
    refused("db1", "10.0.0.1"),
  ];
  expect(oneCauseOnce(all, HOSTS)).toEqual([
    "db1, db2, lb1: anna@… port 22 refused the login: no key is accepted.\nAdd the public key.",
  ]);
});

test("the address at which a host was asked is no cause of its own", () => {
  const away = (host: string, address: string) =>
    `${host}: anna@${address} port 22 cannot be reached: connect ECONNREFUSED ${address}:22.`;
  expect(oneCauseOnce([away("db1", "10.0.0.1"), away("lb1", "fd00::1")], HOSTS)).toEqual([
    "db1, lb1: anna@… port 22 cannot be reached: connect ECONNREFUSED …:22.",
  ]);
});

test("what is wrong with one host alone is told as it was, once", () => {
  const one = "db1: anna@10.0.0.1 port 22 cannot be reached: refused.";
  expect(oneCauseOnce([one, one], HOSTS)).toEqual([one]);
});

test("different causes stay apart, in their order", () => {
  const problems = ["db1: no disk.", "The clocks differ.", "db2: no sudo.", "lb1: no disk."];
  expect(oneCauseOnce(problems, HOSTS)).toEqual([
    "db1, lb1: no disk.",
    "The clocks differ.",
    "db2: no sudo.",
  ]);
});
