import { kernelFile } from "../facts/kernel";
import { quote } from "../host/shell";

/** Sets these settings of the running kernel; one that it does not take ends the script with the setting's name. */
export function setKernel(settings: { readonly [setting: string]: string }): string {
  return Object.entries(settings)
    .map(([setting, value]) => {
      const path = kernelFile(setting);
      const refused =
        `${setting}: expected the kernel to take "${value}" in ${path}, got an error. ` +
        "Mend or remove it in pgherd:cluster.system.";
      return `if ! said=$({ printf '%s\\n' ${quote(value)} >${quote(path)}; } 2>&1); then printf '%s\\n%s\\n' ${quote(refused)} "$said" >&2; exit 1; fi`;
    })
    .join("\n");
}
