import { dcsOf } from "../dcs/dcs";
import { HealthError } from "../errors";
import type { DcsMemberInput } from "../resources/inputs/service";
import type { Context } from "./context";

type Contents = { readonly [path: string]: { readonly content: string } };

/** The files of a member as they are to be, and as they are. */
export interface MemberFiles {
  readonly wanted: Contents;
  readonly found: Contents;
}

/**
 * Has the DCS take secrets that are new in a member's files beside those in use, before anybody gets them: a member with
 * others than all the rest would be cut off.
 * @param healthy hosts of members that take part in a majority, the first to ask first.
 * @throws HealthError if none of them knows the token by which that is asked.
 */
export async function takeSecrets(
  context: Context,
  urn: string,
  own: DcsMemberInput,
  { wanted, found }: MemberFiles,
  healthy: readonly string[],
): Promise<void> {
  const { kind, secrets, unit } = dcsOf(own);
  if (!secrets) return;
  const files = Object.entries(wanted).filter(([path]) => secrets.isShared(path));
  if (files.every(([path, { content }]) => found[path]?.content === content)) return;
  const contents = Object.fromEntries(files.map(([path, { content }]) => [path, content]));
  context.progress(urn, `making new secrets known to ${kind}`);
  for (const host of healthy) {
    const action = `making new secrets known to ${kind}`;
    const said = await context.host(host).change(action, secrets.take(contents));
    if (said.trim() === "taken") return;
  }
  throw new HealthError(
    `${healthy.join(", ")}: expected ${kind} to take the management token, got none there that it knows. New secrets cannot be made known.`,
    `Who leads takes it into its list when it begins to lead: restart ${unit} where it leads, then pulumi up again.`,
  );
}
