import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import SSHConfig from "ssh-config";
import { ConnectError } from "../errors";

/** What the user's SSH configuration says of a host. Keywords are in lower case: `config.first("proxyjump")`. */
export interface SshConfig {
  first(keyword: string): string | undefined;
  /** All values of a keyword that may be given several times. */
  all(keyword: string): readonly string[];
}

type Values = ReadonlyMap<string, readonly string[]>;

/**
 * What OpenSSH itself would do for a host (`ssh -G`, with Include, Match and the system's own configuration). Where no
 * client is installed, the file is read by a library, which follows less: what it cannot follow is an error.
 * The file is `~/.ssh/config`, or the one that `PGHERD_SSH_CONFIG` names.
 * @param aliases the names that the file may know the host by; what the first of them says counts.
 * @param user who logs in, if the stack says so; for `Match user`.
 * @throws ConnectError if the configuration cannot be read.
 */
export async function sshConfigFor(
  name: string,
  aliases: readonly string[],
  user?: string,
): Promise<SshConfig> {
  const ask = (alias: string) => askOpenSsh(name, alias, user);
  // What only one of several names says is told from a default by what a host without a name of its own gets.
  const others = aliases.length > 1 ? [ask(NOBODY)] : [];
  const [usual, ...found] = await Promise.all([...others, ...aliases.map(ask)]);
  if (usual === undefined || [usual, ...found].includes(undefined)) {
    return lookup(aliases.map((alias) => readByLibrary(name, alias)));
  }
  const answers = [usual, ...found] as Values[];
  if (answers.length === 1) return lookup(answers);
  const [defaults, ...named] = answers as [Values, ...Values[]];
  const said = named.map(
    (values) =>
      new Map([...values].filter(([keyword, value]) => !same(value, defaults.get(keyword)))),
  );
  return lookup([...said, defaults]);
}

/** A name that no pattern but `*` is for (RFC 6761, section 6.4). */
const NOBODY = "nobody.invalid";

function same(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.join("\n") === b?.join("\n");
}

function lookup(sections: readonly Values[]): SshConfig {
  const all = (keyword: string) => sections.find((one) => one.has(keyword))?.get(keyword) ?? [];
  return { all, first: (keyword) => all(keyword)[0] };
}

const ASK_SECONDS = 30;

/** Nothing if there is no client to ask. */
async function askOpenSsh(name: string, alias: string, user?: string): Promise<Values | undefined> {
  const own = process.env.PGHERD_SSH_CONFIG;
  const file = own === undefined ? [] : ["-F", existsSync(own) ? own : "none"];
  const argv = ["-G", ...file, ...(user === undefined ? [] : ["-l", user]), "--", alias];
  const answer = await new Promise<string | undefined>((resolve, reject) => {
    const asked = execFile(
      "ssh",
      argv,
      { timeout: ASK_SECONDS * 1000 },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (error.code === "ENOENT") resolve(undefined);
        else reject(unreadable(name, stderr.trim() || error.message));
      },
    );
    asked.stdin?.end();
  });
  if (answer === undefined) return undefined;
  const values = new Map<string, string[]>();
  for (const line of answer.split("\n")) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    values.set(keyword.toLowerCase(), [...(values.get(keyword.toLowerCase()) ?? []), value]);
  }
  return values;
}

function readByLibrary(name: string, alias: string): Values {
  const path = process.env.PGHERD_SSH_CONFIG ?? join(homedir(), ".ssh/config");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const [beyond] = /^[ \t]*(include|match)\b.*$/im.exec(text) ?? [];
  if (beyond !== undefined) {
    throw unreadable(
      name,
      `${path} has "${beyond.trim()}", which only OpenSSH's own client follows`,
    );
  }
  const computed = SSHConfig.parse(text).compute(alias, { ignoreCase: true });
  return new Map(
    Object.entries(computed).map(([keyword, value]) => [
      keyword.toLowerCase(),
      [value].flat().map((one) => one.replace(/^"(.*)"$/, "$1")),
    ]),
  );
}

function unreadable(name: string, why: string): ConnectError {
  return new ConnectError(
    name,
    `the SSH configuration cannot be read: ${why}.`,
    "Mend it until `ssh -G HOST` prints it; where there is no `ssh`, install OpenSSH's client.",
  );
}
