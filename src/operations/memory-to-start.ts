import type { TrialInput } from "../resources/inputs/preflight";
import { booleanOf, numberOf } from "../setting-values";

// A trial starts with little memory of its own, since the host may have enough for the member's server alone, which runs beside
// it. So what a server takes at its start is counted instead.

/** What a server would be started with. */
type Started = Pick<TrialInput, "settings" | "hugePagesCome">;

/** Whether it would start with huge pages only; where it would do without ("try"), it starts all the same. */
export function wantsHugePages({ settings }: Pick<Started, "settings">): boolean {
  const { huge_pages: value } = settings;
  return value !== undefined && booleanOf(value) === true;
}

/** What speaks against a start with huge pages. @param bytes that the host has in them. */
export function withoutHugePages(started: Started, host: string, bytes: number): string[] {
  const { settings, hugePagesCome } = started;
  if (!wantsHugePages(started) || hugePagesCome) return [];
  const wanted = buffersOf(settings);
  if (bytes > wanted) return [];
  const need = wanted > 0 ? `more than ${megabytes(wanted)} MB for shared_buffers` : "some";
  return [
    `${host}: expected huge pages, ${need}, for huge_pages "${settings.huge_pages}", the host has ${megabytes(bytes)} MB of them. ` +
      "Set vm.nr_hugepages in pgherd:cluster.system.sysctl, or huge_pages to try.",
  ];
}

/** What speaks against buffers of this size. @param memory of the host, in bytes. */
export function tooLarge(
  { settings }: Pick<Started, "settings">,
  { host, facts }: { readonly host: string; readonly facts: { readonly memory: number } },
): string[] {
  if (buffersOf(settings) < facts.memory) return [];
  return [
    `${host}: expected shared_buffers to fit into the host's memory, ${megabytes(facts.memory)} MB, ` +
      `got "${settings.shared_buffers}". Lower it.`,
  ];
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}

const PAGE = 8192;

function buffersOf(settings: Started["settings"]): number {
  return PAGE * (numberOf(settings.shared_buffers ?? "0", { type: "integer", unit: "8kB" }) ?? 0);
}
