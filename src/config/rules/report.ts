import type { Settings } from "../schema";

/** Told what is wrong, and where: a path such as `cluster.members[1]`. */
export type Report = (path: string, problem: string) => void;

/** A rule between settings, which reports every breach of it. */
export type Rule = (settings: Settings, report: Report) => void;
