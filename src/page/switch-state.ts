/**
 * What a switch shows.
 * @param starting whether it has been asked to start, and that is not done yet.
 */
export function switchState(
  state: "up" | "booting" | "off",
  starting: boolean,
): { readonly on: boolean; readonly text: string; readonly waits: boolean } {
  if (state === "off" && !starting) return { on: false, text: "power off", waits: false };
  if (state === "up") return { on: true, text: "power", waits: false };
  return { on: true, text: "starting…", waits: state === "off" };
}
