import { render } from "./template";
import type { Files, SecretFiles, Secrets } from "./types";

/** The files that hold passwords, with these in them. */
export function withSecrets(files: SecretFiles, secrets: Secrets): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, { template, values, ...file }]) => [
      path,
      { ...file, content: render(template, { ...values, secrets }) },
    ]),
  );
}
