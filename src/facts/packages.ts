import type { Probe } from "../host/host";
import { quote, words } from "../host/shell";

/** A command that fails only where dpkg cannot tell. */
function dpkgQuery(format: string, packages: readonly string[]): string {
  // It ends with 1, and a message, when it does not know one of them; the others it has printed (dpkg-query(1)).
  return `{ dpkg-query -W -f ${quote(format)} ${words(packages)} 2>/dev/null || [ $? = 1 ]; }`;
}

/** Installed versions by package, e.g. `{ "etcd-server": "3.5.16-4" }`. What is not installed is left out. */
export function packagesProbe(packages: readonly string[]): Probe<{ [name: string]: string }> {
  return {
    script: dpkgQuery("${Package} ${db:Status-Status} ${Version}\\n", packages),
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
    script: `known=$(${dpkgQuery("${Package} ${db:Status-Status}\\n", packages)})
installed=$(printf '%s\\n' "$known" | sed -n 's/ installed$//p')
# 1: none is missing.
missing=$(printf '%s\\n' ${words(packages)} | grep -vxF "\${installed:-none}") || [ $? = 1 ]
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
          `there=$(${dpkgQuery("${Version}", [name])})
if [ -n "$there" ] && dpkg --compare-versions "$there" lt ${quote(version)}; then echo ${quote(name)}; fi`,
      )
      .concat(":")
      .join("\n"),
    parse: (output) => output.split("\n").filter((line) => line !== ""),
  };
}
