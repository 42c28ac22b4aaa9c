import { createHash } from "node:crypto";

/** Tells whether files have the same contents, by path: of a plan, of a state and of a host. Absent files are as empty ones. */
export function configurationHash(
  files: { readonly [path: string]: { readonly content: string } },
  paths: readonly string[] = Object.keys(files),
): string {
  const contents = paths.map((path) => [path, files[path]?.content ?? ""]);
  return createHash("sha256").update(JSON.stringify(contents.sort())).digest("hex");
}
