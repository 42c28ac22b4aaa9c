import { packageManager } from "../distributions/distributions";
import { filesProbe, type FoundFile } from "../facts/files";
import { CLUSTER_RECORD } from "../facts/host";
import { kernelProbe } from "../facts/kernel";
import { maskedProbe } from "../facts/systemd";
import { changedFiles, removeFiles, writeFiles } from "../operations/files";
import { setKernel } from "../operations/kernel";
import { maskUnits } from "../operations/units";
import { waitFor } from "../operations/wait";
import { PgherdError } from "../errors";
import { briefFiles } from "./brief";
import type { Context } from "./context";
import type { FileInput } from "../resources/inputs/files";
import type { HostBaseInputs } from "../resources/inputs/host-base";
import { isUnfinished, type ResourceType } from "./resource";
import { warnOfPreloads } from "./preload-warnings";
import { triedOn } from "./trial";

const { policy: POLICY, removePolicy } = packageManager;

interface Learned {
  /** Installed versions by package. */
  readonly versions: { readonly [name: string]: string };
  /** Settings of the kernel that a container leaves to its machine; they count as being what is wanted. */
  readonly leftToMachine: readonly string[];
}

/** Packages can take long where the mirror is far; beyond this something hangs. */
const INSTALL_SECONDS = 1800;

export const hostBase: ResourceType<HostBaseInputs, Learned> = {
  identity: ["cluster", "host"],
  judged: ["trial"],
  id: ({ cluster, host }) => `${cluster}/${host}`,
  brief: ({ files }) => ({ files: briefFiles(files) }),

  async apply(context, urn, inputs, known) {
    const host = context.host(inputs.host);
    const found = await look(context, inputs, known?.versions);
    const missing = inputs.packages.filter((name) => !found.packages.includes(name));
    const changed = changedFiles(inputs.files, found.files);
    if (found.foreignPolicy) context.warn(urn, `${inputs.host}: ${OTHER_POLICY}`);
    const unmasked = inputs.masked.filter((unit) => !found.masked.includes(unit));
    const settings = Object.entries(inputs.kernel).filter(
      ([setting, value]) => found.kernel[setting] !== value,
    );
    const script = [
      writeFiles(
        Object.fromEntries(changed.map((path) => [path, inputs.files[path] as FileInput])),
      ),
      maskUnits(unmasked),
      setKernel(Object.fromEntries(settings)),
      ...(found.cluster === inputs.cluster ? [] : [record(inputs.cluster)]),
    ];
    if (missing.length > 0) {
      await untilUnlocked(context, urn, inputs.host);
      context.progress(urn, `installing ${missing.join(", ")}`);
      script.push(packageManager.install(missing));
    }
    const differs = missing.length + changed.length + unmasked.length + settings.length > 0;
    // The preview has tried it where the packages were there, unless that run has come to nothing.
    const untried = missing.length > 0 || isUnfinished(known);
    if (!differs && found.cluster === inputs.cluster) {
      if (untried) await demandStart(context, urn, inputs, known?.trial?.extensions);
      return state(inputs, found);
    }
    await host.change(
      missing.length > 0 ? "installing packages" : "preparing the host",
      script.join("\n"),
      {
        timeoutSeconds: INSTALL_SECONDS,
      },
    );
    const after = await look(context, inputs);
    if (untried) await demandStart(context, urn, inputs, known?.trial?.extensions);
    if (missing.length > 0) await warnOfPreloads(context, urn, inputs.trial, [inputs.host], []);
    const older = found.downgraded.filter((name) => after.versions[name] === found.installed[name]);
    if (older.length > 0) {
      context.warn(
        urn,
        `${inputs.host}: ${older.map((name) => `${name} was ${known?.versions[name]} and is ${after.versions[name]} now`).join(", ")}; ` +
          "the package sources have nothing newer.",
      );
    }
    return state(inputs, after);
  },

  async read(context, inputs, known) {
    return state(inputs, await look(context, inputs, known.versions));
  },

  /** Packages stay: others may use them by now. So do the masks and the record, since the data stays. */
  async delete(context, _urn, { host, files }) {
    const own = Object.keys(files).filter((path) => path !== POLICY);
    await context.host(host).change("removing files", `${removeFiles(own)}\n${removePolicy}`);
  },
};

const NOT_STARTED = {
  what: "pgherd:cluster.postgresql says",
  next: "Mend its parameters or pgHba, then run again. PostgreSQL's packages are there, and it was started nowhere.",
};

/** @throws PgherdError if a server cannot start as the stack wants it: nobody would wait for a member in vain. */
async function demandStart(
  context: Context,
  urn: string,
  { host, trial }: HostBaseInputs,
  created: readonly string[] | undefined,
): Promise<void> {
  if (!trial) return;
  context.progress(urn, "trying PostgreSQL's settings");
  const [reason] = await triedOn(context, host, trial, NOT_STARTED, created);
  if (reason) throw new PgherdError(reason);
}

type Found = Omit<HostBaseInputs, "host"> &
  Learned & {
    files: Awaited<ReturnType<typeof readFiles>>;
    /** Versions as they are, the downgraded packages' too. */
    installed: Learned["versions"];
    downgraded: readonly string[];
    /** Whether the host's policy for services of packages is somebody else's. */
    foreignPolicy: boolean;
  };

const OTHER_POLICY =
  `${POLICY} is none of pgherd's, and stays. See to it that it keeps Debian's packages from restarting ` +
  "patroni, the DCS, haproxy and keepalived (exit code 101): " +
  "an upgrade of patroni on the leader would be a failover.";

/** An upgrade of the whole system may take that long; most of what holds the locks is done within a minute. */
const UNLOCKED_SECONDS = 300;

/** apt waits for some of its locks by itself, but says for whom to nobody, and for others not at all. */
async function untilUnlocked(context: Context, urn: string, name: string): Promise<void> {
  await waitFor(
    async () => {
      const holder = await context.host(name).observe(packageManager.lockHolderProbe());
      if (!holder) return { done: true };
      const { lock, pid, command } = holder;
      return { missing: `process ${pid} (${command || "unknown"}) holds ${lock}` };
    },
    {
      expected: `nobody else to install packages on ${name}`,
      seconds: UNLOCKED_SECONDS,
      next: "wait for it to end, or look what it is (systemctl status PID) and end it, and run again.",
      progress: (message) => context.progress(urn, message),
    },
  );
}

/** @param recorded versions of the last run: a package that is older now counts as missing. */
async function look(
  context: Context,
  inputs: HostBaseInputs,
  recorded: Learned["versions"] = {},
): Promise<Found> {
  const host = context.host(inputs.host);
  const [installed, masked, kernel, there] = await Promise.all([
    host.observe(packageManager.installedProbe(inputs.packages)),
    host.observe(maskedProbe(inputs.masked)),
    // The state of a host from before there were kernel settings has none.
    host.observe(kernelProbe(Object.keys(inputs.kernel ?? {}))),
    readFiles(context, inputs),
  ]);
  const foreignPolicy =
    Object.hasOwn(inputs.files, POLICY) &&
    there[POLICY] !== undefined &&
    !there[POLICY].content.includes("pgherd");
  // Somebody else's stays, and counts as what is wanted.
  const files = foreignPolicy
    ? { ...there, [POLICY]: { ...there[POLICY], ...inputs.files[POLICY] } as FoundFile }
    : there;
  const others = Object.entries(recorded).filter(
    ([name, version]) => installed[name] !== undefined && installed[name] !== version,
  );
  const downgraded =
    others.length > 0
      ? await host.observe(packageManager.olderProbe(Object.fromEntries(others)))
      : [];
  return {
    cluster: files[CLUSTER_RECORD]?.content.trim() ?? "",
    // What it should be again is remembered until it is.
    versions: {
      ...installed,
      ...Object.fromEntries(downgraded.map((name) => [name, recorded[name] as string])),
    },
    installed,
    downgraded,
    foreignPolicy,
    packages: inputs.packages.filter((name) => installed[name] && !downgraded.includes(name)),
    masked: inputs.masked.filter((unit) => masked.includes(unit)),
    kernel: {
      ...kernel.values,
      ...Object.fromEntries(kernel.leftToMachine.map((name) => [name, inputs.kernel[name] ?? ""])),
    },
    leftToMachine: kernel.leftToMachine,
    files,
  };
}

function readFiles(context: Context, { host, files }: HostBaseInputs) {
  return context.host(host).observe(filesProbe([...Object.keys(files), CLUSTER_RECORD]));
}

function state({ cluster, host, files }: HostBaseInputs, found: Found): HostBaseInputs & Learned {
  return {
    cluster,
    host,
    packages: found.packages,
    masked: found.masked,
    files: foundFiles(Object.keys(files), found.files),
    kernel: found.kernel,
    versions: found.versions,
    leftToMachine: found.leftToMachine,
  };
}

/** The files among these paths, without what changes by itself. */
export function foundFiles(
  paths: readonly string[],
  found: { readonly [path: string]: FileInput },
): { [path: string]: FileInput } {
  return Object.fromEntries(
    paths.flatMap((path) => {
      const file = found[path];
      if (!file) return [];
      const { content, mode, owner, group } = file;
      return [[path, { content, mode, owner, group }]];
    }),
  );
}

function record(cluster: string): string {
  return writeFiles({
    [CLUSTER_RECORD]: { content: `${cluster}\n`, mode: "0644", owner: "root", group: "root" },
  });
}
