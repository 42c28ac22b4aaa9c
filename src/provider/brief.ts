import type { DirectoryInput, FileInput } from "../resources/inputs/files";
import { isUnknown, type Value } from "../rpc/values";

/**
 * New files as a preview shows them: `root:root 0644, 12 lines`; `pgherd plan --files` prints what is in them. One that not all may read
 * stays as it is, since it may hold a password.
 */
export function briefFiles(files: { readonly [path: string]: FileInput }): {
  [path: string]: Value;
} {
  return each(files, (file) =>
    isUnknown(file.content) || (parseInt(file.mode, 8) & 0o004) === 0
      ? (file as unknown as Value)
      : `${rights(file)}, ${counted(file.content.split("\n").length - 1)}`,
  );
}

/** New directories: `barman:barman 0750`. */
export function briefDirectories(directories: { readonly [path: string]: DirectoryInput }): {
  [path: string]: Value;
} {
  return each(directories, rights);
}

function rights({ owner, group, mode }: DirectoryInput): string {
  return `${owner}:${group} ${mode}`;
}

function counted(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}

/** Of values that are not known yet, nothing is told. */
function each<T>(
  values: { readonly [key: string]: T },
  tell: (value: T) => Value,
): { [key: string]: Value } {
  return typeof values === "object"
    ? Object.fromEntries(Object.entries(values).map(([key, value]) => [key, tell(value)]))
    : {};
}
