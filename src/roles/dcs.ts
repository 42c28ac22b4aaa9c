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

/** A DCS as the settings have it. */
type Dcs = ClusterSettings["dcs"];

/** The DCS that pgherd deploys; none where the stack names one that is there already. */
function ownDcs({ dcs }: ClusterSettings): OwnDcs | undefined {
  return isOwn(dcs) ? dcs : undefined;
}

/** The one that the cluster comes from, and all that is there as long as the stack names that: its own and the other. */
export function formerDcs({ dcs }: ClusterSettings): Dcs | undefined {
  return dcs.movedFrom;
}

/** Alone, as if there were no other. */
export function withoutFormer(dcs: Dcs): Dcs {
  return { ...dcs, movedFrom: undefined };
}

function allDcs(cluster: ClusterSettings): readonly Dcs[] {
  return [cluster.dcs, formerDcs(cluster) ?? []].flat();
}

function isOwn(dcs: Dcs): dcs is OwnDcs {
  return !("endpoints" in dcs);
}

/** The DCS that somebody else runs, if the stack names one. */
export function existingDcs({ dcs }: ClusterSettings): ExistingDcs | undefined {
  return "endpoints" in dcs ? dcs : undefined;
}

type OwnDcs = Extract<ClusterSettings["dcs"], { readonly members: unknown }>;

export type ExistingDcs = Extract<ClusterSettings["dcs"], { readonly endpoints: unknown }>;

/** Of one kind, if pgherd deploys one: the cluster's, or the one that it comes from. They are never of the same kind. */
export function ownDcsOf<Kind extends DcsKind>(cluster: ClusterSettings, kind: Kind) {
  const own = allDcs(cluster)
    .filter(isOwn)
    .find((one) => one.kind === kind);
  return own as Extract<OwnDcs, { readonly kind: Kind }> | undefined;
}

/** The one that somebody else runs, be it the cluster's or the one that it comes from. Never are both. */
export function givenDcs(cluster: ClusterSettings): ExistingDcs | undefined {
  return allDcs(cluster).find((one): one is ExistingDcs => !isOwn(one));
}

/** Where the settings have the DCS of that kind which pgherd deploys: `dcs`, `dcs.movedFrom`. */
export function pathOfOwn({ dcs }: ClusterSettings, kind: DcsKind): string {
  return isOwn(dcs) && dcs.kind === kind ? "dcs" : "dcs.movedFrom";
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

/** A kind that resources may not name. */
export function kindOf(kind: DcsKind = UNNAMED): DcsKind {
  return kind;
}

/** What the DCS of this kind is. */
export function kindOfDcs(kind: DcsKind = UNNAMED): KindOfDcs {
  return KINDS[kind];
}

/** Roles of DCS that a cluster has not. */
export function otherDcsRoles(cluster: ClusterSettings): readonly RoleName[] {
  return DCS_KINDS.filter((kind) => !ownDcsOf(cluster, kind)).map((kind) => KINDS[kind].role);
}

/** What a member needs to speak to its DCS, and to the one that it comes from. */
export function dcsClients(cluster: ClusterSettings): readonly Software[] {
  return [...new Set(allDcs(cluster).flatMap(({ kind }) => KINDS[kind].clients))];
}

/** What keeps the members of one DCS apart from those of another that starts at once; nothing where its kind has none. */
export function dcsToken(cluster: ClusterSettings): string | undefined {
  const etcd = ownDcsOf(cluster, "etcd");
  return etcd && (etcd.token ?? cluster.name);
}

/** Where those who vote in one of that kind keep their data; by default where their user may write. */
export function dcsDirectory(cluster: ClusterSettings, kind: DcsKind = cluster.dcs.kind): string {
  const home = distributionOf(cluster).homes[KINDS[kind].user];
  return ownDcsOf(cluster, kind)?.dataDirectory ?? `${home}/${cluster.name}`;
}

/** The directory that root makes for it and gives to its user, who may write below his home only. */
export function madeDirectory(cluster: ClusterSettings, kind: DcsKind): string {
  const home = distributionOf(cluster).homes[KINDS[kind].user];
  const directory = dcsDirectory(cluster, kind);
  return directory.startsWith(`${home}/`) ? home : directory;
}

/** Whether Patroni tells the DCS what each member is, for those who look for a primary or a replica there. */
export function registersService(cluster: ClusterSettings): boolean {
  return ownDcsOf(cluster, "consul")?.registerService ?? false;
}
