import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { rawStack } from "../../src/cli/stack";
import { parseSettings } from "../../src/config/parse";
import { planCluster } from "../../src/plan/plan";
import { givenFor, resourceOf } from "../../src/plan/secrets";
import { roleNamed, ROLES, type SecretName } from "../../src/roles/roles";
import { allRegistered, recordResources } from "../registered";
import { STACKS } from "../stacks";

vi.setConfig({ testTimeout: 60_000 });

afterEach(() => void vi.restoreAllMocks());

test.each(Object.keys(STACKS))("%s has every secret that its files and logins speak of", (name) => {
  const { hosts, cluster, ...own } = STACKS[name]?.() ?? {};
  const { secrets, services, patroni } = planCluster(parseSettings({ hosts, cluster }));
  const text = ({ role, name: one, host }: SecretName) => `${role} ${one} ${host ?? ""}`;
  const spokenOf = [
    ...services.flatMap(({ secretFiles }) =>
      Object.values(secretFiles).flatMap((file) => Object.values(file.secrets)),
    ),
    ...Object.values(patroni.passwords),
  ];
  const generated = spokenOf.filter((one) => givenFor(one).every((given) => !(given in own)));
  expect(secrets.map(text)).toEqual(expect.arrayContaining(generated.map(text)));
});

test("no two secrets are one resource in the state", () => {
  const [everything, consul] = ["everything", "consul"].map(
    (stack) => planCluster(parseSettings(STACKS[stack]?.() ?? {})).secrets,
  );
  for (const secrets of [everything, consul]) {
    const names = secrets?.map(resourceOf) ?? [];
    expect(new Set(names).size).toBe(names.length);
  }
  const having = [...(everything ?? []), ...(consul ?? [])].map(({ role }) => role);
  expect(having).toEqual(
    expect.arrayContaining(ROLES.filter(({ name }) => name !== "etcd").map(({ name }) => name)),
  );
});

test("a role may have a secret for each of its hosts", async () => {
  vi.spyOn(roleNamed("etcd"), "secrets").mockReturnValue([{ name: "token", eachHost: true }]);
  const registered = await recordResources();
  const { Passwords } = await import("../../src/components/passwords");
  const { secrets } = planCluster(parseSettings(rawStack("lab")));
  const passwords = new Passwords("demo-passwords", [], secrets, {});
  const found = passwords.secret({ role: "etcd", name: "token", host: "db2" });
  expect(await new Promise((resolve) => found.apply(resolve))).toBe(
    "password-of-demo-passwords-db2-etcd-token",
  );
  expect(await pulumi.isSecret(found)).toBe(true);
  await allRegistered();
  const tokens = registered.map(({ name }) => name).filter((name) => name.includes("token"));
  expect(tokens.sort()).toEqual(
    ["db1", "db2", "db3"].map((host) => `demo-passwords-${host}-etcd-token`),
  );
});

test("a secret that no role has is none", async () => {
  await recordResources();
  const { Passwords } = await import("../../src/components/passwords");
  const passwords = new Passwords("demo-passwords", [], [], {});
  expect(() => passwords.secret({ role: "haproxy", name: "stats" })).toThrow(
    "secret haproxy stats: expected in src/roles, found none",
  );
  await allRegistered();
});
