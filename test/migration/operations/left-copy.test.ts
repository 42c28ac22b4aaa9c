import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyTargetProbe } from "../../../src/migration/facts/adoption";
import { setAsideCopy } from "../../../src/migration/operations/left-copy";
import { canMount, newFileSystemAt, withMounts } from "../../mounts";
import { asRoot, give, ground, LESSER } from "../../users";

const FOLLOWED = "shut down in recovery";

/** A host with disks of their own for the data of a lesser user, who stands for postgres, and for a tablespace. */
function host({ identifier = "7713", state = FOLLOWED } = {}) {
  const { root, lesser } = ground();
  const [data, fast] = [join(lesser, "data"), join(lesser, "fast")];
  for (const path of [data, fast]) {
    mkdirSync(path);
    give(path);
  }
  mkdirSync(join(root, "17/bin"), { recursive: true });
  const tool = (name: string, text: string) =>
    writeFileSync(join(root, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  tool("systemctl", "exit 3");
  tool(
    "17/bin/pg_controldata",
    `echo "Database system identifier:           ${identifier}"; echo "Database cluster state:               ${state}"`,
  );
  const mounted = [data, fast].map(
    (path) => `${newFileSystemAt(path)}chown ${LESSER}: '${path}'\n`,
  );
  const copy = `mkdir '${data}/global' '${data}/base' '${fast}/PG_17_202406281'
echo 17 >'${data}/PG_VERSION'
: >'${data}/global/pg_control'
: >'${fast}/PG_17_202406281/16385'
chown -R ${LESSER}: '${data}/base' '${data}/global' '${data}/PG_VERSION' '${fast}/PG_17_202406281'
`;
  const asLesser = (script: string) =>
    script
      .replaceAll("owning postgres", `owning ${LESSER}`)
      .replaceAll("postgres:postgres", `${LESSER}:${LESSER}`)
      .replaceAll("= postgres", `= ${LESSER}`)
      .replaceAll("/usr/lib/postgresql", root);
  const source = { systemIdentifier: "7713", tablespaces: [fast] };
  return {
    ...{ data, fast },
    /** What is left in both; a message where it fails. */
    setAside: (prepare = copy) =>
      withMounts(
        `${mounted.join("")}${prepare}(\n${asLesser(setAsideCopy(data, source))}\n) 2>&1 || :\nls -A '${data}' '${fast}'\n`,
        { ...process.env, PATH: `${root}:${process.env.PATH}` },
      ),
    copy,
    survey: (prepare = "") => {
      const question = copyTargetProbe(data, { files: [], directories: [fast], groups: [] });
      return question.parse(
        withMounts(`${mounted.join("")}${prepare}${asLesser(question.script)}`),
      );
    },
  };
}

describe.runIf(asRoot && canMount)(
  "on a host with disks of their own for data and tablespace",
  () => {
    test("what an earlier migration has copied there is emptied in place", () => {
      const { data, fast, setAside } = host();
      expect(setAside()).toBe(`${data}:\nlost+found\n\n${fast}:\n`);
    });

    test("a copy that was broken off is emptied too", () => {
      const { data, setAside, copy } = host();
      const broken = `${copy}rm '${data}/global/pg_control'\n: >'${data}/backup_label'\nchown ${LESSER}: '${data}/backup_label'\n`;
      expect(setAside(broken)).toContain(`${data}:\nlost+found\n\n`);
    });

    test.each([
      ["has led", "7713", "in production"],
      ["has led and was stopped", "7713", "shut down"],
      ["is of another server", "7714", FOLLOWED],
    ])("a database that %s stays, and the message says what to do", (_, identifier, state) => {
      const { data, fast, setAside } = host({ identifier, state });
      const said = setAside();
      expect(said).toContain(
        `${data}: expected a copy of database 7713 that has only ever followed, which is emptied in place where it or a tablespace is a file system of its own, found database ${identifier}, ${state}. Nothing was touched.`,
      );
      expect(said).toContain(`${data}:\nPG_VERSION\nbase\nglobal\nlost+found\n`);
      expect(said).toContain(`${fast}:\nPG_17_202406281\n`);
    });

    test("what was never a database's stays", () => {
      const { data, setAside } = host();
      const said = setAside(`: >'${data}/photo'\nchown ${LESSER}: '${data}/photo'\n`);
      expect(said).toContain("found something else. Nothing was touched.");
      expect(said).toContain(`${data}:\nlost+found\nphoto\n`);
    });

    test("a new disk for a tablespace is empty enough for a copy, and made so before it", () => {
      const { fast, setAside, survey } = host();
      expect(survey().directories).toEqual([fast]);
      expect(setAside("")).toMatch(/\/fast:\n$/);
    });

    test("what fsck has found on the disk of a tablespace is told of and stays", () => {
      const { fast, setAside } = host();
      const said = setAside(`mkdir '${fast}/lost+found/#12'\n`);
      expect(said).toContain(`${fast}: expected nothing in lost+found`);
      expect(said).toContain(`${fast}:\nlost+found\n`);
    });
  },
);
