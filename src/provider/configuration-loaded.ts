import { loadedProbe, type LoadedFiles } from "../facts/loaded";
import { settingsProbe, type RunningSettings } from "../facts/settings";
import { brokenPromises, describeShutOut, loadErrors } from "../operations/loaded";
import { reloadMember } from "../operations/patroni";
import {
  needsRestart,
  notLoaded,
  overridden,
  resetSettings,
  wantedSettings,
  type WantedSettings,
} from "../operations/settings";
import { sameValue, type Value } from "../rpc/values";
import type { PatroniClusterInputs, UpdateReportInputs } from "../resources/inputs/patroni-cluster";
import { askServers, statusesOf } from "./cluster-view";
import type { Context } from "./context";
import { demandLoaded } from "./loaded";
import { Closed, shutOut } from "./shut-out";
import { waitFor } from "../operations/wait";
import { journalctl } from "../roles/journal";

/** Whom to ask, and what must have been loaded. */
type Asked = Pick<UpdateReportInputs, "members" | "port" | "configuration">;

const GOES_ON = "It goes on with what it has loaded before, but would not start again.";

/** Patroni writes all files anew in its next round once it is told to. */
const REWRITTEN_MS = 40_000;

/** A server reads what Patroni has just written within a second or two; files that still lack it later Patroni has not written. */
const READ_MS = 15_000;

/** Members look into the DCS once a round (loop_wait, at most some tens of seconds), and PostgreSQL then at its files. */
const LOADED_SECONDS = 180;

/**
 * Waits until every member has loaded the dynamic configuration, as PostgreSQL itself tells, and knows whether it needs
 * a restart. What somebody has set by ALTER SYSTEM instead is taken back.
 * @param known what was recorded last: where nothing has changed since, no round of Patroni is waited for.
 */
export async function configurationLoaded(
  context: Context,
  urn: string,
  inputs: PatroniClusterInputs,
  known: PatroniClusterInputs | undefined,
): Promise<void> {
  const wanted = wantedSettings(inputs.configuration);
  const before = await statusesOf(context, inputs);
  const told = new Set<string>();
  const rewritten = new Map<string, number>();
  const lacking = new Map<string, number>();
  const closed = new Closed();
  const changed =
    known !== undefined &&
    (known.filesHash !== inputs.filesHash ||
      !sameValue(known.configuration as Value, inputs.configuration as Value));
  await waitFor<true>(
    async () => {
      const [statuses, settings, files] = await Promise.all([
        statusesOf(context, inputs),
        settingsOf(context, inputs),
        filesOf(context, inputs),
      ]);
      for (const [name, running] of Object.entries(settings)) {
        if (!running)
          return (
            (await closed.see(context, inputs)) ?? {
              missing: `PostgreSQL on ${name} takes no connections`,
            }
          );
        const status = statuses[name];
        if (changed && (status?.dcsLastSeen ?? 0) <= (before[name]?.dcsLastSeen ?? 0)) {
          return { missing: `${name} has not looked into the DCS since` };
        }
        const problem = files[name] && notRead(name, files[name], wanted);
        if (problem) {
          const since = rewritten.get(name);
          if (since === undefined) await rewrite(context, name, inputs.members[name] ?? "");
          rewritten.set(name, since ?? Date.now());
          if (since !== undefined && Date.now() - since > REWRITTEN_MS)
            demandLoaded([problem], GOES_ON);
          return { missing: problem };
        }
        await takeBack(context, inputs.port, name, overridden(wanted, running));
        const [first] = Object.entries(notLoaded(wanted, running));
        if (first) {
          const [setting, value] = first;
          const since = lacking.get(name) ?? Date.now();
          lacking.set(name, since);
          // Patroni compares with what it has written before, not with what has become of the file.
          if (Date.now() - since > READ_MS && !rewritten.has(name)) {
            await rewrite(context, name, inputs.members[name] ?? "");
            rewritten.set(name, Date.now());
          }
          return { missing: `${setting} is ${value} on ${name}, not ${wanted[setting]}` };
        }
        if (needsRestart(wanted, running) && !status?.pendingRestart) {
          if (!told.has(name)) await compare(context, name, inputs.members[name] ?? "");
          told.add(name);
          return { missing: `Patroni on ${name} does not ask for a restart yet` };
        }
      }
      return { done: true };
    },
    {
      expected: "all members to load the configuration",
      seconds: LOADED_SECONDS,
      next: `${journalctl("patroni")} on the member, and PostgreSQL's own log there.`,
      progress: (message) => context.progress(urn, message),
    },
  );
}

/**
 * What a server has not read of its files, which somebody may have written beside Patroni; nothing if it has.
 * @throws HealthError for a wanted setting that it cannot load: Patroni would write the same again.
 */
function notRead(member: string, found: LoadedFiles, wanted: WantedSettings): string | undefined {
  const own = found.errors.filter(({ name }) => name !== null && wanted[name.toLowerCase()]);
  demandLoaded(loadErrors(member, { errors: own }), GOES_ON);
  const [error] = loadErrors(member, found);
  if (error || found.isRead) return error;
  return `${member}: PostgreSQL has not read its pg_hba.conf since it was written`;
}

async function rewrite(context: Context, member: string, endpoint: string): Promise<void> {
  await context
    .host(member)
    .change("having Patroni write PostgreSQL's files", reloadMember(endpoint));
}

/**
 * Has Patroni compare PostgreSQL with what it wants. Of a server that it has taken over Patroni 3.0 does so only when it
 * is told to (patroni/postgresql/config.py, reload_config), not when it begins.
 */
async function compare(context: Context, member: string, endpoint: string): Promise<void> {
  await context.host(member).change("having Patroni compare settings", reloadMember(endpoint));
}

/**
 * Takes back what ALTER SYSTEM has set against a promise of every stack. First of all: commits of what follows could wait for
 * somebody who is not there.
 */
export async function keepPromises(context: Context, inputs: Asked): Promise<void> {
  for (const [name, found] of Object.entries(await filesOf(context, inputs))) {
    const broken = found ? Object.keys(brokenPromises(found)) : [];
    await takeBack(context, inputs.port, name, broken);
  }
}

/** What the members have not loaded, or could not, of their files; a server that lets nobody in tells why. */
export async function unloaded(context: Context, inputs: Asked): Promise<string[]> {
  const files = Object.entries(await filesOf(context, inputs));
  const shut = files.some(([, found]) => !found) ? await shutOut(context, inputs) : {};
  return [
    ...files.flatMap(([name, found]) => (found && notRead(name, found, {})) ?? []),
    ...Object.entries(shut).map(([name, reason]) => describeShutOut(name, reason)),
  ];
}

async function takeBack(
  context: Context,
  port: number,
  member: string,
  settings: readonly string[],
): Promise<void> {
  if (settings.length === 0) return;
  await context
    .host(member)
    .change(`taking back ALTER SYSTEM (${settings.join(", ")})`, resetSettings(port, settings));
}

/** The configuration as the members have it: a setting that one of them has not loaded says so. */
export async function foundConfiguration(
  context: Context,
  inputs: Asked,
): Promise<Asked["configuration"]> {
  const wanted = wantedSettings(inputs.configuration);
  const others: { [name: string]: string } = {};
  for (const [member, found] of Object.entries(await filesOf(context, inputs))) {
    for (const [name, value] of Object.entries(found ? brokenPromises(found) : {})) {
      others[name] = `${value} by ALTER SYSTEM on ${member}`;
    }
  }
  for (const [member, running] of Object.entries(await settingsOf(context, inputs))) {
    for (const [name, value] of Object.entries(running ? notLoaded(wanted, running) : {})) {
      others[name] = `${value} on ${member}`;
    }
  }
  if (Object.keys(others).length === 0) return inputs.configuration;
  const postgresql = inputs.configuration.postgresql as { readonly parameters: object };
  return {
    ...inputs.configuration,
    postgresql: { ...postgresql, parameters: { ...postgresql.parameters, ...others } },
  };
}

/** The settings of all members on which PostgreSQL runs; nothing of one that takes no connections at the moment. */
function settingsOf(
  context: Context,
  inputs: Asked,
): Promise<{ [member: string]: RunningSettings | undefined }> {
  return askServers(context, inputs, settingsProbe(inputs.port));
}

/** What they have made of their files. */
function filesOf(
  context: Context,
  inputs: Asked,
): Promise<{ [member: string]: LoadedFiles | undefined }> {
  return askServers(context, inputs, loadedProbe(inputs.port));
}
