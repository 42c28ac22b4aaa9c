import { filesProbe } from "../facts/files";
import { CLUSTER_RECORD } from "../facts/host";
import { kernelProbe } from "../facts/kernel";
import { packagesProbe } from "../facts/packages";
import { maskedProbe } from "../facts/systemd";
import { changedFiles, removeFiles, writeFiles } from "../operations/files";
import { setKernel } from "../operations/kernel";
import { installPackages } from "../operations/packages";
import { maskUnits } from "../operations/units";
import type { Context } from "./context";
import type { FileInput, HostBaseInputs } from "../resources/inputs";
import type { ResourceType } from "./resource";

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
  id: ({ cluster, host }) => `${cluster}/${host}`,

  async apply(context, urn, inputs) {
    const host = context.host(inputs.host);
    const found = await look(context, inputs);
    const missing = inputs.packages.filter((name) => !found.packages.includes(name));
    const changed = changedFiles(inputs.files, found.files);
    const unmasked = inputs.masked.filter((unit) => !found.masked.includes(unit));
    const settings = Object.entries(inputs.kernel).filter(
      ([setting, value]) => found.kernel[setting] !== value,
    );
    const script = [
      "set -e",
      writeFiles(
        Object.fromEntries(changed.map((path) => [path, inputs.files[path] as FileInput])),
      ),
      maskUnits(unmasked),
      setKernel(Object.fromEntries(settings)),
      ...(found.cluster === inputs.cluster ? [] : [record(inputs.cluster)]),
    ];
    if (missing.length > 0) {
      context.progress(urn, `installing ${missing.join(", ")}`);
      script.push(installPackages(missing));
    }
    const differs = missing.length + changed.length + unmasked.length + settings.length > 0;
    if (!differs && found.cluster === inputs.cluster) return state(inputs, found);
    await host.change(
      missing.length > 0 ? "installing packages" : "preparing the host",
      script.join("\n"),
      {
        timeoutSeconds: INSTALL_SECONDS,
      },
    );
    return state(inputs, await look(context, inputs));
  },

  async read(context, inputs) {
    return state(inputs, await look(context, inputs));
  },

  /** Packages stay: others may use them by now. So do the masks and the record, since the data stays. */
  async delete(context, _urn, { host, files }) {
    await context.host(host).change("removing files", removeFiles(Object.keys(files)));
  },
};

type Found = Omit<HostBaseInputs, "host"> &
  Learned & { files: Awaited<ReturnType<typeof readFiles>> };

async function look(context: Context, inputs: HostBaseInputs): Promise<Found> {
  const host = context.host(inputs.host);
  const [versions, masked, kernel, files] = await Promise.all([
    host.observe(packagesProbe(inputs.packages)),
    host.observe(maskedProbe(inputs.masked)),
    // The state of a host from before there were kernel settings has none.
    host.observe(kernelProbe(Object.keys(inputs.kernel ?? {}))),
    readFiles(context, inputs),
  ]);
  return {
    cluster: files[CLUSTER_RECORD]?.content.trim() ?? "",
    versions,
    packages: inputs.packages.filter((name) => versions[name]),
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
