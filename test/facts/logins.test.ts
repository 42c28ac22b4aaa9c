import { expect, test } from "vitest";
import { hostKeysProbe, userLoginsProbe } from "../../src/facts/logins";

const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"x".repeat(43)}`;

const encoded = (...files: string[]) =>
  files.map((text) => Buffer.from(text).toString("base64")).join("\n");

const parse = (publicKey: string) =>
  userLoginsProbe("postgres").parse(
    encoded("/var/lib/postgresql", publicKey, "", "", "one line\n\nanother\n"),
  );

test("a user's own key and guests are read", () => {
  expect(parse(`${KEY} pgherd\n`)).toMatchObject({
    ...{ home: "/var/lib/postgresql", key: KEY, authorized: ["one line", "another"] },
  });
});

test.each([
  `command="sh" ${KEY}`,
  `${KEY}\n${KEY}`,
  `${KEY.slice(0, -1)}"`,
  `${KEY}A`,
  "root:$6$salt$hash:20000:0",
  "ssh-ed25519 AAAA",
])("what a host answers in place of a key opens no other host: %j", (answer) => {
  expect(parse(answer).key).toBe("");
});

test("of the keys by which others know a host, those that are none are left out", () => {
  const rsa = `ssh-rsa ${"A".repeat(370)}==`;
  const answer = `${KEY} root@db1\n${rsa} root@db1\n@cert-authority ${KEY}\ndb2 ${KEY}\nssh-ed25519 AAAA"\n\n`;
  expect(hostKeysProbe().parse(answer)).toEqual([KEY, rsa].sort());
});
