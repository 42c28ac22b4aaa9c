import type { Files } from "../plan/types";

/**
 * Paths of a resource's inputs that a preview names without their text: pgherd's own programs, which are the same on all
 * hosts and no configuration.
 * @param at where the files stand in the inputs: `files`.
 */
export function programs(files: Files, at = "files"): string[] {
  return Object.entries(files)
    .filter(([, { mode }]) => isExecutable(mode))
    .map(([path]) => `${at}[${JSON.stringify(path)}]`);
}

function isExecutable(mode: string): boolean {
  return (parseInt(mode, 8) & 0o111) !== 0;
}
