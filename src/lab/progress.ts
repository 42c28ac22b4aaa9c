/** Told what happens while it happens: to one host, or to the lab as a whole (`undefined`). */
export type Progress = (host: string | undefined, text: string) => void;

/** For callers that do not want to know. */
export const SILENT: Progress = () => undefined;
