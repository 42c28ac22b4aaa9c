import { render } from "./template";
import type { Files } from "./types";

/** A script at its path, which everybody may run. */
export function script(path: string, template: string, values: object): Files {
  const content = render(template, values);
  return { [path]: { mode: "0755", owner: "root", group: "root", content } };
}
