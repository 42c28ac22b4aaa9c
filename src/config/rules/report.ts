import type { Settings } from "../schema";
import { NotUnderstood } from "../understood";

/** Told what is wrong, and where: a path such as `cluster.members[1]`. */
export type Report = (path: string, problem: string) => void;

/** A rule between settings, which reports every breach of it. */
export type Rule = (settings: Settings, report: Report) => void;

/** Looks at something, as far as the settings for it could be understood. */
export function understanding(look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
  }
}

/** Looks at each item of a list; one that could not be understood keeps nobody from the others. */
export function each<Item>(items: readonly Item[], look: (item: Item, i: number) => void): void {
  for (let i = 0; i < items.length; i++) understanding(() => look(items[i] as Item, i));
}
