import fs from "node:fs";
import { z } from "zod";
import { PgherdError } from "../errors";
import { DATA_FILE_SYSTEMS } from "./data-disk";
import type { LabPaths } from "./paths";
import { DISTROS, TOPOLOGIES, type Topology } from "./topology";

const TOPOLOGY_NAMES = Object.keys(TOPOLOGIES) as [Topology, ...Topology[]];

const hostSchema = z.object({
  name: z.string(),
  address: z.string(),
  address6: z.string(),
  /** Public host key, e.g. `ssh-ed25519 AAAA…` */
  hostKey: z.string(),
});

const stateSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  topology: z.enum(TOPOLOGY_NAMES),
  distro: z.enum(DISTROS),
  /** File system of the database hosts' data, where they have a disk of their own for it. */
  dataFs: z.enum(DATA_FILE_SYSTEMS).optional(),
  /** Folder with the base tree (`base`) and the APT repository (`repo`) that the hosts stand on. */
  trees: z.string(),
  createdAt: z.string(),
  hosts: z.array(hostSchema),
});

/** What a lab is: decided when it is made, kept in state.json. What runs is asked from the kernel. */
export type LabState = z.infer<typeof stateSchema>;
export type LabHost = z.infer<typeof hostSchema>;

/** @throws PgherdError when the text is not the state of a lab */
export function parseState(text: string, file: string): LabState {
  const result = stateSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new PgherdError(
    `${file}: expected the state of a lab, found: ${problems.join("; ")}.`,
    "Run: pgherd lab down, then pgherd lab up.",
  );
}

/** The lab's state, or undefined where there is no lab or only a half-made one. */
export function readState(paths: LabPaths): LabState | undefined {
  let text: string;
  try {
    text = fs.readFileSync(paths.state, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseState(text, paths.state);
}

/** @throws PgherdError when there is no such lab */
export function requireState(name: string, paths: LabPaths): LabState {
  const state = readState(paths);
  if (state) return state;
  throw new PgherdError(
    `lab "${name}": there is no such lab.`,
    `Run: pgherd lab up${nameOption(name)}`,
  );
}

export function writeState(paths: LabPaths, state: LabState): void {
  writeWhole(paths.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** Replaces a file at once: a reader, or a run that is killed, meets the old one or the new one. */
export function writeWhole(file: string, content: string, mode = 0o644): void {
  fs.writeFileSync(`${file}.new`, content, { mode });
  fs.renameSync(`${file}.new`, file);
}

/** `--name NAME` as it must be typed for this lab: nothing for the default one. */
export function nameOption(name: string): string {
  return name === DEFAULT_NAME ? "" : ` --name ${name}`;
}

export const DEFAULT_NAME = "lab";

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
