import { createHash } from "node:crypto";
import { PgherdError } from "../errors";
import { directoriesProbe, filesProbe, type FoundDirectory, type FoundFile } from "../facts/files";
import { unitProbe, type UnitState } from "../facts/systemd";
import { quote } from "../host/shell";
import {
  changedDirectories,
  changedFiles,
  makeDirectories,
  removeFiles,
  writeFiles,
} from "../operations/files";
import { isUp, retireUnit, runUnit } from "../operations/units";
import type { Context } from "./context";
import { DAEMONS, type DaemonTraits } from "./daemons";
import { foundFiles } from "./host-base";
import type { FileInput, ServiceInputs } from "../resources/inputs";
import type { ResourceType } from "./resource";
import { waitFor } from "./wait";

export const service: ResourceType<ServiceInputs> = {
  identity: ["cluster", "host", "daemon"],
  id: ({ cluster, host, daemon }) => `${cluster}/${host}/${daemon}`,

  async apply(context, urn, inputs) {
    const daemon = traits(inputs);
    // Members of one cluster that restart at once would take it down.
    const order = daemon.loading === "restart" ? inputs.daemon : urn;
    await context.oneByOne(order, async () => {
      const found = await look(context, inputs);
      const script = changes(inputs, daemon, found);
      if (!script) return;
      context.progress(
        urn,
        isUp(found.unit) ? "loading the configuration" : `starting ${daemon.unit}`,
      );
      try {
        await context.host(inputs.host).change(`setting up ${inputs.daemon}`, script);
      } catch (error) {
        throw await withJournal(context, inputs.host, daemon.unit, error);
      }
    });
    await untilUp(context, urn, inputs, daemon);
    return state(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return state(inputs, await look(context, inputs));
  },

  /** Stops the daemon and removes its files. Its data stays. */
  async delete(context, urn, inputs) {
    const { unit } = traits(inputs);
    context.progress(urn, `stopping ${unit}`);
    await context
      .host(inputs.host)
      .change(
        `stopping ${inputs.daemon}`,
        [
          "set -e",
          retireUnit(unit),
          removeFiles(Object.keys(inputs.files)),
          "systemctl daemon-reload",
        ].join("\n"),
      );
  },
};

interface Found {
  readonly directories: { readonly [path: string]: FoundDirectory };
  readonly files: { readonly [path: string]: FoundFile };
  readonly unit: UnitState;
}

async function look(context: Context, inputs: ServiceInputs): Promise<Found> {
  const host = context.host(inputs.host);
  const [directories, files, unit] = await Promise.all([
    host.observe(directoriesProbe(Object.keys(inputs.directories))),
    host.observe(filesProbe(Object.keys(inputs.files))),
    host.observe(unitProbe(traits(inputs).unit)),
  ]);
  return { directories, files, unit };
}

/** The script that makes the service as wanted; `undefined` if it is so. */
function changes(inputs: ServiceInputs, daemon: DaemonTraits, found: Found): string | undefined {
  const directories = pick(
    inputs.directories,
    changedDirectories(inputs.directories, found.directories),
  );
  const files = pick(inputs.files, changedFiles(inputs.files, found.files));
  const filesDiffer = Object.keys(files).length > 0;
  const outdated = filesDiffer || isOutdated(inputs, found);
  const unitDiffers = !isUp(found.unit) || found.unit.enabled !== "enabled" || outdated;
  if (Object.keys(directories).length === 0 && !filesDiffer && !unitDiffers) return undefined;
  return [
    "set -e",
    makeDirectories(directories),
    writeFiles(files, daemon.validate),
    runUnit(daemon.unit, found.unit, {
      hash: configurationHash(inputs.files),
      outdated,
      loading: daemon.loading,
      wait: daemon.waitForStart,
    }),
  ].join("\n");
}

/**
 * Whether the unit runs with another configuration than the one on disk: by the record of what it was told to load,
 * or, for a run that we did not start, by the time at which it read its files.
 */
function isOutdated(inputs: ServiceInputs, { unit, files }: Found): boolean {
  if (!isUp(unit) || unit.since === 0) return false;
  if (unit.loaded !== "")
    return unit.loaded !== configurationHash(foundFiles(Object.keys(inputs.files), files));
  return Object.values(files).some((file) => file.modified > unit.since);
}

function configurationHash(files: { readonly [path: string]: FileInput }): string {
  const contents = Object.entries(files).map(([path, { content }]) => [path, content]);
  return createHash("sha256").update(JSON.stringify(contents.sort())).digest("hex");
}

function state(inputs: ServiceInputs, found: Found): ServiceInputs {
  const { cluster, host, daemon, directories, files } = inputs;
  return {
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

/** Seconds that a daemon has to come up, and that it must stay up before it counts. */
const START_SECONDS = 30;

async function untilUp(
  context: Context,
  urn: string,
  { host }: ServiceInputs,
  { unit }: DaemonTraits,
) {
  const next = `journalctl -u ${unit} -n 50`;
  try {
    await waitFor(
      async () => {
        const found = await context.host(host).observe(unitProbe(unit));
        return isUp(found) ? { done: true } : { missing: `it is ${found.active} (${found.sub})` };
      },
      {
        expected: `${unit} on ${host} to run`,
        seconds: START_SECONDS,
        next,
        progress: (message) => context.progress(urn, message),
      },
    );
  } catch (error) {
    throw await withJournal(context, host, unit, error);
  }
}

/** The error, and what the daemon itself said last: mostly the real cause. */
async function withJournal(
  context: Context,
  host: string,
  unit: string,
  error: unknown,
): Promise<Error> {
  const journal = await context
    .host(host)
    .run("reading the journal", `journalctl -u ${quote(unit)} -n 15 --no-pager -o cat`);
  return new PgherdError(
    `${(error as Error).message}\nLast lines of its journal:\n${indent(journal)}`,
  );
}

function indent(text: string): string {
  return text.trim().replace(/^/gm, "  ");
}

function traits({ daemon }: ServiceInputs): DaemonTraits {
  const found = DAEMONS[daemon];
  if (!found)
    throw new PgherdError(
      `expected one of ${Object.keys(DAEMONS).join(", ")}, got daemon "${daemon}".`,
    );
  return found;
}

function pick<T>(
  values: { readonly [key: string]: T },
  keys: readonly string[],
): { [key: string]: T } {
  return Object.fromEntries(keys.map((key) => [key, values[key] as T]));
}
