import { createHash } from "node:crypto";
import { Refusal, type Intent } from "./cluster";

/**
 * A name for exactly this that is about to be done, for somebody to agree to who is not asked on a terminal: as long as
 * the facts are the same, so is the name.
 * @param facts what decides what is done and lost; nothing that changes while one reads, as the time that has passed since.
 */
export function consentTo(facts: object): string {
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}

/** @throws Refusal, with what would be done now, unless it is what was agreed to */
export function demandConsent(what: string, agreed: string, facts: object, intent: Intent): void {
  if (agreed === consentTo(facts)) return;
  throw new Refusal(what, [
    "confirm: expected the one that was told for what would be done now; what was agreed to is something else.",
    ...intent.effects,
  ]);
}
