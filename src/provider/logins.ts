import { filesProbe } from "../facts/files";
import { hostKeysProbe, userLoginsProbe, type UserLogins } from "../facts/logins";
import { changedFiles, removeFiles, writeFiles } from "../operations/files";
import {
  clientConfig,
  guestLine,
  guestLines,
  knownHosts,
  makeKey,
  setGuests,
  writeClient,
} from "../operations/logins";
import type { FileInput } from "../resources/inputs/files";
import type { LinkInput, LoginsInputs } from "../resources/inputs/logins";
import type { Context } from "./context";
import { foundFiles } from "./host-base";
import type { ResourceType } from "./resource";

export const logins: ResourceType<LoginsInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/logins`,
  brief: ({ links, files }) => ({
    links: links.map(
      ({ from, fromUser, to, toUser, command }) =>
        `${fromUser}@${from} → ${toUser}@${to}: ${command}`,
    ),
    files: Object.fromEntries(
      Object.entries(files).map(([host, own]) => [host, Object.keys(own).join(", ")]),
    ),
  }),

  /** First all keys, then what follows from them. */
  async apply(context, _urn, inputs) {
    await Promise.all(
      Object.entries(inputs.files).map(([host, files]) => putFiles(context, host, files)),
    );
    let found = await look(context, inputs);
    const without = users(inputs).filter(
      ({ host, user, calls }) => calls && found.users[label(host, user)]?.key === "",
    );
    if (without.length > 0) {
      await Promise.all(
        without.map(({ host, user }) => context.host(host).change("making a key", makeKey(user))),
      );
      found = await look(context, inputs);
    }
    await Promise.all(users(inputs).map((one) => settle(context, inputs, found, one)));
    return state(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return state(inputs, await look(context, inputs));
  },

  /** Nobody is let in any more. Keys stay: they open nothing. */
  async delete(context, _urn, inputs) {
    const found = await look(context, inputs);
    await Promise.all(
      users(inputs).map(async ({ host, user }) => {
        const there = found.users[label(host, user)] as UserLogins;
        if (guestLines(inputs.cluster, there.authorized).length === 0) return;
        await context
          .host(host)
          .change("letting nobody in", setGuests(user, inputs.cluster, there, []));
      }),
    );
    await Promise.all(
      Object.keys(inputs.files).map(async (host) => {
        const unused = unusedFiles(inputs, found, host);
        if (unused.length > 0) {
          await context.host(host).change("removing files", removeFiles(unused));
        }
      }),
    );
  },
};

/** Files that no guest of another cluster is let in for: a backup host may be read by several. */
function unusedFiles({ cluster, files }: LoginsInputs, found: Found, host: string): string[] {
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

interface User {
  readonly host: string;
  readonly user: string;
  /** Whether it logs in elsewhere. */
  readonly calls: boolean;
}

function label(host: string, user: string): string {
  return `${user}@${host}`;
}

/** Everyone who logs in, or is logged in as. */
function users({ links }: LoginsInputs): User[] {
  const found = new Map<string, User>();
  for (const { from, fromUser, to, toUser } of links) {
    found.set(label(from, fromUser), { host: from, user: fromUser, calls: true });
    const guest = label(to, toUser);
    if (!found.has(guest)) found.set(guest, { host: to, user: toUser, calls: false });
  }
  return [...found.values()];
}

interface Found {
  /** By `user@host`. */
  readonly users: { readonly [label: string]: UserLogins };
  readonly hostKeys: { readonly [host: string]: readonly string[] };
  readonly files: { readonly [host: string]: { readonly [path: string]: FileInput } };
}

async function look(context: Context, inputs: LoginsInputs): Promise<Found> {
  const targets = [...new Set(inputs.links.map(({ to }) => to))];
  const all = async <K, T>(of: readonly K[], one: (item: K) => Promise<[string, T]>) =>
    Object.fromEntries(await Promise.all(of.map(one)));
  const [seen, hostKeys, files] = await Promise.all([
    all(users(inputs), async ({ host, user }): Promise<[string, UserLogins]> => [
      label(host, user),
      await context.host(host).observe(userLoginsProbe(user)),
    ]),
    all(targets, async (host): Promise<[string, string[]]> => [
      host,
      await context.host(host).observe(hostKeysProbe()),
    ]),
    all(Object.keys(inputs.files), async (host): Promise<[string, Found["files"][string]]> => {
      const paths = Object.keys(inputs.files[host] ?? {});
      return [host, foundFiles(paths, await context.host(host).observe(filesProbe(paths)))];
    }),
  ]);
  return { users: seen, hostKeys, files };
}

/** Everything of one user, changed only where it differs. */
async function settle(
  context: Context,
  inputs: LoginsInputs,
  found: Found,
  { host, user }: User,
): Promise<void> {
  const there = found.users[label(host, user)] as UserLogins;
  const wanted = wantedOf(inputs, found, host, user);
  const script: string[] = [];
  if (wanted.calls.length > 0 && !callsAreSo(wanted, there)) {
    script.push(writeClient(user, wanted.config, wanted.known));
  }
  if (!guestsAreSo(inputs, wanted, there)) {
    script.push(setGuests(user, inputs.cluster, there, wanted.guests));
  }
  if (script.length === 0) return;
  await context.host(host).change("arranging logins", script.join("\n"));
}

interface Wanted {
  readonly calls: readonly LinkInput[];
  readonly config: string;
  readonly known: string;
  readonly guests: readonly string[];
}

function wantedOf(inputs: LoginsInputs, found: Found, host: string, user: string): Wanted {
  const calls = inputs.links.filter((link) => link.from === host && link.fromUser === user);
  const guests = inputs.links.filter((link) => link.to === host && link.toUser === user);
  return {
    calls,
    config: clientConfig(user, calls),
    known: knownHosts(calls, found.hostKeys),
    guests: guests.map((link) =>
      guestLine(inputs.cluster, link, found.users[label(link.from, link.fromUser)]?.key ?? ""),
    ),
  };
}

function callsAreSo({ config, known }: Wanted, there: UserLogins): boolean {
  return there.config === config && there.knownHosts === known;
}

function guestsAreSo({ cluster }: LoginsInputs, { guests }: Wanted, there: UserLogins): boolean {
  return guestLines(cluster, there.authorized).join("\n") === guests.join("\n");
}

/** The links that hold from end to end. */
function state(inputs: LoginsInputs, found: Found): LoginsInputs {
  return {
    cluster: inputs.cluster,
    links: inputs.links.filter((link) => {
      const caller = found.users[label(link.from, link.fromUser)] as UserLogins;
      const guest = found.users[label(link.to, link.toUser)] as UserLogins;
      return (
        caller.key !== "" &&
        callsAreSo(wantedOf(inputs, found, link.from, link.fromUser), caller) &&
        guest.authorized.includes(guestLine(inputs.cluster, link, caller.key)) &&
        guestsAreSo(inputs, wantedOf(inputs, found, link.to, link.toUser), guest)
      );
    }),
    files: found.files,
  };
}

async function putFiles(
  context: Context,
  host: string,
  files: { readonly [path: string]: FileInput },
): Promise<void> {
  const there = await context.host(host).observe(filesProbe(Object.keys(files)));
  const changed = changedFiles(files, there);
  if (changed.length === 0) return;
  await context
    .host(host)
    .change(
      "writing files",
      writeFiles(Object.fromEntries(changed.map((path) => [path, files[path] as FileInput]))),
    );
}
