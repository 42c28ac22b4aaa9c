import fs from "node:fs";
import path from "node:path";
import { PgherdError } from "../errors";
import { CLAIMS, type LabPaths } from "./paths";
import { writeWhole } from "./state";

interface Claim {
  readonly dir: string;
  readonly trees: string;
}

/**
 * Takes a lab's name on this machine: network namespaces and control groups have one name space for all users.
 * @param trees what the lab's hosts stand on; tools/setup-lab keeps it while the claim is there
 * @throws PgherdError when the name is in use by something else
 */
export function claimName(paths: LabPaths, trees: string): void {
  refuseForeign(paths);
  fs.mkdirSync(CLAIMS, { recursive: true });
  writeWhole(paths.claim, `${JSON.stringify({ dir: paths.dir, trees } satisfies Claim)}\n`);
}

/** @throws PgherdError when a lab of this name belongs to another user or state folder, or the namespace is no lab's */
export function refuseForeign(paths: LabPaths): void {
  const name = path.basename(paths.dir);
  const claim = readClaim(paths);
  if (claim && claim.dir !== paths.dir && fs.existsSync(claim.dir))
    throw new PgherdError(
      `lab "${name}": the name is in use on this machine by the lab in ${claim.dir}.`,
      "Take another --name, or end that lab first with the same HOME or XDG_STATE_HOME it was made with.",
    );
  if (!claim && fs.existsSync(paths.netns))
    throw new PgherdError(
      `lab "${name}": expected no network namespace of that name, found ${paths.netns}, which no lab made.`,
      `Take another --name, or remove it: ip netns delete ${name}`,
    );
}

export function releaseName(paths: LabPaths): void {
  fs.rmSync(paths.claim, { force: true });
}

function readClaim(paths: LabPaths): Claim | undefined {
  if (!fs.existsSync(paths.claim)) return undefined;
  return JSON.parse(fs.readFileSync(paths.claim, "utf8")) as Claim;
}
