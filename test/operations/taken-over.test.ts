import { expect, test } from "vitest";
import { standingProbe, type StandingRole } from "../../src/facts/standing-names";
import { describeTakenOver } from "../../src/operations/taken-over";

const APP = { name: "app", createdb: false, createrole: false, connectionLimit: -1 };

const THERE: StandingRole = {
  ...{ ...APP, login: true, superuser: false, bypassRls: false, replication: false },
  ...{ memberOf: [], validUntil: null },
};

const describe = (wanted: object, there: Partial<StandingRole>) =>
  describeTakenOver(
    [{ ...APP, ...wanted }],
    [],
    { roles: [{ ...THERE, ...there }], databases: [] },
    ["app", "reader"],
  );

const PASSWORD = "it gets the stack's password, and who uses another one is let in no more";
const BEGINNING = `user app is there already, and becomes the stack's: ${PASSWORD}`;

test("of a role that is there already the password is the stack's from then on", () => {
  expect(describe({}, {})).toEqual([`${BEGINNING}. By SQL, no service is touched`]);
});

test("rights that a role gains and loses are named, and that it may log in again", () => {
  const there = {
    login: false,
    createrole: true,
    connectionLimit: 3,
    memberOf: ["by_hand", "pg_monitor"],
  };
  expect(describe({ createdb: true, memberOf: ["reader"], noOthers: true }, there)).toEqual([
    `${BEGINNING}; it may log in from then on (it is NOLOGIN); it gains CREATEDB, the rights of reader; ` +
      "it LOSES CREATEROLE, the rights of pg_monitor; its connection limit is none instead of 3. By SQL, no service is touched",
  ]);
});

test("what no stack gives or takes is told where it makes more of a role than its stack says, or less", () => {
  const [superuser] = describe({}, { superuser: true, bypassRls: true });
  expect(superuser).toMatch(/is a SUPERUSER and stays one.*ALTER ROLE "app" NOSUPERUSER$/);
  expect(superuser).not.toContain("BYPASSRLS");
  expect(describe({}, { bypassRls: true })[0]).toMatch(
    /stays BYPASSRLS.*ALTER ROLE "app" NOBYPASSRLS$/,
  );
  const time = "2020-01-01 00:00 UTC";
  expect(describe({}, { validUntil: { time, past: true } })[0]).toMatch(
    /password has let nobody in since 2020-01-01 00:00 UTC \(VALID UNTIL\).*ALTER ROLE "app" VALID UNTIL 'infinity'$/,
  );
  expect(describe({}, { validUntil: { time, past: false } })[0]).toMatch(
    /password lets nobody in after 2020-01-01 00:00 UTC/,
  );
});

test("names stand in the question as texts, and those of the answer hold nothing that moves a terminal", () => {
  const { script, parse } = standingProbe(5432, { roles: ["it's"], databases: [] });
  expect(script).toContain("rolname in ('', 'it''s')");
  const databases = [{ name: "shop", owner: "a\u001b[2Jb" }];
  expect(parse(JSON.stringify({ roles: [], databases })).databases).toEqual([
    { name: "shop", owner: "a [2Jb" },
  ]);
});
