import { dirname } from "node:path";
import type { FoundDirectory, FoundFile } from "../facts/files";
import { asOwner, rootAlone } from "../host/ownership";
import { hereDocument, quote, words } from "../host/shell";
import type { FileInput } from "../resources/inputs/files";
import type { Validation } from "../roles/role";

/** Paths whose file is absent or differs in text, mode or owner. */
export function changedFiles(
  wanted: { readonly [path: string]: FileInput },
  found: { readonly [path: string]: FoundFile },
): string[] {
  return Object.entries(wanted)
    .filter(([path, file]) => {
      const there = found[path];
      return (
        !there ||
        there.content !== file.content ||
        there.mode !== file.mode ||
        there.owner !== file.owner ||
        there.group !== file.group
      );
    })
    .map(([path]) => path);
}

/** Paths whose file is absent or has another text: other rights change nothing for whoever has read it. */
export function changedContents(
  wanted: { readonly [path: string]: FileInput },
  found: { readonly [path: string]: FoundFile },
): string[] {
  return Object.keys(wanted).filter((path) => found[path]?.content !== wanted[path]?.content);
}

/** Paths whose directory is absent or has another mode or owner. */
export function changedDirectories(
  wanted: { readonly [path: string]: FoundDirectory },
  found: { readonly [path: string]: FoundDirectory },
): string[] {
  return Object.entries(wanted)
    .filter(([path, { mode, owner, group }]) => {
      const there = found[path];
      return !there || there.mode !== mode || there.owner !== owner || there.group !== group;
    })
    .map(([path]) => path);
}

/**
 * Makes directories, or sets their mode and owner. What is in them stays. One below another user's directory is made as
 * its owner, whom it then must belong to already if it is there.
 */
export function makeDirectories(directories: { readonly [path: string]: FoundDirectory }): string {
  return Object.entries(directories)
    .map(([path, { mode, owner, group }]) =>
      as(owner, path, `install -d -m ${mode} -o ${quote(owner)} -g ${quote(group)} ${quote(path)}`),
    )
    .join("\n");
}

/** Ends the script around it if this one fails, whoever runs it. */
function as(owner: string, path: string, script: string): string {
  return owner === "root"
    ? `${rootAlone(path)}\n${script}`
    : `${asOwner(owner, path, script)} || exit 1`;
}

/** Where a file waits until all are checked. Other programs skip the name: it ends in none of their suffixes. */
function staged(path: string): string {
  return `${path}.pgherd-new`;
}

/**
 * Replaces files that differ, each atomically: it is written beside its place and renamed. Those that their own programs judge are
 * judged there, all of them before the first is renamed: where one does not pass, none of them reaches its place. A lesser user's
 * file in a directory that this user can change is written as that user; root's files are in none of those.
 * @param validate how a file is judged, by its final path.
 */
export function writeFiles(
  files: { readonly [path: string]: FileInput },
  validate: { readonly [path: string]: Validation } = {},
): string {
  const paths = Object.keys(files).sort((a, b) => a.localeCompare(b));
  const judged = paths.filter((path) => Object.hasOwn(validate, path));
  const each = (
    some: readonly string[],
    ...scripts: ((path: string, file: FileInput) => string)[]
  ) =>
    some.map((path) => {
      const file = files[path] as FileInput;
      const script = scripts.map((part) => part(path, file)).join("\n");
      return as(file.owner, `${dirname(path)}/.`, script);
    });
  return [
    // Files that others include have no check of their own and must stand first.
    ...each(
      paths.filter((path) => !judged.includes(path)),
      stage,
      place,
    ),
    ...each(judged, stage),
    ...(judged.length > 0 ? [`given_up() {\n${each(judged, drop).join("\n")}\n}`] : []),
    ...judged.flatMap((path) => check(path, validate[path] as Validation, judged)),
    ...each(judged, place),
  ].join("\n");
}

function stage(path: string, file: FileInput): string {
  const next = quote(staged(path));
  return [
    `mkdir -p ${quote(dirname(path))}`,
    `rm -f ${next}`,
    `(umask 077; cat >${next}) ${hereDocument(file.content)}`,
    `chown ${quote(`${file.owner}:${file.group}`)} ${next}`,
    `chmod ${file.mode} ${next}`,
    `sync ${next}`,
  ].join("\n");
}

function place(path: string): string {
  const next = quote(staged(path));
  return `if ${isSame(path)}; then rm -f ${next}; else mv -fT ${next} ${quote(path)}; fi`;
}

function drop(path: string): string {
  return `rm -f ${quote(staged(path))}`;
}

/** Whether the file that is there needs nothing: whoever watches it sees no other one then. A link is never it. */
function isSame(path: string): string {
  const [there, next] = [quote(path), quote(staged(path))];
  const rights = (file: string) => `"$(stat -c %a:%u:%g ${file})"`;
  return `[ ! -L ${there} ] && [ -f ${there} ] && cmp -s ${there} ${next} && [ ${rights(there)} = ${rights(next)} ]`;
}

/** @param together what is written with it. */
function check(path: string, validation: Validation, together: readonly string[]): string[] {
  const question = questionOf(path, validation, together);
  if (question === undefined) return [];
  return [
    `if ! said=$(exec 2>&1`,
    question,
    "); then",
    "given_up",
    `said=$(printf '%s\\n' "$said" | head -n ${SAID_LINES})`,
    `printf '%s: the new configuration is refused by its own program:\\n%s\\n%s\\n' ${quote(path)} "$said" ${quote(REFUSED)} >&2`,
    `exit ${REFUSED_CODE}`,
    "fi",
  ];
}

/** What a script ends with where a file is refused: the cause is in its words, and in no journal. */
export const REFUSED_CODE = 65;

/** What an error shows of them, so that it begins with the file's name. */
const SAID_LINES = 9;

const REFUSED =
  "The file that was there stays, and what runs goes on as before. Change what the stack says of it, then pulumi up.";

function questionOf(
  path: string,
  validation: Validation,
  together: readonly string[],
): string | undefined {
  const next = quote(staged(path));
  if (typeof validation === "string") return validation.replaceAll("{}", next);
  if ("none" in validation) return undefined;
  const others = together.filter((one) => one !== path && dirname(one) === dirname(path));
  const pairs = [path, ...others].flatMap((one) => [staged(one), one]);
  // As the daemon's user, who may read the file; modules in the user's own home are not the daemon's.
  const asked = `runuser -u ${quote(validation.user)} -- python3 -I - ${words(pairs)}`;
  return `cd /\n${asked} ${hereDocument(validation.python)}`;
}

/**
 * Removes files; absent ones are no error.
 * @param owner as whom, where they are in directories that root does not have for itself.
 */
export function removeFiles(paths: readonly string[], owner = "root"): string {
  return (
    paths.map((path) => as(owner, `${dirname(path)}/.`, `rm -f ${quote(path)}`)).join("\n") || ":"
  );
}
