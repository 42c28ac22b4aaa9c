import type { Probe } from "../host/host";
import { quote } from "../host/shell";

/** Settings of the kernel as they are now. */
interface KernelFacts {
  /** By name, blanks folded: `{ "net.ipv4.ip_local_port_range": "1024 65535" }`. Unknown ones are left out. */
  readonly values: { readonly [setting: string]: string };
  /** What a container cannot set for itself: the machine's settings, which all its containers share. */
  readonly leftToMachine: readonly string[];
}

/** The file of a setting: `vm.swappiness` is `/proc/sys/vm/swappiness`. */
export function kernelFile(setting: string): string {
  return setting === HUGE_PAGES
    ? "/sys/kernel/mm/transparent_hugepage/enabled"
    : `/proc/sys/${setting.replaceAll(".", "/")}`;
}

const HUGE_PAGES = "transparent_hugepage";

/** What it comes to where a kernel was built without what the setting is about: huge pages, NUMA. */
const WITHOUT: KernelFacts["values"] = { [HUGE_PAGES]: "never", "vm.zone_reclaim_mode": "0" };

/** These settings of the kernel. */
export function kernelProbe(settings: readonly string[]): Probe<KernelFacts> {
  return {
    script: [
      "systemd-detect-virt --container --quiet && echo container",
      "look() {",
      '  [ -e "$2" ] || return 0',
      // Root may write whatever its mode, except where the file system is mounted read-only.
      '  if [ -w "$2" ]; then access=rw; else access=ro; fi',
      `  echo "$1 $access $(tr -s '[:space:]' ' ' <"$2")"`,
      "}",
      ...settings.map((setting) => `look ${quote(setting)} ${quote(kernelFile(setting))}`),
      ":",
    ].join("\n"),
    parse(output) {
      const lines = output.split("\n").map((line) => line.trim());
      const container = lines.includes("container");
      const found = new Map(
        lines.flatMap((line): [string, { access: string; value: string }][] => {
          const [, setting, access, value] = /^(\S+) (rw|ro) (.*)$/.exec(line) ?? [];
          return setting && access && value !== undefined ? [[setting, { access, value }]] : [];
        }),
      );
      const own = (setting: string) =>
        setting.startsWith("net.") && found.get(setting)?.access === "rw";
      return {
        values: Object.fromEntries(
          settings.flatMap((setting) => {
            const text = found.get(setting)?.value;
            // Huge pages are told as `always madvise [never]`.
            const value =
              (setting === HUGE_PAGES && text && /\[(\w+)\]/.exec(text)?.[1]) ||
              (text ?? WITHOUT[setting]);
            return value === undefined ? [] : [[setting, value]];
          }),
        ),
        leftToMachine: container ? settings.filter((setting) => !own(setting)) : [],
      };
    },
  };
}
