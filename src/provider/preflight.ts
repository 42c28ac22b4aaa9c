import { hostProbe, type HostFacts } from "../facts/host";
import { candidatesProbe } from "../facts/packages";
import type { CheckFailure } from "../rpc/server";
import type { Context } from "./context";
import type { PreflightInputs, Requirement } from "../resources/inputs";
import type { ResourceType } from "./resource";

export const preflight: ResourceType<PreflightInputs> = {
  identity: ["cluster"],
  id: ({ cluster }) => `${cluster}/preflight`,

  async check(context, { cluster, hosts }) {
    const failures = await Promise.all(
      Object.entries(hosts).map(async ([name, requirement]): Promise<CheckFailure[]> => {
        const reasons = await refusals(context, cluster, name, requirement);
        return reasons.map((reason) => ({ property: "", reason }));
      }),
    );
    return failures.flat();
  },

  async apply(_context, _urn, inputs) {
    return inputs;
  },

  async read(_context, inputs) {
    return inputs;
  },

  async delete() {},
};

/** Why the host cannot be used, each reason with what to do; none if it can. */
async function refusals(
  context: Context,
  cluster: string,
  name: string,
  requirement: Requirement,
): Promise<string[]> {
  const host = context.host(name);
  try {
    const [facts, candidates] = await Promise.all([
      host.observe(hostProbe(requirement.dataDirectory ?? undefined)),
      host.observe(candidatesProbe(requirement.packages)),
    ]);
    return judge(cluster, name, requirement, facts, candidates);
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Debian releases whose packages are known to fit. */
const SYSTEMS = ["debian 12", "debian 13"];
const ARCHITECTURES = ["x86_64", "aarch64"];

/** Exported for its tests: the rules, apart from the questions. */
export function judge(
  cluster: string,
  name: string,
  requirement: Requirement,
  facts: HostFacts,
  candidates: { readonly [name: string]: string },
): string[] {
  const reasons: string[] = [];
  const refuse = (reason: string) => reasons.push(`${name}: ${reason}`);
  if (!SYSTEMS.includes(facts.system)) {
    refuse(`expected Debian 12 or 13, found "${facts.system}". Use another host.`);
  }
  if (!ARCHITECTURES.includes(facts.architecture)) {
    refuse(`expected x86_64 or aarch64, found "${facts.architecture}". Use another host.`);
  }
  if (facts.init !== "systemd") {
    refuse(
      `expected systemd as process 1, found "${facts.init}". A container without it will not do.`,
    );
  }
  const absent = requirement.packages.filter((one) => !candidates[one]);
  if (absent.length > 0) {
    refuse(
      `expected the package sources to have ${absent.join(", ")}. Run apt-get update there, ` +
        "mend /etc/apt/sources.list.d, or choose another postgresql.version.",
    );
  }
  if (requirement.interface && !facts.interfaces.includes(requirement.interface)) {
    refuse(
      `expected an interface ${requirement.interface} for the virtual IP, found ${facts.interfaces.join(", ")}. ` +
        "Mend pgherd:cluster.loadBalancers.interface.",
    );
  }
  if (facts.cluster !== "" && facts.cluster !== cluster) {
    refuse(
      `belongs to the cluster "${facts.cluster}", as /var/lib/pgherd/cluster says. ` +
        "Take another host, or remove that file if that cluster is gone for good.",
    );
  }
  if (facts.cluster === "") {
    if (facts.dataFound) {
      refuse(
        `${requirement.dataDirectory} is not empty and not ours. Move it away, or choose another ` +
          "pgherd:cluster.postgresql.dataDirectory. Nothing was touched.",
      );
    }
    for (const [port, daemon] of Object.entries(requirement.ports)) {
      if (facts.listening.includes(Number(port))) {
        refuse(`port ${port}, which ${daemon} needs, is in use. \`ss -ltnp\` there tells by whom.`);
      }
    }
  }
  return reasons;
}
