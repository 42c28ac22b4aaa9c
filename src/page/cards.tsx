import type { ComponentChildren } from "preact";
import type { BalancerState, ClusterStatus, DcsState, MemberState } from "../operations/status";
import { leads } from "./questions";
import { sizeOf } from "../operations/words";
import { ago, count } from "./words";

// A host each: all that the lines between them show stands on them in words as well.

export function BalancerCard({
  balancer: { host, answers, unknown, holdsVip, entrances },
  vips,
  open,
  children,
}: {
  balancer: BalancerState;
  vips: readonly string[];
  open: () => void;
  children: ComponentChildren;
}) {
  const { primary = [], replica = [] } = entrances;
  return (
    <li class={`host balancer ${answers ? "" : "away"}`} data-host={host}>
      <h2>{host}</h2>
      {children}
      {holdsVip && <p class="badge vip">virtual IP {vips.join(", ")}</p>}
      <p class={answers ? "state" : "state ill"}>
        {answers ? "HAProxy" : unknown ? "cannot be asked" : "HAProxy does not answer"}
      </p>
      {answers && (
        <p class="state">
          writes to {primary.join(", ") || "nobody"}, reads to {replica.join(", ") || "nobody"}
        </p>
      )}
      <div class="buttons">
        <Open host={host} open={open} />
      </div>
    </li>
  );
}

/** A member of the DCS, and of which kind that is. */
type Voter = DcsState & Pick<ClusterStatus["dcs"], "kind">;

/** The one on a host, if there is one. */
export function voterOn({ kind, members }: ClusterStatus["dcs"], host: string): Voter | undefined {
  const found = members.find((one) => one.host === host);
  return found && { ...found, kind };
}

/** In place of the role of a member that does not serve. */
const AWAY = {
  silent: "away",
  unknown: "unknown",
  changing: "not up",
  stopped: "not up",
  failed: "not up",
  serving: "",
};

export function MemberCard({
  member,
  dcs,
  sessions,
  busy,
  promote,
  open,
  children,
}: {
  member: MemberState;
  dcs?: Voter;
  /** Through the load balancers; absent where none answers. */
  sessions?: number;
  /** Whether something is done to the cluster. */
  busy: boolean;
  promote: () => void;
  open: () => void;
  children: ComponentChildren;
}) {
  const { name, state, timeline, pendingRestart, upstream } = member;
  const up = member.condition === "serving";
  // What a member was that serves no more is held in the DCS for a while, and is worth nothing.
  const role = up ? member.role : AWAY[member.condition];
  return (
    <li class={`host member ${up ? role : "away"}`} data-host={name} data-role={role}>
      <h2>{name}</h2>
      {children}
      <p class={`badge ${up ? role : "away"}`}>{role.replace("_", " ")}</p>
      <p class="state">
        {upstream !== undefined && up ? `streams from ${upstream}` : state}
        {timeline !== undefined && up && ` · timeline ${timeline}`}
      </p>
      {up && !leads(member) && <p class="state">{lagOf(member)}</p>}
      {up && sessions !== undefined && <p class="state">{count(sessions, "session")} by HAProxy</p>}
      {pendingRestart && <p class="badge pending">restart pending</p>}
      <Voting dcs={dcs} />
      <div class="buttons">
        {up && !leads(member) && (
          <button
            class="quiet"
            onClick={promote}
            disabled={busy}
            aria-label={`Make ${name} the leader`}
          >
            Make leader…
          </button>
        )}
        <Open host={name} open={open} />
      </div>
    </li>
  );
}

/** The server that a migration was rolled back to. */
export function StandaloneCard({
  server: { host, port, condition, state },
  open,
  children,
}: {
  server: NonNullable<ClusterStatus["standalone"]>;
  open: () => void;
  children: ComponentChildren;
}) {
  const up = condition === "serving";
  return (
    <li class={`host member ${up ? "leader" : "away"}`} data-host={host}>
      <h2>{host}</h2>
      {children}
      <p class={`badge ${up ? "leader" : "away"}`}>{up ? "stands alone" : AWAY[condition]}</p>
      <p class="state">
        {state} · port {port}
      </p>
      <div class="buttons">
        <Open host={host} open={open} />
      </div>
    </li>
  );
}

/** A host that is neither: of the DCS alone, or of the backups. */
export function HostCard({
  host,
  dcs,
  backup,
  at,
  open,
  children,
}: {
  host: string;
  dcs?: Voter;
  backup?: ClusterStatus["backup"];
  /** When this was so. */
  at: string;
  open: () => void;
  children: ComponentChildren;
}) {
  return (
    <li class={`host ${backup && backup.problems.length > 0 ? "ill" : ""}`} data-host={host}>
      <h2>{host}</h2>
      {children}
      <Voting dcs={dcs} />
      {backup && <Backups backup={backup} at={at} />}
      <div class="buttons">
        <Open host={host} open={open} />
      </div>
    </li>
  );
}

function Backups({ backup, at }: { backup: NonNullable<ClusterStatus["backup"]>; at: string }) {
  const { unknown, newest, running, verification, nextAt, problems } = backup;
  const now = Date.parse(at) / 1000;
  if (unknown)
    return (
      <>
        <p class="badge away">backups</p>
        <p class="state ill">cannot be asked</p>
      </>
    );
  return (
    <>
      <p class={problems.length > 0 ? "badge away" : "badge backup"}>
        {problems.length > 0 ? "backups not in order" : "backups"}
      </p>
      {running && <p class="state">a backup is being taken</p>}
      <p class="state" title={newest?.id}>
        {newest
          ? `${count(backup.count, "backup")}, the newest ${ago(now - newest.endedAt)} old (${sizeOf(newest.size)})`
          : "no complete backup"}
      </p>
      {verification && (
        <p class={verification.ok ? "state" : "state ill"}>
          test restore {verification.ok ? "succeeded" : "failed"} {ago(now - verification.endedAt)}{" "}
          ago
        </p>
      )}
      {nextAt > now && <p class="state">next backup in {ago(nextAt - now)}</p>}
    </>
  );
}

/** A host's sessions and log, and what can be done to it. */
function Open({ host, open }: { host: string; open: () => void }) {
  return (
    <button class="quiet" onClick={open} aria-label={`Details of ${host}`}>
      Details…
    </button>
  );
}

function Voting({ dcs }: { dcs?: Voter }) {
  if (!dcs) return null;
  const text = dcs.unknown
    ? `${dcs.kind} cannot be asked`
    : !dcs.healthy
      ? `${dcs.kind} is not healthy`
      : dcs.leader
        ? `${dcs.kind} · leads`
        : dcs.kind;
  return <p class={`dcs ${dcs.healthy ? "" : "ill"}`}>{text}</p>;
}

function lagOf({ lagBytes, lagSeconds }: MemberState): string {
  if (lagBytes === undefined) return "lag unknown";
  return `${sizeOf(lagBytes)}${lagSeconds === undefined ? "" : `, ${lagSeconds.toFixed(1)} s`} behind`;
}
