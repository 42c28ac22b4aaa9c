import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { closedSocketDirectoriesProbe } from "../../src/facts/socket-directories";

test.runIf(process.getuid?.() === 0 && spawnSync("id", ["postgres"]).status === 0)(
  "folders in which a server could not make its socket are found before it has to",
  () => {
    const folder = mkdtempSync("/tmp/pgherd-sockets-");
    chmodSync(folder, 0o755);
    const place = (name: string, mode: number) => {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), mode);
      return join(folder, name);
    };
    const [open, closed] = [place("it's, open", 0o777), place("closed", 0o755)];
    const said = (value: string) => {
      const { script, parse } = closedSocketDirectoriesProbe(folder, value);
      return parse(spawnSync("sh", ["-eu"], { input: script, encoding: "utf8" }).stdout);
    };
    try {
      expect(said(`/tmp , "${open}",@abstract, it's\\ `)).toEqual([
        `there is no directory "it's\\" (unix_socket_directories)`,
      ]);
      expect(said(`${closed}, closed`)).toEqual([
        `the user postgres may not write to "${closed}" (unix_socket_directories)`,
        'the user postgres may not write to "closed" (unix_socket_directories)',
      ]);
      expect(said("")).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
