import { PgherdError } from "../../errors";
import { keptSourceProbe, runsByItself, serverUnitProbe } from "../facts/adoption";
import { changedFilesProbe, INCLUDED } from "../facts/included-files";
import { ORIGINAL } from "../facts/source";
import { dcsAt } from "../../dcs/dcs";
import { patroniKey } from "../../dcs/patroni";
import { describeMembers } from "../../facts/patroni";
import { currentSettingsProbe } from "../../facts/settings";
import { unitProbe } from "../../facts/systemd";
import {
  forgetOriginal,
  leaveCluster,
  restoreOriginal,
  startByItself,
} from "../operations/adoption";
import { askDcs } from "../../operations/dcs";
import { openFirewall, removeFirewall } from "../../operations/firewall";
import { patchConfiguration, setPause } from "../../operations/patroni";
import { retireUnit } from "../../operations/units";
import type { RollbackInputs } from "../inputs/adoption";
import type { Source } from "../inputs/source";
import { leaderOf } from "../../facts/member-state";
import { viewOf } from "../../provider/cluster-view";
import type { Context } from "../../provider/context";
import type { ResourceType } from "../../provider/resource";
import { lead, NEXT, STEP_SECONDS } from "./lead-back";
import { hasNeverLed } from "./never-led";
import { words } from "../../host/shell";
import { waitFor } from "../../operations/wait";
import { patroni } from "../../roles/patroni";

const RESTART_SECONDS = 900;

/**
 * The server standing alone again, on the same data with all that was written since, with the configuration and the unit
 * that it had. The other members are taken out of service; their data stays.
 */
export const rollback: ResourceType<RollbackInputs> = {
  identity: ["cluster", "host"],
  id: ({ cluster, host }) => `${cluster}/${host}/rollback`,

  async apply(context, urn, inputs) {
    const host = context.host(inputs.host);
    const source = await host.observe(keptSourceProbe);
    // Nothing was adopted, or all of it has been taken back.
    if (!source) return inputs;
    await lookAtFiles(context, urn, inputs.host, source);
    await host.change(
      "opening the firewall",
      inputs.rules ? openFirewall(inputs.rules) : removeFirewall(),
    );
    context.info(urn, `clients reach ${inputs.host} at its own address again`);
    const others = Object.keys(inputs.members).filter((name) => name !== inputs.host);
    const { active } = await host.observe(unitProbe(patroni.unit));
    const runs = active === "active";
    const leads = runs && !(await hasNeverLed(context, inputs, source));
    if (leads) {
      await lead(context, urn, inputs);
      await waitForNobody(context, urn, inputs);
    }
    context.progress(urn, `taking ${others.join(", ")} out of service`);
    await Promise.all(others.map((name) => retire(context, name)));
    if (runs) await pause(context, urn, inputs, leads);
    // One that has failed is tried again by systemd, or at the next boot.
    await retire(context, inputs.host);
    context.progress(urn, "putting the configuration back");
    await host.change("putting the configuration back", restoreOriginal(source));
    await host.change(
      "leaving the cluster",
      leaveCluster(source, inputs.superuser, inputs.roles, inputs.slots),
    );
    await startAgain(context, urn, inputs, source);
    await resume(context, inputs);
    await host.change("ending the rollback", forgetOriginal());
    context.info(urn, `PostgreSQL on ${inputs.host} stands alone again, as before the migration`);
    return inputs;
  },

  async read(_context, _inputs, known) {
    return known;
  },

  async delete() {},
};

/**
 * What the server reads from elsewhere others may read too: it is theirs to put back.
 * @throws PgherdError if the server would not start for its want.
 */
async function lookAtFiles(context: Context, urn: string, host: string, { files }: Source) {
  if (!files) return;
  const { changed, gone } = await context.host(host).observe(changedFilesProbe);
  if (gone.length > 0) {
    throw new PgherdError(
      `${host}: expected postgres to read the files that the server's settings come from, found it cannot read ${gone.join(", ")}.`,
      `Nothing has changed yet. Put them back there, tar -C / -xpf ${INCLUDED} ${words(gone.map((file) => file.slice(1)))}, and run the same again.`,
    );
  }
  if (changed.length > 0) {
    context.warn(
      urn,
      `${host}: changed since the migration began, and left so, since they lie outside its own directory: ${changed.join(", ")}. ` +
        `As before: ${INCLUDED.replace(ORIGINAL, `${ORIGINAL}.rolled-back-…`)}`,
    );
  }
}

/** Ends synchronous replication, so that no commit waits for a replica that is about to go. */
async function waitForNobody(context: Context, urn: string, inputs: RollbackInputs): Promise<void> {
  const host = context.host(inputs.host);
  const changes = { synchronous_mode: false, synchronous_mode_strict: false };
  await host.change(
    "ending synchronous replication",
    patchConfiguration(inputs.members[inputs.host] ?? "", changes),
  );
  const name = "synchronous_standby_names";
  await waitFor<true>(
    async () => {
      const found = (await host.observe(currentSettingsProbe(inputs.port, [name])))[name];
      return found === "" ? { done: true } : { missing: `${name} is ${found}` };
    },
    {
      expected: "commits to wait for no replica",
      seconds: STEP_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** A paused Patroni leaves PostgreSQL running when it ends (docs/pause.rst). @param leads whether it leads the server. */
async function pause(
  context: Context,
  urn: string,
  inputs: RollbackInputs,
  leads: boolean,
): Promise<void> {
  const host = context.host(inputs.host);
  const endpoint = inputs.members[inputs.host] ?? "";
  await host.change("pausing Patroni", setPause(endpoint, true));
  await waitFor<true>(
    async () => {
      const view = await viewOf(context, { members: { [inputs.host]: endpoint } });
      if (!view?.paused) return { missing: "it is not yet" };
      if (leads && leaderOf(view) !== inputs.host) {
        throw new PgherdError(
          `${inputs.host}: expected it to lead when the cluster is paused, found ${describeMembers(view)}.`,
          "Nothing of the old configuration was put back; run the same again.",
        );
      }
      return { done: true };
    },
    {
      expected: "Patroni to be paused",
      seconds: STEP_SECONDS,
      next: NEXT,
      progress: (message) => context.progress(urn, message),
    },
  );
}

async function retire(context: Context, name: string): Promise<void> {
  await context.host(name).change("stopping Patroni", retireUnit(patroni.unit));
}

/** One restart gives a server its own settings back that Patroni has started. */
async function startAgain(
  context: Context,
  urn: string,
  inputs: RollbackInputs,
  source: Source,
): Promise<void> {
  const host = context.host(inputs.host);
  const unit = await host.observe(serverUnitProbe(source.dataDirectory));
  if (runsByItself(source, unit)) return;
  context.info(urn, `restarting PostgreSQL on ${inputs.host} by ${source.unit || "hand"}`);
  await host.change("restarting PostgreSQL", startByItself(source, inputs.superuser), {
    timeoutSeconds: RESTART_SECONDS,
  });
}

/** A migration that starts again must not find Patroni paused. */
async function resume(context: Context, inputs: RollbackInputs): Promise<void> {
  const { host, members, cluster } = inputs;
  const hosts = [host, ...Object.keys(members)];
  const dcs = dcsAt(inputs);
  const key = patroniKey(cluster, "config");
  const found = await askDcs(context, hosts, (one) => one.observe(dcs.keyProbe(key)));
  if (!found) return;
  const { pause: paused, ...rest } = JSON.parse(found.value) as { pause?: unknown };
  if (paused === undefined) return;
  const script = dcs.changeKey(key, JSON.stringify(rest), found.revision);
  await askDcs(context, hosts, (one) => one.change("ending the pause", script));
}
