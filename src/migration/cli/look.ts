import type { OpenCluster } from "../../cli/cluster";
import type { MigrationStep } from "../../config/schema";
import { dcsAt } from "../../dcs/dcs";
import { patroniKey } from "../../dcs/patroni";
import { RULES_FILE, isClosed } from "../../facts/firewall";
import type { Probe } from "../../host/host";
import { askEach, demandAll } from "../../operations/ask";
import { askDcs } from "../../operations/dcs";
import { observeStatus } from "../../operations/status";
import { planCluster } from "../../plan/plan";
import type { MigrationPlan, StandbyPlan } from "../../plan/types";
import { directClientsProbe, keptSourceProbe, oldClientsProbe } from "../facts/adoption";
import type { Client } from "../facts/source";
import type { Method } from "../steps";
import { stepsDone, type ServerState, type StepState } from "./steps-done";

/** The server that is migrated. */
interface ServerStatus {
  /** The host of the server that is migrated. */
  readonly host: string;
  /**
   * `alone`: nothing of it has been changed; `adopted`: its adoption has begun, and Patroni leads it once that step is done;
   * `followed`: members copy it or stream from it; `replaced`: they have taken its place, and it lets nobody in.
   */
  readonly state: ServerState;
  /** Who is still connected to the server's own address; nothing where it does not say: it is stopped, or away. */
  readonly direct?: readonly Client[];
  /** Why it does not say. */
  readonly unasked?: string;
}

/** Where a migration stands. */
export interface MigrationStatus extends ServerStatus {
  readonly method: Method;
  /** The step that the stack's settings end with. */
  readonly until: MigrationStep;
  /** All of the method's steps; nothing where the stack takes the migration back. */
  readonly steps?: readonly StepState[];
}

/** Where the migration of this stack stands; nothing if it has none. */
export async function look(cluster: OpenCluster): Promise<MigrationStatus | undefined> {
  const { settings, plan } = cluster;
  const { migration } = settings.cluster;
  if (!migration) return undefined;
  const method = migration.method === "standbyCluster" ? "standbyCluster" : "adopt";
  const found = plan.standby
    ? await lookAtOutsider(cluster, plan.standby)
    : await lookAtMember(cluster, plan.migration as MigrationPlan);
  const known = { ...found, method, until: migration.until } as const;
  if (migration.rollback) return known;
  // Also of what the stack does not ask for yet.
  const whole = planCluster({
    ...settings,
    cluster: { ...settings.cluster, migration: { ...migration, until: "cutOver" } },
  });
  const [status, closed] = await Promise.all([
    observeStatus(whole, (name) => cluster.host(name)),
    method === "adopt" ? isLeft(cluster, known) : undefined,
  ]);
  return { ...known, steps: stepsDone({ method, server: found.state, status, closed }) };
}

/** Whether the old address of a server that was adopted is left for good. */
async function isLeft(
  { plan, host }: OpenCluster,
  { host: name, until, direct }: MigrationStatus,
): Promise<boolean> {
  if (plan.firewalls.some((one) => one.host === name)) return host(name).observe(closedProbe);
  // Without rules nothing closes it.
  return until === "cutOver" && direct?.length === 0;
}

const closedProbe: Probe<boolean> = {
  // There are none before the first run.
  script: `cat ${RULES_FILE} 2>/dev/null || :`,
  parse: isClosed,
};

async function lookAtMember(
  cluster: OpenCluster,
  { cutOver }: MigrationPlan,
): Promise<ServerStatus> {
  const { host: name, port, own, roles } = cutOver;
  const host = cluster.host(name);
  const kept = await host.observe(keptSourceProbe);
  const direct = await host.observe(directClientsProbe(port, own, roles));
  return { host: name, state: kept ? "adopted" : "alone", direct };
}

async function lookAtOutsider(cluster: OpenCluster, { slot }: StandbyPlan): Promise<ServerStatus> {
  const { host, dcs, members } = slot;
  const names = Object.keys(members);
  const { answers, silent } = await askEach(cluster, names, (one) => one.observe(keptSourceProbe));
  const begun = Object.values(answers).some(Boolean);
  if (!begun)
    demandAll(
      silent,
      (away) => `whether members follow ${host} is not known: ${away} cannot be reached`,
    );
  const key = patroniKey(cluster.settings.cluster.name, "config");
  const found =
    begun &&
    (await askDcs(cluster, [...Object.keys(cluster.plan.dcs.members), ...names], (one) =>
      one.observe(dcsAt(dcs).keyProbe(key)),
    ));
  if (found && !("standby_cluster" in (JSON.parse(found.value) as object))) {
    // It may have been opened again, by whoever may do that. It may as well be gone: nobody needs it.
    return cluster
      .host(host)
      .observe(oldClientsProbe(slot))
      .then(
        (direct): ServerStatus => ({ host, state: "replaced", direct }),
        (error: Error) => ({ host, state: "replaced", unasked: error.message }),
      );
  }
  const direct = await cluster.host(host).observe(oldClientsProbe(slot));
  return { host, state: begun ? "followed" : "alone", direct };
}
