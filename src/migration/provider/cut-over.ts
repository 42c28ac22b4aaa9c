import { directClientsProbe } from "../facts/adoption";
import type { Client } from "../facts/source";
import type { CutOverInputs } from "../inputs/adoption";
import type { ResourceType } from "../../provider/resource";
import { waitFor } from "../../operations/wait";

/** The clients moved: nobody uses the server's own address any more, which the firewall closes after this. */
export const cutOver: ResourceType<CutOverInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/cut-over`,

  async apply(context, urn, inputs) {
    const { host, port, own, roles, wait } = inputs;
    await waitFor<true>(
      async () => {
        const left = await context.host(host).observe(directClientsProbe(port, own, roles));
        return left.length === 0 ? { done: true } : { missing: left.map(describe).join("; ") };
      },
      {
        expected: `no client on ${host} itself`,
        seconds: wait,
        next:
          "move these to the entry point (`pulumi stack output connection`), or end them, and run the same again; " +
          "`pgherd migration status` lists who is left. pgherd:cluster.migration.wait is how long to wait for them.",
        progress: (message) => context.progress(urn, message),
      },
    );
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

function describe({ user, database, address, sessions }: Client): string {
  return `${user} in ${database} from ${address || "the host itself"} (${sessions})`;
}
