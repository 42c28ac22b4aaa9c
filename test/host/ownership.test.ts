import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asOwner, rootAlone } from "../../src/host/ownership";
import { asUser } from "../../src/host/shell";
import { asRoot, give, ground, LESSER, rootShell } from "../users";

describe.runIf(asRoot)("on a host with other users", () => {
  test("a script of another user runs as that user, whatever it holds", () => {
    const script = 'id -un\ncat\ncat <<"PGHERD"\n$HOME `id`\nPGHERD\necho "${before-unset}"';
    const { stdout } = rootShell(`before=1\n${asUser(LESSER, script)}echo "and $(id -un)"`);
    expect(stdout).toBe("daemon\n$HOME `id`\nunset\nand root\n");
  });

  test("a script of another user ends at its first error, and so does the one around it", () => {
    expect(rootShell(`set -e\n${asUser(LESSER, "false\necho on")}\necho on`)).toEqual({
      code: 1,
      stdout: "",
      stderr: "",
    });
  });

  test("no word of another user's script is an argument of a process", () => {
    const { stdout } = rootShell(
      asUser(LESSER, "secret=hidden\ncat /proc/[0-9]*/cmdline | tr '\\0' ' '"),
    );
    expect(stdout).toContain(`runuser -u ${LESSER}`);
    expect(stdout).not.toContain("secret=hidden");
  });

  const who = (path: string) => rootShell(asOwner(LESSER, path, "id -un")).stdout.trim();

  test("what root alone can exchange is root's, and what a lesser user can is that user's", () => {
    const { root, lesser } = ground();
    mkdirSync(join(lesser, "roots"));
    expect(who(`${root}/file`)).toBe("root");
    expect(who(`${root}/absent/file`)).toBe("root");
    expect(who(lesser)).toBe("root");
    expect(who(`${lesser}/.`)).toBe(LESSER);
    expect(who(`${lesser}/file`)).toBe(LESSER);
    expect(who(`${lesser}/roots/file`)).toBe(LESSER);
  });

  test("links are followed: root's own to a lesser user's directory, and a lesser user's to root's", () => {
    const { root, lesser } = ground();
    symlinkSync(lesser, join(root, "link"));
    symlinkSync("/etc", join(lesser, "etc"));
    symlinkSync("lesser/etc", join(root, "both"));
    symlinkSync("/etc", join(root, "own"));
    expect(who(`${root}/link/.`)).toBe(LESSER);
    expect(who(`${lesser}/etc/passwd`)).toBe(LESSER);
    expect(who(`${root}/both/passwd`)).toBe(LESSER);
    expect(who(`${root}/own/passwd`)).toBe("root");
  });

  test("a directory that others may write to is not root's alone, but for what root has in one like /tmp", () => {
    const { root } = ground();
    const open = join(root, "open");
    mkdirSync(open);
    writeFileSync(join(open, "file"), "");
    for (const [mode, expected] of [
      [0o777, LESSER],
      [0o755, "root"],
      // The group is root's.
      [0o775, "root"],
      [0o1777, "root"],
    ] as const) {
      chmodSync(open, mode);
      expect(who(`${open}/file`)).toBe(expected);
    }
    expect(who(`${open}/absent`)).toBe(LESSER);
    give(join(open, "file"));
    expect(who(`${open}/file`)).toBe(LESSER);
  });

  test("what root alone must be able to exchange is told to the user where another can", () => {
    const { root, lesser } = ground();
    expect(rootShell(`${rootAlone(`${root}/.`)}\necho on`).stdout).toBe("on\n");
    const { code, stderr, stdout } = rootShell(`${rootAlone(`${lesser}/.`)}\necho on`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `${lesser}: expected directories that root alone can change, found lesser (drwxr-xr-x daemon). ` +
        "Give it to root (chown root, chmod go-w), or choose another place.\n",
    );
  });
});
