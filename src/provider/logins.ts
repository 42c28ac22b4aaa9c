import { filesProbe } from "../facts/files";
import { hostKeysProbe, userLoginsProbe, type UserLogins } from "../facts/logins";
import { removeFiles } from "../operations/files";
import {
  labelOf,
  linksThatHold,
  loginChanges,
  loginUsers,
  thereOf,
  unusedFiles,
  usersWithGuests,
  withoutKey,
  type FoundLogins,
  type LoginChange,
} from "../operations/login-changes";
import { makeKey, setGuests, writeClient } from "../operations/logins";
import type { LoginsInputs } from "../resources/inputs/logins";
import type { Context } from "./context";
import { foundFiles } from "./host-base";
import { putFiles } from "./put-files";
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
      Object.entries(inputs.files).map(([host, files]) =>
        putFiles(context.host(host), files, "writing files"),
      ),
    );
    let found = await look(context, inputs);
    const without = withoutKey(inputs, found);
    if (without.length > 0) {
      await Promise.all(
        without.map(({ host, user }) => context.host(host).change("making a key", makeKey(user))),
      );
      found = await look(context, inputs);
    }
    const seen = found;
    await Promise.all(
      loginChanges(inputs, seen).map((change) =>
        context.host(change.host).change("arranging logins", scriptOf(inputs, seen, change)),
      ),
    );
    return state(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return state(inputs, await look(context, inputs));
  },

  /** Nobody is let in any more. Keys stay: they open nothing. */
  async delete(context, _urn, inputs) {
    const found = await look(context, inputs);
    await Promise.all(
      usersWithGuests(inputs, found).map((one) =>
        context
          .host(one.host)
          .change(
            "letting nobody in",
            setGuests(one.user, inputs.cluster, thereOf(found, one), []),
          ),
      ),
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

async function look(context: Context, inputs: LoginsInputs): Promise<FoundLogins> {
  const targets = [...new Set(inputs.links.map(({ to }) => to))];
  const all = async <K, T>(of: readonly K[], one: (item: K) => Promise<[string, T]>) =>
    Object.fromEntries(await Promise.all(of.map(one)));
  const [users, hostKeys, files] = await Promise.all([
    all(loginUsers(inputs), async (one): Promise<[string, UserLogins]> => [
      labelOf(one),
      await context.host(one.host).observe(userLoginsProbe(one.user)),
    ]),
    all(targets, async (host): Promise<[string, string[]]> => [
      host,
      await context.host(host).observe(hostKeysProbe()),
    ]),
    all(
      Object.keys(inputs.files),
      async (host): Promise<[string, FoundLogins["files"][string]]> => {
        const paths = Object.keys(inputs.files[host] ?? {});
        return [host, foundFiles(paths, await context.host(host).observe(filesProbe(paths)))];
      },
    ),
  ]);
  return { users, hostKeys, files };
}

function scriptOf({ cluster }: LoginsInputs, found: FoundLogins, change: LoginChange): string {
  const { user, client, guests } = change;
  return [
    ...(client ? [writeClient(user, client.config, client.known)] : []),
    ...(guests ? [setGuests(user, cluster, thereOf(found, change), guests)] : []),
  ].join("\n");
}

function state(inputs: LoginsInputs, found: FoundLogins): LoginsInputs {
  return { cluster: inputs.cluster, links: linksThatHold(inputs, found), files: found.files };
}
