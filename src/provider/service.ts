import { configurationHash } from "../configuration-hash";
import { CommandError, PgherdError } from "../errors";
import { dcsOf } from "../dcs/dcs";
import { directoriesProbe, filesProbe, type FoundDirectory, type FoundFile } from "../facts/files";
import { unitProbe, type UnitState } from "../facts/systemd";
import { quote } from "../host/shell";
import {
  changedContents,
  changedDirectories,
  changedFiles,
  makeDirectories,
  REFUSED_CODE,
  removeFiles,
  writeFiles,
} from "../operations/files";
import { isUp, retireUnit, runUnit } from "../operations/units";
import { briefDirectories, briefFiles } from "./brief";
import type { Context } from "./context";
import { careForDcs, type DcsCare } from "./dcs-member";
import { serviceName } from "./foresee-services";
import { foundFiles } from "./host-base";
import { isOnItsWay } from "./moving-dcs";
import { demandLoaded, untilLoaded } from "./loaded";
import type { ServiceInputs } from "../resources/inputs/service";
import type { ResourceType } from "./resource";
import { untilUp, withJournal } from "./until-up";
import { MEMBER_FILE } from "../roles/patroni";
import { ROLES, type Role } from "../roles/roles";

interface Learned {
  /** For the DCS: whether the member has ever had data, and so taken part in a cluster. */
  readonly hadLog?: boolean;
}

export const service: ResourceType<ServiceInputs, Learned> = {
  identity: ["cluster", "host", "daemon"],
  id: ({ cluster, host, daemon }) => `${cluster}/${host}/${daemon}`,
  brief: ({ files, directories }) => ({
    files: briefFiles(files),
    directories: briefDirectories(directories),
    // The same of every new one.
    ...{ unit: undefined, etcd: undefined },
  }),

  async apply(context, urn, inputs, known) {
    const role = roleOf(inputs);
    let before: Found | undefined;
    let moves = false;
    await context.oneByOne(await turnOf(context, urn, inputs), async () => {
      let found = await look(context, inputs);
      if (!changes(inputs, role, found)) return;
      if (isUp(found.unit)) before = found;
      moves = isUp(found.unit) && (await goesElsewhere(context, inputs));
      if (moves) {
        const files = writing(inputs, role, found);
        await context.host(inputs.host).change(`writing ${inputs.daemon}'s files`, files);
        return;
      }
      const care = await careFor(context, urn, inputs, found, known?.hadLog);
      // What comes before the change may have stopped the unit.
      if (care?.before) found = await look(context, inputs);
      context.progress(
        urn,
        isUp(found.unit) ? "loading the configuration" : `starting ${role.unit}`,
      );
      const script = `${care?.before ?? ""}\n${changes(inputs, role, found) ?? ""}`;
      try {
        await context.host(inputs.host).change(`setting up ${inputs.daemon}`, script);
        await care?.after();
      } catch (error) {
        const refused = error instanceof CommandError && error.code === REFUSED_CODE;
        throw refused ? error : await withJournal(context, inputs.host, role.unit, error);
      }
    });
    await untilUp(context, urn, inputs, role);
    // It would be told of a DCS that it is not in, and would lose the one that it is in.
    if (moves) return { ...state(inputs, await look(context, inputs), known), unit: inputs.unit };
    if (before && inputs.daemon === "patroni") await demandHba(context, urn, inputs, before);
    return state(inputs, await look(context, inputs), known);
  },

  async read(context, inputs, known) {
    return state(inputs, await look(context, inputs), known);
  },

  async foresee(context, inputs, known) {
    const { effect } = roleOf(inputs);
    const where = serviceName(inputs.daemon, [inputs.host]);
    if (context.told.has(where)) return [];
    if (known.unit.active !== "active") return [`${where} starts`];
    const loads =
      known.unit.configuration !== "loaded" ||
      configurationHash(known.files) !== configurationHash(inputs.files);
    return loads ? [`${where} ${effect}`] : [];
  },

  /** Stops the daemon and removes its files. Its data stays. */
  async delete(context, urn, inputs) {
    const { unit } = roleOf(inputs);
    context.progress(urn, `stopping ${unit}`);
    await context
      .host(inputs.host)
      .change(
        `stopping ${inputs.daemon}`,
        [
          retireUnit(unit),
          ...Object.entries(inputs.files).map(([path, { owner }]) => removeFiles([path], owner)),
          "systemctl daemon-reload",
        ].join("\n"),
      );
  },
};

/** Whether it is a Patroni that goes to another DCS: it loads its files when it begins there (arrive.ts). */
async function goesElsewhere(
  context: Context,
  { cluster, host, move }: ServiceInputs,
): Promise<boolean> {
  return move !== undefined && (await isOnItsWay(context, move.to, cluster, host));
}

interface Found {
  readonly directories: { readonly [path: string]: FoundDirectory };
  readonly files: { readonly [path: string]: FoundFile };
  readonly unit: UnitState;
  readonly hasData: boolean;
}

async function look(context: Context, inputs: ServiceInputs): Promise<Found> {
  const host = context.host(inputs.host);
  const [directories, files, unit, hasData] = await Promise.all([
    host.observe(directoriesProbe(Object.keys(inputs.directories))),
    host.observe(filesProbe(Object.keys(inputs.files), inputs.files)),
    host.observe(unitProbe(roleOf(inputs).unit)),
    inputs.etcd ? host.observe(dcsOf(inputs.etcd).hasDataProbe(inputs.etcd.dataDirectory)) : false,
  ]);
  return { directories, files, unit, hasData };
}

/**
 * In which queue it is changed: members of one cluster that restart at once would take it down. One that only has to be
 * started again waits for nobody, since the others may wait for it.
 */
async function turnOf(context: Context, urn: string, inputs: ServiceInputs): Promise<string> {
  if (roleOf(inputs).loading !== "restart") return urn;
  const { unit, hasData } = await look(context, inputs);
  return hasData && !isUp(unit) ? urn : inputs.daemon;
}

/** What surrounds a change of a daemon whose members hold a majority; nothing for the others. */
async function careFor(
  context: Context,
  urn: string,
  inputs: ServiceInputs,
  found: Found,
  hadData = false,
): Promise<DcsCare | undefined> {
  const { cluster, host, etcd } = inputs;
  if (!etcd) return undefined;
  const restarts = isUp(found.unit) && loadsAnew(inputs, found);
  const files = { wanted: inputs.files, found: found.files };
  return careForDcs(context, urn, etcd, { cluster, host, restarts, hadData, files });
}

/** The script that makes the service as wanted; `undefined` if it is so. */
function changes(inputs: ServiceInputs, role: Role, found: Found): string | undefined {
  const directories = changedDirectories(inputs.directories, found.directories);
  const files = changedFiles(inputs.files, found.files);
  const outdated = loadsAnew(inputs, found);
  const unitDiffers = !isUp(found.unit) || found.unit.enabled !== "enabled" || outdated;
  if (directories.length + files.length === 0 && !unitDiffers) return undefined;
  return [
    writing(inputs, role, found),
    runUnit(role.unit, found.unit, {
      hash: configurationHash(inputs.files),
      outdated,
      loading: role.loading,
      wait: role.waitForStart,
    }),
  ].join("\n");
}

function writing(inputs: ServiceInputs, role: Role, found: Found): string {
  const { directories, files } = inputs;
  return [
    makeDirectories(pick(directories, changedDirectories(directories, found.directories))),
    writeFiles(pick(files, changedFiles(files, found.files)), role.validate(inputs.cluster)),
  ].join("\n");
}

/** Whether the unit has a configuration to load, if it runs. */
function loadsAnew(inputs: ServiceInputs, found: Found): boolean {
  return changedContents(inputs.files, found.files).length > 0 || isOutdated(inputs, found);
}

/**
 * Whether the unit runs with another configuration than the one on disk: by the record of what it was told to load,
 * or, where somebody else has started or reloaded it since, by the time of that.
 */
function isOutdated(inputs: ServiceInputs, { unit, files }: Found): boolean {
  if (!isUp(unit) || unit.since === 0) return false;
  if (unit.loaded !== "")
    return unit.loaded !== configurationHash(foundFiles(Object.keys(inputs.files), files));
  const otherRights = changedFiles(inputs.files, files);
  // Where somebody has changed the rights, that time is of no use.
  return Object.entries(files).some(
    ([path, { modified, changed }]) =>
      (otherRights.includes(path) ? modified : changed) > unit.since,
  );
}

function state(
  inputs: ServiceInputs,
  found: Found,
  known: Learned | undefined,
): ServiceInputs & Learned {
  const { cluster, host, daemon, directories, files, etcd, move } = inputs;
  return {
    ...(etcd ? { etcd, hadLog: found.hasData || (known?.hadLog ?? false) } : {}),
    ...(move && { move }),
    cluster,
    host,
    daemon,
    directories: Object.fromEntries(
      Object.keys(directories).flatMap((path) =>
        found.directories[path] ? [[path, found.directories[path]]] : [],
      ),
    ),
    files: foundFiles(Object.keys(files), found.files),
    unit: {
      active: isUp(found.unit)
        ? "active"
        : found.unit.sub === "auto-restart"
          ? "failing"
          : found.unit.active,
      enabled: found.unit.enabled || "absent",
      configuration: isOutdated(inputs, found) ? "outdated" : "loaded",
    },
  };
}

/**
 * Patroni hands what it is told to PostgreSQL, which may refuse it: it goes on with what it has, and does not start again.
 * Then the lines come back that it had before.
 */
async function demandHba(
  context: Context,
  urn: string,
  inputs: ServiceInputs,
  before: Found,
): Promise<void> {
  const wanted = inputs.files[MEMBER_FILE];
  const old = before.files[MEMBER_FILE];
  if (!wanted || old?.content === wanted.content) return;
  const errors = await untilLoaded(context, urn, inputs.host, wanted.content);
  if (errors.length > 0 && old) {
    const { unit } = roleOf(inputs);
    const script = `${writeFiles({ [MEMBER_FILE]: { ...wanted, content: old.content } })}\nsystemctl reload ${quote(unit)}`;
    await context.host(inputs.host).change("putting the old lines of pg_hba.conf back", script);
    await untilLoaded(context, urn, inputs.host, old.content);
  }
  demandLoaded(errors, old ? "The lines that were there before are back on it." : "");
}

function roleOf({ daemon }: ServiceInputs): Role {
  const found = ROLES.find(({ name }) => name === daemon);
  if (!found)
    throw new PgherdError(
      `expected one of ${ROLES.map(({ name }) => name).join(", ")}, got daemon "${daemon}".`,
    );
  return found;
}

function pick<T>(
  values: { readonly [key: string]: T },
  keys: readonly string[],
): { [key: string]: T } {
  return Object.fromEntries(keys.map((key) => [key, values[key] as T]));
}
