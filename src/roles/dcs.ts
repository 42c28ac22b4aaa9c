import type { ClusterSettings } from "../config/schema";
import { distributionOf, type Owner, type Software } from "../distributions/distributions";
import type { RoleName } from "./role";

/** The programs that can hold a cluster's state, as `pgherd:cluster.dcs.kind` names them. */
export type DcsKind = ClusterSettings["dcs"]["kind"];

/** What there is to know of a kind of DCS before its own role, which has all else. */
interface KindOfDcs {
  /** The role of the hosts that vote in it. */
  readonly role: RoleName;
  /** Whose its data is. */
  readonly user: Owner;
  /** What a member needs to speak to it, by Patroni and by scripts. */
  readonly clients: readonly Software[];
}

const KINDS: { readonly [kind in DcsKind]: KindOfDcs } = {
  etcd: { role: "etcd", user: "etcd", clients: ["etcdctl", "patroni's client of etcd"] },
  consul: { role: "consul", user: "consul", clients: ["patroni's client of consul"] },
};

/** Who asks Patroni for what the DCS tells of its members. */
export const CHECKING_ROLES: readonly RoleName[] = [KINDS.consul.role];
/** The DCS that pgherd deploys; none where the stack names one that is there already. */
export function ownDcs({ dcs }: ClusterSettings): OwnDcs | undefined {
  return "endpoints" in dcs ? undefined : dcs;
}

/** The DCS that somebody else runs, if the stack names one. */
export function existingDcs({ dcs }: ClusterSettings): ExistingDcs | undefined {
  return "endpoints" in dcs ? dcs : undefined;
}

type OwnDcs = Extract<ClusterSettings["dcs"], { readonly members: unknown }>;

export type ExistingDcs = Extract<ClusterSettings["dcs"], { readonly endpoints: unknown }>;

/** Of one kind, if that is the one that pgherd deploys. */
export function ownDcsOf<Kind extends DcsKind>(cluster: ClusterSettings, kind: Kind) {
  const own = ownDcs(cluster);
  return own?.kind === kind ? (own as Extract<OwnDcs, { readonly kind: Kind }>) : undefined;
}

/** Hosts that vote in it, as far as pgherd deploys it. */
export function votersOf(cluster: ClusterSettings): readonly string[] {
  return ownDcs(cluster)?.members ?? [];
}

/** All kinds. */
export const DCS_KINDS = Object.keys(KINDS) as [DcsKind, ...DcsKind[]];

/** The roles that vote in a DCS, of whatever kind. */
export const DCS_ROLES: readonly RoleName[] = DCS_KINDS.map((kind) => KINDS[kind].role);

/** What resources that name no kind speak of: all of earlier versions. */
export const UNNAMED: DcsKind = "etcd";

/** A kind as resources name it. */
export function namedKind(kind: DcsKind): { readonly kind?: DcsKind } {
  return kind === UNNAMED ? {} : { kind };
}

/** What the DCS of this kind is. */
export function kindOfDcs(kind: DcsKind = UNNAMED): KindOfDcs {
  return KINDS[kind];
}

/** Roles of DCS that a cluster has not. */
export function otherDcsRoles(cluster: ClusterSettings): readonly RoleName[] {
  const own = ownDcs(cluster);
  return DCS_ROLES.filter((role) => role !== (own && KINDS[own.kind].role));
}

/** What keeps the members of one DCS apart from those of another that starts at once; nothing where its kind has none. */
export function dcsToken(cluster: ClusterSettings): string | undefined {
  const etcd = ownDcsOf(cluster, "etcd");
  return etcd && (etcd.token ?? cluster.name);
}

/** Where those who vote keep their data; by default where their user may write. */
export function dcsDirectory(cluster: ClusterSettings): string {
  const { name, dcs } = cluster;
  return (
    ownDcs(cluster)?.dataDirectory ??
    `${distributionOf(cluster).homes[KINDS[dcs.kind].user]}/${name}`
  );
}

/** The directory that root makes for it and gives to its user, who may write below his home only. */
export function madeDirectory(cluster: ClusterSettings): string {
  const home = distributionOf(cluster).homes[KINDS[cluster.dcs.kind].user];
  const directory = dcsDirectory(cluster);
  return directory.startsWith(`${home}/`) ? home : directory;
}

/** Whether Patroni tells the DCS what each member is, for those who look for a primary or a replica there. */
export function registersService(cluster: ClusterSettings): boolean {
  return ownDcsOf(cluster, "consul")?.registerService ?? false;
}
