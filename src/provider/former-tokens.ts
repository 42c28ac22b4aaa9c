import { dcsOf, type DcsSecrets, type FormerToken } from "../dcs/dcs";
import { waitFor } from "../operations/wait";
import type { FormerTokensInputs } from "../resources/inputs/dcs-cluster";
import { journalctl } from "../roles/journal";
import { statusesOf } from "./cluster-view";
import type { Context } from "./context";
import type { ResourceType } from "./resource";

/** A token that has just been made is known everywhere within seconds. */
const KNOWN_SECONDS = 90;

/** Patroni reads its files at the beginning of a round, which takes as long as its loop_wait, and longer where it is busy. */
const READ_SECONDS = 180;

export const formerTokens: ResourceType<FormerTokensInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/former-tokens`,

  async apply(context, urn, inputs) {
    const { kind, secrets, unit } = dcsOf(inputs);
    if (!secrets) return inputs;
    const progress = (message: string) => context.progress(urn, message);
    const { former, host } = await waitFor<Found>(
      async () => {
        const found = await look(context, inputs, secrets);
        return found ? { done: found } : { missing: "it knows some of them not" };
      },
      {
        expected: `${kind} to know the present tokens`,
        ...{ seconds: KNOWN_SECONDS, next: `journalctl -u ${unit} -n 50 on its hosts.`, progress },
      },
    );
    if (former.length === 0) return { ...inputs, left: [] };
    await untilReadAgain(context, urn, inputs);
    progress(`deleting tokens of before in ${kind}`);
    await context.host(host).change(`deleting tokens of before in ${kind}`, secrets.drop(former));
    const left = (await look(context, inputs, secrets))?.former ?? [];
    return { ...inputs, left: namesOf(left) };
  },

  async foresee(_context, inputs, { left, tokens }) {
    const { kind } = dcsOf(inputs);
    const renewed = Object.keys(inputs.tokens).filter(
      (name) => Object.hasOwn(tokens, name) && tokens[name] !== inputs.tokens[name],
    );
    const names = [...new Set([...left, ...renewed])].sort();
    return names.length === 0
      ? []
      : [
          `${kind} lets nobody in by what ${names.join(", ")} was before, once all have the present one`,
        ];
  },

  async read(context, inputs, known) {
    const { secrets } = dcsOf(inputs);
    const found = secrets && (await look(context, inputs, secrets));
    // Where it cannot be told, what is missing shows by those who use it.
    return { ...inputs, left: found ? namesOf(found.former) : known.left };
  },

  async delete() {},
};

interface Found {
  readonly former: readonly FormerToken[];
  readonly host: string;
}

/** What the first of those who vote tells that knows; nothing where none does. */
async function look(
  context: Context,
  { members, tokens }: FormerTokensInputs,
  secrets: DcsSecrets,
): Promise<Found | undefined> {
  for (const host of Object.keys(members)) {
    const former = await context.host(host).observe(secrets.formerProbe(Object.keys(tokens)));
    if (former) return { former, host };
  }
  return undefined;
}

function namesOf(former: readonly FormerToken[]): string[] {
  return [...new Set(former.map(({ name }) => name))].sort();
}

/**
 * Waits until each Patroni that answers has begun a round since: the one it is in may have begun with its old files. One that
 * does not answer reads them when it starts.
 */
async function untilReadAgain(
  context: Context,
  urn: string,
  { patroni: members }: FormerTokensInputs,
): Promise<void> {
  const rounds = new Map<string, Set<number>>();
  await waitFor<true>(
    async () => {
      const statuses = await statusesOf(context, { members });
      const behind = Object.entries(statuses).filter(([name, status]) => {
        const seen = rounds.get(name) ?? new Set<number>();
        rounds.set(name, status ? seen.add(status.dcsLastSeen) : seen);
        // As it was, at the end of that round, and in the one after it.
        return status && seen.size < 3;
      });
      const names = behind.map(([name]) => name).join(", ");
      return names === "" ? { done: true } : { missing: `${names} may not have read them yet` };
    },
    {
      expected: "Patroni to have read its files again, before the tokens of before go",
      seconds: READ_SECONDS,
      next: `${journalctl("patroni")} on the hosts named.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}
