import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { parseKnownHosts } from "../../src/host/known-hosts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOLD";
const OTHER = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQOTHER";

test("a host's keys are found by its name and by its address", () => {
  const known = parseKnownHosts(`db1,10.89.0.11 ${KEY} root@db1\n10.89.0.11 ${OTHER}\n`);
  expect(known.keysFor("db1", 22)).toEqual([KEY]);
  expect(known.keysFor("10.89.0.11", 22)).toEqual([KEY, OTHER]);
});

test("an unknown host has no keys, even one whose name is a part of a known one", () => {
  const known = parseKnownHosts(`db1.example.org ${KEY}\n10.89.0.11 ${KEY}`);
  for (const host of ["db1", "example.org", "dbx.example.org", "10.89.0.1", "10x89.0.11", ""]) {
    expect(known.keysFor(host, 22)).toEqual([]);
  }
});

test("another port than 22 is another host", () => {
  const known = parseKnownHosts(`db1 ${KEY}\n[db1]:2222 ${OTHER}\n[fd00:89::11]:2222 ${KEY}`);
  expect(known.keysFor("db1", 22)).toEqual([KEY]);
  expect(known.keysFor("db1", 2222)).toEqual([OTHER]);
  expect(known.keysFor("fd00:89::11", 2222)).toEqual([KEY]);
  expect(known.keysFor("db1", 2223)).toEqual([]);
});

test("hashed names are understood", () => {
  const salt = Buffer.from("0123456789abcdef0123");
  const digest = createHmac("sha1", salt).update("[db1]:2222").digest("base64");
  const known = parseKnownHosts(`|1|${salt.toString("base64")}|${digest} ${KEY}`);
  expect(known.keysFor("db1", 2222)).toEqual([KEY]);
  expect(known.keysFor("db1", 22)).toEqual([]);
});

test("a line that ssh-keygen -H made is understood", () => {
  // From sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", of a host of our own.
  const salt = "JfKTdBh7rNbXkVAQCRp4OQoPfmI=";
  const digest = createHmac("sha1", Buffer.from(salt, "base64")).update("db1").digest("base64");
  expect(parseKnownHosts(`|1|${salt}|${digest} ${KEY}\n`).keysFor("db1", 22)).toEqual([KEY]);
});

test("wildcards match, and a negated pattern takes out", () => {
  const known = parseKnownHosts(`*.example.org,!bad.example.org,db? ${KEY}`);
  expect(known.keysFor("good.example.org", 22)).toEqual([KEY]);
  expect(known.keysFor("GOOD.example.ORG", 22)).toEqual([KEY]);
  expect(known.keysFor("bad.example.org", 22)).toEqual([]);
  expect(known.keysFor("db1", 22)).toEqual([KEY]);
  expect(known.keysFor("db12", 22)).toEqual([]);
});

test("a revoked key is none, whichever line comes first", () => {
  const known = parseKnownHosts(`db1 ${KEY}\n@revoked * ${KEY}\ndb1 ${OTHER}`);
  expect(known.keysFor("db1", 22)).toEqual([OTHER]);
});

test("certificate authorities are not taken for host keys", () => {
  expect(parseKnownHosts(`@cert-authority *.org ${KEY}`).keysFor("db1.org", 22)).toEqual([]);
});

test("comments, empty lines and line ends of other systems do not matter", () => {
  const known = parseKnownHosts(`# mine\r\n\r\n  db1\t${KEY}   root@db1\r\n`);
  expect(known.keysFor("db1", 22)).toEqual([KEY]);
  expect(parseKnownHosts("").keysFor("db1", 22)).toEqual([]);
});
