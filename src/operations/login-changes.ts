import type { UserLogins } from "../facts/logins";
import type { FileInput } from "../resources/inputs/files";
import type { LinkInput, LoginsInputs } from "../resources/inputs/logins";
import { clientConfig, guestLine, guestLines, knownHosts } from "./logins";

// Who has to be let in where, and what of it is so already. Pure: what was found in, what to change out.

/** A user of a host who logs in elsewhere, or is logged in as. */
interface LoginUser {
  readonly host: string;
  readonly user: string;
  /** Whether it logs in elsewhere. */
  readonly calls: boolean;
}

/** What was found on all hosts. */
export interface FoundLogins {
  /** By `user@host`. */
  readonly users: { readonly [label: string]: UserLogins };
  readonly hostKeys: { readonly [host: string]: readonly string[] };
  readonly files: { readonly [host: string]: { readonly [path: string]: FileInput } };
}

/** What of one user is not as it is wanted; without a part, that part is. */
export interface LoginChange extends LoginUser {
  /** Settings and known hosts, whole. */
  readonly client?: { readonly config: string; readonly known: string };
  /** All lines of the cluster in authorized_keys. */
  readonly guests?: readonly string[];
}

/** How a user is named in `FoundLogins`. */
export function labelOf({ host, user }: Pick<LoginUser, "host" | "user">): string {
  return `${user}@${host}`;
}

/** Everyone who logs in, or is logged in as. */
export function loginUsers({ links }: Pick<LoginsInputs, "links">): LoginUser[] {
  const found = new Map<string, LoginUser>();
  const add = (one: LoginUser) => found.set(labelOf(one), one);
  for (const { from, fromUser, to, toUser } of links) {
    add({ host: from, user: fromUser, calls: true });
    const guest = { host: to, user: toUser, calls: false };
    if (!found.has(labelOf(guest))) add(guest);
  }
  return [...found.values()];
}

/** Those who log in elsewhere and have no key yet. */
export function withoutKey(inputs: LoginsInputs, found: FoundLogins): LoginUser[] {
  return loginUsers(inputs).filter((one) => one.calls && thereOf(found, one).key === "");
}

/** What has to be changed once all have keys; nothing where all is as it is wanted. */
export function loginChanges(inputs: LoginsInputs, found: FoundLogins): LoginChange[] {
  return loginUsers(inputs).flatMap((one): LoginChange[] => {
    const there = thereOf(found, one);
    const wanted = wantedOf(inputs, found, one);
    const calls = wanted.calls.length === 0 || callsAreSo(wanted, there);
    const guests = guestsAreSo(inputs, wanted, there);
    if (calls && guests) return [];
    return [
      {
        ...one,
        ...(!calls && { client: { config: wanted.config, known: wanted.known } }),
        ...(!guests && { guests: wanted.guests }),
      },
    ];
  });
}

/** The links that hold from end to end. */
export function linksThatHold(inputs: LoginsInputs, found: FoundLogins): LinkInput[] {
  return inputs.links.filter((link) => {
    const caller = { host: link.from, user: link.fromUser };
    const guest = { host: link.to, user: link.toUser };
    const { key } = thereOf(found, caller);
    return (
      key !== "" &&
      callsAreSo(wantedOf(inputs, found, caller), thereOf(found, caller)) &&
      thereOf(found, guest).authorized.includes(guestLine(inputs.cluster, link, key)) &&
      guestsAreSo(inputs, wantedOf(inputs, found, guest), thereOf(found, guest))
    );
  });
}

/** Users who still let somebody of the cluster in. */
export function usersWithGuests(inputs: LoginsInputs, found: FoundLogins): LoginUser[] {
  return loginUsers(inputs).filter(
    (one) => guestLines(inputs.cluster, thereOf(found, one).authorized).length > 0,
  );
}

/** Files that no guest of another cluster is let in for: a backup host may be read by several. */
export function unusedFiles(
  { cluster, files }: LoginsInputs,
  found: FoundLogins,
  host: string,
): string[] {
  const others = Object.entries(found.users)
    .filter(([user]) => user.endsWith(`@${host}`))
    .flatMap(([, { authorized }]) => {
      const own = guestLines(cluster, authorized);
      return authorized.filter((line) => !own.includes(line));
    });
  return Object.keys(files[host] ?? {}).filter(
    (path) => !others.some((line) => line.includes(`command="${path} `)),
  );
}

/** What was found of a user, all of whom were looked at. */
export function thereOf(found: FoundLogins, one: Pick<LoginUser, "host" | "user">): UserLogins {
  return found.users[labelOf(one)] as UserLogins;
}

interface Wanted {
  readonly calls: readonly LinkInput[];
  readonly config: string;
  readonly known: string;
  readonly guests: readonly string[];
}

function wantedOf(
  inputs: LoginsInputs,
  found: FoundLogins,
  { host, user }: Pick<LoginUser, "host" | "user">,
): Wanted {
  const calls = inputs.links.filter((link) => link.from === host && link.fromUser === user);
  const guests = inputs.links.filter((link) => link.to === host && link.toUser === user);
  return {
    calls,
    config: clientConfig(user, calls),
    known: knownHosts(calls, found.hostKeys),
    guests: guests.map((link) =>
      guestLine(
        inputs.cluster,
        link,
        found.users[labelOf({ host: link.from, user: link.fromUser })]?.key ?? "",
      ),
    ),
  };
}

function callsAreSo({ config, known }: Wanted, there: UserLogins): boolean {
  return there.config === config && there.knownHosts === known;
}

function guestsAreSo({ cluster }: LoginsInputs, { guests }: Wanted, there: UserLogins): boolean {
  return guestLines(cluster, there.authorized).join("\n") === guests.join("\n");
}
