import { expect, test } from "vitest";
import { ConnectError } from "../../../src/errors";
import { backupLocales } from "../../../src/migration/provider/backup-locales";
import type { Context } from "../../../src/provider/context";
import type { FoundHost } from "../../../src/provider/found-host";

const SERVER = { host: "db1", port: 5432, superuser: "postgres" };

const seen = (host: string, locales: string[], backupDirectory?: string) =>
  ({ host, requirement: { backupDirectory }, facts: { locales } }) as unknown as FoundHost;

function asked(hosts: FoundHost[], answer: () => readonly string[]): Promise<string[]> {
  const host = (name: string) => ({
    async observe() {
      expect(name).toBe("db1");
      return answer();
    },
  });
  return backupLocales({ host } as unknown as Context, SERVER, hosts);
}

test("a backup host without the locale of a migrated database is refused, with what to install there", async () => {
  const hosts = [
    seen("db2", []),
    seen("backup1", ["C", "C.utf8", "de_DE.utf8", "POSIX"], "/var/lib/barman"),
  ];
  const locales = ["C.UTF-8", "de_DE.UTF-8", "sv_SE.UTF-8"];
  expect(await asked(hosts, () => locales)).toEqual([
    "backup1: expected the locale sv_SE.UTF-8, which databases on db1 have, so that test restores can start their copy, found it not. " +
      "Put it into /etc/locale.gen there and run locale-gen (package locales).",
  ]);
  expect(await asked(hosts, () => locales.slice(0, 2))).toEqual([]);
});

test("the server is not asked for its locales where nobody starts a copy, and may be out of reach", async () => {
  const never = () => {
    throw new Error("nobody was to ask");
  };
  expect(await asked([seen("db2", [])], never)).toEqual([]);
  const backup = [seen("backup1", [], "/var/lib/barman")];
  const lost = (error: Error) => () => {
    throw error;
  };
  expect(await asked(backup, lost(new ConnectError("db1", "no route")))).toEqual([]);
  await expect(asked(backup, never)).rejects.toThrow("nobody was to ask");
});
