import type { MigrationStep, Settings } from "../config/schema";

/** A step of a migration. */
interface Step {
  readonly name: string;
  /** What has happened then, as docs/migration.md has it. */
  readonly done: string;
  /** Whether a stack that is brought back before it would stop the cluster: then the way back is a rollback. */
  readonly lasts?: true;
}

/**
 * The steps of both methods, in their order: what `until` may be, how far a run goes, and what the documentation tells. The
 * first method has all that there are.
 */
export const STEPS = {
  adopt: [
    {
      name: "prepared",
      done: "Packages and the DCS stand ready. The server itself, its unit and its configuration are untouched.",
    },
    {
      name: "adopted",
      done: "Patroni leads the running server. Its old unit is masked, so that no reboot starts it beside Patroni.",
      lasts: true,
    },
    {
      name: "replicated",
      done: "The other members have a copy and stream. Settings that need a restart have had their one restart, in place.",
      lasts: true,
    },
    {
      name: "balanced",
      done: "HAProxy and the virtual IP lead to it. Clients may use both addresses.",
    },
    { name: "backedUp", done: "Backups follow the leader, if the stack has any." },
    {
      name: "cutOver",
      done: "Hooks `when: cutOver` have moved the clients; nobody is left on the old address; the firewall closes it.",
    },
  ],
  standbyCluster: [
    { name: "prepared", done: "Packages and the DCS stand ready on the new hosts." },
    {
      name: "replicated",
      done: "A slot on the old server keeps WAL; one member has copied it and streams from it, the others stream from that one.",
      lasts: true,
    },
    {
      name: "balanced",
      done: "HAProxy and the virtual IP are there; their read-only ports lead to the members, the others to nobody yet.",
    },
    {
      name: "cutOver",
      done: "The cluster takes writes, the old server lets nobody in. Hooks `when: cutOver` move clients; backups and users follow.",
    },
  ],
} as const satisfies { readonly [method: string]: readonly Step[] };

export type Method = keyof typeof STEPS;

type Name<M extends Method> = (typeof STEPS)[M][number]["name"];

/** The names of a method's steps. */
export function stepNames<M extends Method>(method: M): [Name<M>, ...Name<M>[]] {
  return STEPS[method].map(({ name }) => name) as [Name<M>, ...Name<M>[]];
}

const ORDER: readonly MigrationStep[] = stepNames("adopt");

/** Steps that stop the cluster when they are undone. */
export const LASTING_STEPS: readonly string[] = STEPS.adopt.flatMap((step: Step) =>
  step.lasts ? [step.name] : [],
);

/** Whether a cluster is to be brought as far as this step; one that is not migrated is always brought to the end. */
export function reaches({ cluster }: Settings, step: MigrationStep): boolean {
  const { migration } = cluster;
  return !migration || ORDER.indexOf(step) <= ORDER.indexOf(migration.until);
}

/** The steps of a migration as far as it is to go. */
export function stepsOf(settings: Settings): MigrationStep[] {
  return ORDER.filter((step) => reaches(settings, step));
}

/** Whether the members follow a server that stays outside, instead of taking it over. */
export function isFollowing({ cluster }: Settings): boolean {
  return cluster.migration?.method === "standbyCluster";
}

/** Whether this host has the server that is migrated. */
export function isSource({ cluster }: Settings, host: string): boolean {
  return cluster.migration?.from === host;
}

/** The settings of what a migration has come to: before their step there are no backups. */
export function soFar(settings: Settings): Settings {
  if (reaches(settings, "backedUp")) return settings;
  return { ...settings, cluster: { ...settings.cluster, backup: undefined } };
}
