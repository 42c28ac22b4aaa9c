import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { strict } from "../../src/host/shell";
import { timelinesProbe } from "../../src/operations/timelines";

test("a history that goes from what is received into the archive during the look is found", () => {
  const home = mkdtempSync(join(tmpdir(), "pgherd-timelines-"));
  for (const folder of ["wals", "streaming", "bin"]) mkdirSync(join(home, folder));
  const history = (id: number) => `0000000${id}.history`;
  writeFileSync(join(home, "wals", history(2)), "1\t0/5000000\tnone\n");
  writeFileSync(join(home, "streaming", history(3)), "2\t0/6000000\tnone\n");
  // Barman comes as soon as the first file is looked at.
  const mover = `#!/bin/sh\nmv ${home}/streaming/* ${home}/wals/ 2>/dev/null\nexec /usr/bin/stat "$@"\n`;
  writeFileSync(join(home, "bin/stat"), mover, { mode: 0o755 });
  const { script, parse } = timelinesProbe(home);
  const output = execFileSync("sh", ["-s"], {
    input: strict(script),
    env: { ...process.env, PATH: `${join(home, "bin")}:${process.env.PATH}` },
    encoding: "utf8",
  });
  expect(parse(output).map(({ id, history: { length } }) => [id, length])).toEqual([
    [2, 1],
    [3, 1],
  ]);
});
