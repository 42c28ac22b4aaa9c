import { randomUUID } from "node:crypto";
import { ACCESS, accessFiles, hostAndPort, type Standing } from "../dcs/existing";
import { dcsAt } from "../dcs/dcs";
import { dataIdentifierProbe } from "../facts/control-file";
import { filesProbe } from "../facts/files";
import { ConnectError, HealthError } from "../errors";
import { reachProbe } from "../facts/reach";
import type { Probe } from "../host/host";
import { quote } from "../host/shell";
import { changedFiles, removeFiles, writeFiles } from "../operations/files";
import type { ExistingDcsInputs } from "../resources/inputs/existing-dcs";
import { briefFiles } from "./brief";
import type { Context } from "./context";
import { judgeStanding, warnOfStanding, type Seen } from "./existing-dcs-rules";
import { foundFiles } from "./host-base";
import { putFiles } from "./put-files";
import type { ResourceType } from "./resource";

/** A DCS that somebody else runs: what members are let in with, and how the cluster stands with it. */
export const existingDcs: ResourceType<ExistingDcsInputs> = {
  identity: ["cluster"],
  judged: ["ttl", "leastVersion", "data", "arrives"],
  id: ({ cluster }) => `${cluster}/existing-dcs`,
  brief: ({ files }) => ({ files: briefFiles(files) }),

  async apply(context, _urn, inputs) {
    const paths = Object.keys(inputs.files);
    await Promise.all(
      inputs.hosts.map(async (name) => {
        const host = context.host(name);
        const found = await host.observe(filesProbe(Object.values(accessFiles())));
        const left = Object.keys(found).filter((path) => !paths.includes(path));
        if (left.length > 0)
          await host.change("removing what the DCS let it in with", removeFiles(left));
        await putFiles(host, inputs.files, "writing what the DCS lets it in with");
      }),
    );
    const asked = dcsAt(inputs).standingProbe(inputs.cluster);
    const looks = await Promise.all(inputs.hosts.map((name) => look(context, inputs, name, asked)));
    const problems = judgeStanding(
      looks.flatMap((one) => (one && one !== "not yet" ? [one] : [])),
      inputs,
      true,
    );
    if (problems.length > 0) throw new HealthError(problems.join("\n"));
    return inputs;
  },

  /** Of a host that lacks a file, or gets no answer, the next update has to see to it. */
  async read(context, inputs) {
    const paths = Object.keys(inputs.files);
    const found = await Promise.all(
      inputs.hosts.map(async (name) => {
        const host = context.host(name);
        const [files, healthy] = await Promise.all([
          host.observe(filesProbe(paths)),
          host.observe(dcsAt(inputs).healthyProbe()),
        ]);
        return { name, files: foundFiles(paths, files), healthy: healthy.length > 0 };
      }),
    );
    const wrong = found.find(({ files }) => changedFiles(inputs.files, files as never).length > 0);
    return {
      ...inputs,
      answered: found.filter(({ healthy }) => healthy).map(({ name }) => name),
      files: wrong?.files ?? inputs.files,
    };
  },

  /** What is the cluster's in the DCS stays, as its data does. */
  async delete(context, _urn, { hosts }) {
    await Promise.all(
      hosts.map((name) =>
        context
          .host(name)
          .change(
            "removing what the DCS lets it in with",
            removeFiles(Object.values(accessFiles())),
          ),
      ),
    );
  },
};

/**
 * What forbids a cluster to be in a DCS, by what each host would be let in with, which it has for the time of the question only. Of
 * a host to which curl comes with this run only whether it reaches the endpoints.
 * @param before the inputs of the last run.
 * @param urn for warnings.
 */
export async function tryExistingDcs(
  context: Context,
  inputs: ExistingDcsInputs,
  before: Partial<ExistingDcsInputs> | undefined,
  urn: string,
): Promise<string[]> {
  const endpoints = inputs.endpoints.map((url) => ({ url, ...portOf(url) }));
  const looks = await Promise.all(
    inputs.hosts.map(async (name) => {
      const seen = await look(context, inputs, name, triedProbe(inputs));
      if (seen !== "not yet") return seen ? [seen] : [];
      const closed = await context.host(name).observe(reachProbe(endpoints));
      const said = closed.map(({ address, port, found }) => `${address}:${port}: ${found}`);
      return closed.length === endpoints.length ? [unreached(name, said.join("; "))] : [];
    }),
  );
  const seen = looks.flat();
  for (const warning of warnOfStanding(seen, inputs)) context.warn(urn, warning);
  return judgeStanding(seen, inputs, isSamePlace(inputs, before));
}

/** Whether the cluster has been there before: what is not there any more has been lost, and is made anew. */
function isSamePlace(inputs: ExistingDcsInputs, before?: Partial<ExistingDcsInputs>): boolean {
  const same = inputs.endpoints.some((url) => before?.endpoints?.includes(url));
  return same && inputs.existing?.prefix === before?.existing?.prefix;
}

function portOf(url: string) {
  const [host, port] = hostAndPort(url);
  return { address: host.replace(/^\[|\]$/g, ""), port };
}

function unreached(host: string, said: string): Seen {
  return { host, standing: { answering: [], said, may: "no answer", mayMore: false } };
}

/** How a host stands with it; nothing where the host cannot be reached, which shows by other resources. */
async function look(
  context: Context,
  { data }: ExistingDcsInputs,
  name: string,
  probe: Probe<Standing | undefined>,
): Promise<Seen | "not yet" | undefined> {
  try {
    const host = context.host(name);
    const [standing, identifier] = await Promise.all([
      host.observe(probe),
      data ? host.observe(dataIdentifierProbe(data)) : undefined,
    ]);
    return standing ? { host: name, standing, identifier } : "not yet";
  } catch (error) {
    if (error instanceof ConnectError) return undefined;
    throw error;
  }
}

const TRIED = "pgherd-dcs-";

/**
 * The same question by files that are there as long as it is asked, of root's in memory. Nothing is known where curl comes with
 * this run only.
 */
function triedProbe(inputs: ExistingDcsInputs): Probe<Standing | undefined> {
  const access = `/run/${TRIED}${randomUUID()}`;
  const { kind, endpoints, existing, cluster } = inputs;
  const tried = existing && { ...existing, access };
  const { script, parse } = dcsAt({ kind, endpoints, existing: tried }).standingProbe(cluster);
  const files = Object.entries(inputs.files).map(([path, { content }]) => [
    path.replace(ACCESS, access),
    // Nobody but root reads them here, so that they need no users that the host has not yet.
    { mode: "0600", owner: "root", group: "root", content: content.replaceAll(ACCESS, access) },
  ]);
  return {
    script: `command -v curl >/dev/null || exit 0
# A run that was cut off in between may have left its own.
find /run -maxdepth 1 -name '${TRIED}*' -mmin +60 -exec rm -rf {} +
trap 'rm -rf ${quote(access)}' EXIT
trap 'exit 1' HUP INT TERM
(umask 077; mkdir ${quote(access)}) || exit
${writeFiles(Object.fromEntries(files) as ExistingDcsInputs["files"])}
${script}`,
    parse: (output) => (output.trim() === "" ? undefined : parse(output)),
  };
}
