import { expect, test } from "vitest";
import { otherChanges, databaseIn } from "../../src/cli/users";
import { ConnectError } from "../../src/errors";
import type { Probe } from "../../src/host/host";
import { scramVerifier, verifies } from "../../src/operations/scram";
import type { Context } from "../../src/provider/context";
import { changePasswords, isPasswordsOnly } from "../../src/provider/passwords-only";
import type { PatroniClusterInputs } from "../../src/resources/inputs/patroni-cluster";

const INPUTS = {
  cluster: "demo",
  members: { db1: "10.89.0.11:8008", db2: "10.89.0.12:8008" },
  port: 5432,
  roles: [{ name: "app", createdb: false, createrole: false, connectionLimit: -1 }],
  passwords: { app: "new", other: "same" },
} as unknown as PatroniClusterInputs;
const KNOWN = { ...INPUTS, passwords: { app: "old", other: "same" }, systemIdentifier: "1" };

test("a change of passwords is told from one of anything else", () => {
  expect(isPasswordsOnly(INPUTS, KNOWN)).toBe(true);
  expect(isPasswordsOnly(INPUTS, undefined)).toBe(false);
  expect(isPasswordsOnly({ ...INPUTS, port: 5433 }, KNOWN)).toBe(false);
  // A user who is new needs a role first.
  expect(isPasswordsOnly({ ...INPUTS, passwords: { app: "new" } }, KNOWN)).toBe(false);
  expect(isPasswordsOnly(INPUTS, { ...KNOWN, members: { db1: "10.89.0.11:8008" } })).toBe(false);
});

/** Two members, of which the first cannot be reached. */
function hosts(role: string) {
  const verifiers = { app: scramVerifier("old"), other: scramVerifier("same") };
  const changes: string[] = [];
  const context = {
    host: (name: string) => ({
      observe: <T>({ script, parse }: Probe<T>) => {
        if (name === "db1") return Promise.reject(new ConnectError("db1", "cannot be reached."));
        const roles = Object.entries(verifiers).map(([one, verifier]) => ({ name: one, verifier }));
        const members = [{ name: "db2", role, state: "running", timeline: 2 }];
        return Promise.resolve(
          parse(
            JSON.stringify(script.includes("/cluster") ? { members } : { roles, databases: [] }),
          ),
        );
      },
      change: (action: string, script: string) => {
        changes.push(`${name}: ${action}`);
        const [, verifier = ""] = /ALTER ROLE "app" PASSWORD '(.*)';/.exec(script) ?? [];
        expect(script).not.toContain('"other"');
        verifiers.app = verifier;
        return Promise.resolve("");
      },
    }),
  } as unknown as Context;
  return { context, changes, verifiers };
}

test("a password is changed on the leader, whoever else is out of reach", async () => {
  const { context, changes, verifiers } = hosts("leader");
  expect(await changePasswords(context, INPUTS, KNOWN)).toEqual({
    ...KNOWN,
    passwords: INPUTS.passwords,
  });
  expect(changes).toEqual(["db2: changing passwords"]);
  expect(verifies("new", verifiers.app)).toBe(true);
});

test("nobody's password is changed where nobody is known to lead", async () => {
  const { context, changes } = hosts("replica");
  expect(await changePasswords(context, INPUTS, KNOWN)).toBeUndefined();
  expect(changes).toEqual([]);
});

test("what would come along with a new password is told by the preview's steps", () => {
  const urn = "urn:pulumi:lab::pgherd::pgherd:index:PatroniCluster::demo-patroni-cluster";
  const preview = (step: object) => JSON.stringify({ steps: [{ op: "update", urn, ...step }] });
  expect(otherChanges(preview({ diffReasons: ["passwords"] }), urn)).toEqual([]);
  expect(
    otherChanges(preview({ detailedDiff: { "passwords.app": {}, "roles[0].createdb": {} } }), urn),
  ).toEqual(["roles"]);
  expect(otherChanges(preview({ op: "same", diffReasons: ["roles"] }), urn)).toEqual([]);
  expect(otherChanges("{}", urn)).toEqual([]);
  const resources = [{ urn, type: "pgherd:index:PatroniCluster" }];
  expect(databaseIn(JSON.stringify({ deployment: { resources } }))).toBe(urn);
});
