import { PgherdError } from "../../errors";
import { dcsAt } from "../../dcs/dcs";
import { claimDatabase } from "../../dcs/patroni";
import { keptSourceProbe } from "../facts/adoption";
import { parseRules } from "../../facts/loaded-rules";
import { unitProbe } from "../../facts/systemd";
import { createRoles, keepOriginal, maskServer, tryRules } from "../operations/adoption";
import { setAsideCopy } from "../operations/left-copy";
import type { AdoptionInputs } from "../inputs/adoption";
import { lostRules } from "../../provider/carried-rules";
import type { Context } from "../../provider/context";
import { ownProblems } from "./migrated-start";
import type { ResourceType } from "../../provider/resource";
import { migratedTrial, migratedWords, triedOn } from "../../provider/trial";
import { patroni } from "../../roles/patroni";

/** The server made ready to be taken over. It goes on all the time; what it was is kept before the first change. */
export const adoption: ResourceType<AdoptionInputs> = {
  identity: ["cluster", "host"],
  derived: ["source"],
  judged: ["parameters"],
  id: ({ cluster, host }) => `${cluster}/${host}/adoption`,

  async apply(context, urn, inputs) {
    const { source, cluster } = inputs;
    const host = context.host(inputs.host);
    const { active } = await host.observe(unitProbe(patroni.unit));
    if (active !== "active") {
      context.progress(urn, "trying PostgreSQL's settings on all members");
      await demandStart(context, inputs);
    }
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
          context
            .host(name)
            .change("setting aside an older copy", setAsideCopy(dataDirectory, source)),
        ),
      );
      await tried(context, inputs);
      context.progress(urn, "creating the roles that Patroni connects with");
      const script = [
        createRoles(inputs),
        claimDatabase(dcsAt(inputs), cluster, source.systemIdentifier),
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

/**
 * The members that get copies have their packages by now; the server itself may have changed since the preview.
 * @throws PgherdError if a server would not start as it will have to.
 */
async function demandStart(context: Context, inputs: AdoptionInputs): Promise<void> {
  const { host, source, superuser, others, parameters } = inputs;
  // Without its environment a trial tells nothing for sure; the preview has told of it.
  if (!parameters || source.environmentFile) return;
  const trial = migratedTrial(source, parameters);
  const copies = Object.entries(others).map(([name, dataDirectory]) =>
    triedOn(
      context,
      name,
      { ...trial, dataDirectory, dataComes: true, binDirectory: undefined },
      WORDS,
    ),
  );
  const reasons = await Promise.all([
    ownProblems(context, { host, source, superuser }, GOES_ON),
    triedOn(context, host, trial, WORDS),
    ...copies,
  ]);
  if (reasons.flat().length > 0) throw new PgherdError(reasons.flat().join("\n"));
}

const GOES_ON = "The server goes on as it is.";
const WORDS = migratedWords(GOES_ON);

/** @throws PgherdError if the server would understand the lines that Patroni writes otherwise than its own. */
async function tried(context: Context, { host, source, superuser, hba }: AdoptionInputs) {
  if (!hba || !source.hbaRows) return;
  const script = tryRules(source, superuser, hba);
  const found = await context.host(host).change("trying the lines of pg_hba.conf", script);
  const lost = lostRules(source, parseRules(found));
  if (lost) {
    throw new PgherdError(
      `${host}: ${lost}.`,
      "Nothing has changed: the server has its own file. Mend pgherd:cluster.postgresql.pgHba, or that line there.",
    );
  }
}

/** `masked` if nothing of the distribution starts the server any more. */
async function unitState(context: Context, { host, source }: AdoptionInputs): Promise<string> {
  if (source.unit === "") return "masked";
  const { enabled } = await context.host(host).observe(unitProbe(source.unit));
  return enabled === "masked" ? "masked" : enabled || "absent";
}
