import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { unitFilesScript } from "../../../src/migration/facts/unit-files";

/** What systemd 257 prints of a unit with files, and dpkg of one file that a package has. */
const ANSWERS = `set -e
systemctl() {
  printf '%s\\n\\n' /usr/lib/systemd/system/postgresql@.service "$dropins"
}
dpkg() {
  case $2 in */of-package.conf) echo "pg-limits: $2" ;; *) return 1 ;; esac
}
`;

function filesOf(dropins: readonly string[]): string[] {
  const script = `${ANSWERS}dropins=$1\n${unitFilesScript("postgresql@17-main.service")}`;
  const found = execFileSync("sh", ["-c", script, "sh", dropins.join(" ")], { encoding: "utf8" });
  return found.split("\n").filter((line) => line !== "");
}

test("what somebody has set for a server's unit is found, and what comes with packages is not", () => {
  const own = [
    "/etc/systemd/system/postgresql@.service.d/limits.conf",
    "/etc/systemd/system/postgresql@17-main.service.d/override.conf",
    "/etc/systemd/system.control/postgresql@17-main.service.d/50-MemoryMax.conf",
    "/usr/local/lib/systemd/system/postgresql@.service.d/shop.conf",
  ];
  const others = [
    "/usr/lib/systemd/system/postgresql@.service.d/debian.conf",
    "/lib/systemd/system/postgresql@.service.d/debian.conf",
    "/etc/systemd/system/postgresql@.service.d/of-package.conf",
    "/etc/systemd/system/service.d/10-all.conf",
    "/run/systemd/transient/postgresql@17-main.service.d/50-User.conf",
  ];
  expect(filesOf([...others, ...own])).toEqual(own);
  expect(filesOf([])).toEqual([]);
});
