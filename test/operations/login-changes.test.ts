import { describe, expect, test } from "vitest";
import type { UserLogins } from "../../src/facts/logins";
import {
  linksThatHold,
  loginChanges,
  loginUsers,
  unusedFiles,
  usersWithGuests,
  withoutKey,
  type FoundLogins,
} from "../../src/operations/login-changes";
import { clientConfig, guestLine, knownHosts } from "../../src/operations/logins";
import type { LinkInput, LoginsInputs } from "../../src/resources/inputs/logins";

const TAKE: LinkInput = {
  ...{ from: "backup1", fromAddress: "10.89.0.41", fromUser: "barman" },
  ...{ to: "db1", toUser: "postgres", address: "10.89.0.11", port: 22 },
  command: "/var/lib/pgherd/backup-door demo",
};
const FETCH: LinkInput = {
  ...{ from: "db1", fromAddress: "10.89.0.11", fromUser: "postgres" },
  ...{ to: "backup1", toUser: "barman", address: "10.89.0.41", port: 22 },
  command: "/var/lib/pgherd/wal-from-backup demo",
};
const DOOR = { content: "#!/bin/sh\n", mode: "0755", owner: "root", group: "root" };
const INPUTS: LoginsInputs = {
  cluster: "demo",
  links: [TAKE, FETCH],
  files: {
    db1: { "/var/lib/pgherd/backup-door": DOOR },
    backup1: { "/var/lib/pgherd/wal-from-backup": DOOR },
  },
};

const KEYS = {
  barman: `ssh-ed25519 ${"B".repeat(68)}`,
  postgres: `ssh-ed25519 ${"P".repeat(68)}`,
};
const HOST_KEYS = { db1: ["ssh-ed25519 AAAAdb1"], backup1: ["ssh-ed25519 AAAAbackup1"] };
const MINE = "ssh-ed25519 AAAAmine me@laptop";
const OTHERS = guestLine("orders", FETCH, "ssh-ed25519 AAAAorders");

/** A host on which nothing has been arranged yet. */
const BLANK: UserLogins = {
  ...{ key: "", config: "", knownHosts: "", authorized: [] },
  home: "/var/lib/x",
};

/** All as it is wanted, but for what is said; lines of somebody else's are there too. */
function found(odd: { readonly [label: string]: Partial<UserLogins> } = {}): FoundLogins {
  return {
    users: {
      "barman@backup1": {
        ...{ key: KEYS.barman, home: "/var/lib/barman" },
        config: clientConfig("barman", [TAKE]),
        knownHosts: knownHosts([TAKE], HOST_KEYS),
        authorized: [MINE, OTHERS, guestLine("demo", FETCH, KEYS.postgres)],
        ...odd["barman@backup1"],
      },
      "postgres@db1": {
        ...{ key: KEYS.postgres, home: "/var/lib/postgresql" },
        config: clientConfig("postgres", [FETCH]),
        knownHosts: knownHosts([FETCH], HOST_KEYS),
        authorized: [MINE, guestLine("demo", TAKE, KEYS.barman)],
        ...odd["postgres@db1"],
      },
    },
    hostKeys: HOST_KEYS,
    files: INPUTS.files,
  };
}

const BARMAN = { host: "backup1", user: "barman", calls: true };
const POSTGRES = { host: "db1", user: "postgres", calls: true };
const GUESTS = [guestLine("demo", TAKE, KEYS.barman)];

test("everybody who calls or is called is looked at once", () => {
  expect(loginUsers(INPUTS)).toEqual([BARMAN, POSTGRES]);
  expect(loginUsers({ links: [TAKE] })).toEqual([BARMAN, { ...POSTGRES, calls: false }]);
});

describe("where all is as it is wanted", () => {
  test("nothing is changed, and no key is made", () => {
    expect(loginChanges(INPUTS, found())).toEqual([]);
    expect(withoutKey(INPUTS, found())).toEqual([]);
  });

  test("all links hold", () => {
    expect(linksThatHold(INPUTS, found())).toEqual([TAKE, FETCH]);
  });

  test("and nobody logs in anywhere, nothing is changed", () => {
    expect(loginChanges({ ...INPUTS, links: [] }, found())).toEqual([]);
  });
});

test("what is changed is what differs, and nothing else of the same user", () => {
  const guests = { authorized: [MINE] };
  expect(loginChanges(INPUTS, found({ "postgres@db1": guests }))).toEqual([
    { ...POSTGRES, guests: GUESTS },
  ]);
  const client = {
    config: clientConfig("postgres", [FETCH]),
    known: knownHosts([FETCH], HOST_KEYS),
  };
  expect(loginChanges(INPUTS, found({ "postgres@db1": { knownHosts: "" } }))).toEqual([
    { ...POSTGRES, client },
  ]);
  expect(loginChanges(INPUTS, found({ "postgres@db1": { config: "Host *\n" } }))).toEqual([
    { ...POSTGRES, client },
  ]);
});

test("hosts on which nothing is yet get keys first; then a guest has the caller's new key", () => {
  const blank = found({ "barman@backup1": BLANK, "postgres@db1": BLANK });
  expect(withoutKey(INPUTS, blank)).toEqual([BARMAN, POSTGRES]);
  expect(linksThatHold(INPUTS, blank)).toEqual([]);
  const keyed = found({
    "barman@backup1": { ...BLANK, key: KEYS.barman },
    "postgres@db1": { ...BLANK, key: KEYS.postgres },
  });
  expect(loginChanges(INPUTS, keyed).map(({ guests }) => guests)).toEqual([
    [guestLine("demo", FETCH, KEYS.postgres)],
    GUESTS,
  ]);
});

test("who is only logged in as needs no key of his own, nor settings", () => {
  const inputs = { ...INPUTS, links: [TAKE] };
  const there = found({
    "postgres@db1": { key: "", config: "", knownHosts: "", authorized: GUESTS },
    "barman@backup1": { authorized: [] },
  });
  expect(withoutKey(inputs, there)).toEqual([]);
  expect(loginChanges(inputs, there)).toEqual([]);
  expect(linksThatHold(inputs, there)).toEqual([TAKE]);
});

test.each<[string, { readonly [label: string]: Partial<UserLogins> }, LinkInput[]]>([
  ["its caller has lost its key", { "barman@backup1": { key: "" } }, [FETCH]],
  ["its caller has another key", { "barman@backup1": { key: KEYS.postgres } }, [FETCH]],
  ["its caller knows another host", { "barman@backup1": { knownHosts: "db1 x\n" } }, [FETCH]],
  ["nobody is let in any more", { "postgres@db1": { authorized: [MINE] } }, [FETCH]],
  [
    "a guest is let in who is no guest any more",
    {
      "postgres@db1": {
        authorized: [...GUESTS, guestLine("demo", { ...TAKE, from: "old1" }, KEYS.barman)],
      },
    },
    [FETCH],
  ],
])("a link does not hold where %s", (_what, odd, held) => {
  expect(linksThatHold(INPUTS, found(odd))).toEqual(held);
});

test("a guest of another cluster, and whoever else is let in, is none of this cluster's", () => {
  const only = { authorized: [MINE, OTHERS] };
  expect(usersWithGuests(INPUTS, found({ "barman@backup1": only }))).toEqual([POSTGRES]);
});

test("a command that another cluster's guest is let in for stays at the end", () => {
  expect(unusedFiles(INPUTS, found(), "backup1")).toEqual([]);
  expect(unusedFiles(INPUTS, found(), "db1")).toEqual(["/var/lib/pgherd/backup-door"]);
  expect(unusedFiles(INPUTS, found(), "db3")).toEqual([]);
});
