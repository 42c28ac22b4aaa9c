import { filesProbe } from "../facts/files";
import type { Host } from "../host/host";
import { changedFiles, writeFiles } from "../operations/files";
import type { FileInput } from "../resources/inputs/files";

/** Writes files that are absent or differ, and nothing where none does. @param action in words, as errors tell it. */
export async function putFiles(
  host: Host,
  files: { readonly [path: string]: FileInput },
  action: string,
): Promise<void> {
  const changed = changedFiles(files, await host.observe(filesProbe(Object.keys(files))));
  if (changed.length === 0) return;
  const wanted = Object.entries(files).filter(([path]) => changed.includes(path));
  await host.change(action, writeFiles(Object.fromEntries(wanted)));
}
