import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** Installed versions by package, e.g. `{ "etcd-server": "3.5.16-4" }`. What is not installed is left out. */
export function packagesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
  return {
    // dpkg-query exits with 1 when one of them is not known, and still prints the others.
    script: `dpkg-query -W -f '\${Package} \${db:Status-Status} \${Version}\\n' ${words(packages)} 2>/dev/null || :`,
    parse(output) {
      const installed: { [name: string]: string } = {};
      for (const line of output.split("\n")) {
        const [name, status, version] = line.split(" ");
        if (name && version && status === "installed") installed[name] = version;
      }
      return installed;
    },
  };
}

/**
 * Versions that could be installed of packages that are not, by package. What the package sources do not have is left
 * out, and what is installed: reading the sources takes longer than all else that is asked of a host.
 */
export function candidatesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
  return {
    script: `installed=$(dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ${words(packages)} 2>/dev/null | sed -n 's/ installed$//p')
missing=$(printf '%s\\n' ${words(packages)} | grep -vxF "\${installed:-none}") || :
[ -z "$missing" ] || apt-cache policy $missing`,
    parse(output) {
      const candidates: { [name: string]: string } = {};
      let name = "";
      for (const line of output.split("\n")) {
        name = /^([^\s:]+):$/.exec(line)?.[1] ?? name;
        const version = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
        if (version && version !== "(none)") candidates[name] = version;
      }
      return candidates;
    },
  };
}

/** Which packages have an older version than the one given: `{ haproxy: "3.0.11-1" }`. Absent ones are not told. */
export function olderProbe(versions: { readonly [name: string]: string }): Probe<string[]> {
  return {
    script: Object.entries(versions)
      .map(
        ([name, version]) =>
          `there=$(dpkg-query -W -f '\${Version}' ${quote(name)} 2>/dev/null) && dpkg --compare-versions "$there" lt ${quote(version)} && echo ${quote(name)}`,
      )
      .concat(":")
      .join("\n"),
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}
