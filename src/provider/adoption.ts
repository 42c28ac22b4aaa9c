import { PgherdError } from "../errors";
import { keptSourceProbe } from "../facts/adoption";
import { unitProbe } from "../facts/systemd";
import {
  claimDatabase,
  createRoles,
  keepOriginal,
  maskServer,
  setAsideCopy,
} from "../operations/adoption";
import type { AdoptionInputs } from "../resources/inputs";
import type { Context } from "./context";
import type { ResourceType } from "./resource";

/** The server made ready to be taken over. It goes on all the time; what it was is kept before the first change. */
export const adoption: ResourceType<AdoptionInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/adoption`,

  async apply(context, urn, inputs) {
    const { source, cluster, endpoints } = inputs;
    const host = context.host(inputs.host);
    const { active } = await host.observe(unitProbe("patroni.service"));
    const kept = await host.observe(keptSourceProbe);
    if (!kept) {
      context.progress(urn, "keeping the configuration as it is");
      await host.change("keeping the configuration", keepOriginal(source));
    } else if (kept.systemIdentifier !== source.systemIdentifier) {
      throw new PgherdError(
        `${inputs.host}: expected the server whose configuration was kept, ${kept.systemIdentifier}, got ${source.systemIdentifier}.`,
        "If the old one is gone for good, move /var/lib/pgherd/migration away there.",
      );
    }
    if (active !== "active") {
      await Promise.all(
        Object.entries(inputs.others).map(([name, dataDirectory]) =>
          context.host(name).change("setting aside an older copy", setAsideCopy(dataDirectory)),
        ),
      );
      context.progress(urn, "creating the roles that Patroni connects with");
      const script = [
        createRoles(inputs),
        claimDatabase(endpoints, cluster, source.systemIdentifier),
      ];
      await host.change("preparing the server", script.join("\n"));
    }
    await host.change("masking the server's unit", maskServer(source));
    return { ...inputs, unit: await unitState(context, inputs) };
  },

  async read(context, inputs, known) {
    return { ...known, unit: await unitState(context, inputs) };
  },

  async foresee() {
    return ["the server goes on; it can no longer be started beside Patroni"];
  },

  /** The way back is `rollback`: without it everything stays as it is, as with all data. */
  async delete() {},
};

/** `masked` if nothing of the distribution starts the server any more. */
async function unitState(context: Context, { host, source }: AdoptionInputs): Promise<string> {
  if (source.unit === "") return "masked";
  const { enabled } = await context.host(host).observe(unitProbe(source.unit));
  return enabled === "masked" ? "masked" : enabled || "absent";
}
