import { userInfo } from "node:os";
import { join } from "node:path";
import { ConnectError } from "../errors";

/** What stands for a percent sign and a letter in values of an SSH configuration (ssh_config(5), TOKENS). */
export interface Tokens {
  /** The host's name in the stack. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

/** A path of an SSH configuration: `~/.ssh/%r`, `${HOME}/key`. */
export function expandPath(path: string, tokens: Tokens): string {
  const { homedir } = userInfo();
  const named = path
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole)
    .replace(/%([%dhinpru])/g, (_, letter: string) => valueOf(letter, tokens));
  return named === "~" || named.startsWith("~/") ? join(homedir, named.slice(1)) : named;
}

/**
 * A command line of an SSH configuration with the host in it, for a shell.
 * @throws ConnectError if a name would be more than a word there (OpenSSH refuses the same: ssh.c, valid_hostname).
 */
export function expandCommand(command: string, tokens: Tokens): string {
  return command.replace(/%([%dhinpru])/g, (_, letter: string) => {
    const value = valueOf(letter, tokens);
    if (letter === "%" || /^[^-\s'"`$\\;&<>|(){}*?#!][^\s'"`$\\;&<>|(){}*?#!]*$/.test(value))
      return value;
    throw new ConnectError(
      tokens.name,
      `expected a plain word for %${letter} of ProxyCommand, got ${JSON.stringify(value)}.`,
      "Mend the name in pgherd:hosts or in the SSH configuration.",
    );
  });
}

function valueOf(letter: string, { name, address, port, user }: Tokens): string {
  const own = userInfo();
  const values: { readonly [letter: string]: string } = {
    "%": "%",
    d: own.homedir,
    h: address,
    i: String(own.uid),
    n: name,
    p: String(port),
    r: user,
    u: own.username,
  };
  return values[letter] ?? "";
}
