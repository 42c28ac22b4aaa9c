import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../src/plan/template";

/** A server of these answers, one after the other; the last one again and again. */
function promoted(role: string, answers: readonly string[], giveLeadAway = false) {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-promoted-"));
  const file = (name: string) => join(folder, name);
  const program = (name: string, text: string) =>
    writeFileSync(file(name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");
  writeFileSync(file("answers"), answers.map((answer) => `${answer}\n`).join(""));
  program(
    "psql",
    `echo x >>${file("asked")}; env >${file("environment")}; printf '%s\n' "$@" >${file("arguments")}; cat >${file("sql")}
at=$(wc -l <${file("asked")}) all=$(wc -l <${file("answers")})
answer=$(sed -n "$((at < all ? at : all))p" ${file("answers")})
[ "$answer" = away ] && { echo "connection refused" >&2; exit 2; }
echo "$answer"`,
  );
  program("sleep", ":");
  program("lead", `echo "$*" >${file("lead-given")}`);
  const script = render("patroni/promoted.sh", {
    ...{
      program: file("psql"),
      socket: "/run/my socket's",
      port: 6543,
      superuser: "postgres",
      seconds: 5,
    },
    giveLeadAway: giveLeadAway ? file("lead") : null,
  });
  const said = execFileSync("/bin/bash", ["-s", "on_role_change", role, "demo"], {
    input: script,
    stdio: "pipe",
    env: { PATH: `${folder}:${process.env.PATH}`, PGHOST: "elsewhere", PGUSER: "nobody" },
  }).toString();
  const asked = read("asked").length / 2;
  return { said, asked, read };
}

test("the segment in which a new leader's timeline begins is ended once, as soon as the promotion is over", () => {
  const { said, asked, read } = promoted("primary", ["", "", "0/8000158", "0/9000000"]);
  expect({ said, asked }).toEqual({ said: "", asked: 3 });
  expect(read("arguments")).toContain("\n-h\n/run/my socket's\n-p\n6543\n-U\npostgres\n");
  expect(read("sql")).toContain("pg_switch_wal()");
});

test("Patroni before 4.0 calls the new leader master", () => {
  expect(promoted("master", ["0/8000158"]).asked).toBe(1);
});

test.each(["replica", "standby_leader", "demoted"])("who is %s asks nothing", (role) => {
  expect(promoted(role, ["0/8000158"]).asked).toBe(0);
});

test("a server that is away is asked for a while, and nobody hears of it", () => {
  expect(promoted("primary", ["away", "away", "stays"])).toMatchObject({ said: "", asked: 3 });
  expect(promoted("primary", ["away"])).toMatchObject({ said: "", asked: 5 });
});

test("nothing of the host's environment counts for the session", () => {
  const environment = promoted("primary", ["0/8000158"]).read("environment");
  expect(environment).not.toMatch(/^PG(HOST|USER)=/m);
  expect(environment).toMatch(/^PGREQUIREPEER=postgres$/m);
  expect(environment).toMatch(/^PGOPTIONS=-c search_path=pg_catalog,pg_temp /m);
});

test("the DCS's lead is given away at the same time", () => {
  const { read } = promoted("primary", ["0/8000158"], true);
  expect(read("lead-given")).toBe("on_role_change primary demo\n");
});
