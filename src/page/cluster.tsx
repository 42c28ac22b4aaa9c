import { useRef, useState } from "preact/hooks";
import type { BalancerState, DcsState, MemberState } from "../operations/status";
import { Lines, type Line } from "./lines";
import type { Act, News } from "./news";
import { PowerButton } from "./power";
import { Switchover } from "./switchover";

/** The topology: who leads, who streams from whom, where clients come in, and what is agreed where. */
export function Cluster({ news, act }: { news: News; act: Act }) {
  const [candidate, setCandidate] = useState<string>();
  const box = useRef<HTMLElement>(null);
  const { status, power, operation } = news;
  if (!status) return null;
  const { members, loadBalancers, dcs, vips, backup } = status;
  const placed = new Set([
    ...members.map(({ name }) => name),
    ...loadBalancers.map(({ host }) => host),
  ]);
  const others = [...Object.keys(power ?? {}), ...(backup ? [backup.host] : [])].filter(
    (host) => !placed.has(host),
  );
  const bare = dcs.filter(({ host }) => !placed.has(host));
  const powerOf = (host: string) =>
    power?.[host] && <PowerButton host={host} state={power[host]} act={act} />;
  return (
    <section class="cluster" ref={box} aria-label="Topology">
      <Lines box={box} lines={linesOf(members, loadBalancers)} />
      {loadBalancers.length > 0 && (
        <ul class="row" aria-label="Load balancers">
          {loadBalancers.map((balancer) => (
            <Balancer key={balancer.host} balancer={balancer} vips={vips}>
              {powerOf(balancer.host)}
            </Balancer>
          ))}
        </ul>
      )}
      <ul class="row" aria-label="Members">
        {members.map((member) => (
          <Member
            key={member.name}
            member={member}
            dcs={dcs.find(({ host }) => host === member.name)}
            promote={operation ? undefined : () => setCandidate(member.name)}
          >
            {powerOf(member.name)}
          </Member>
        ))}
      </ul>
      {bare.length + others.length > 0 && (
        <ul class="row" aria-label="Other hosts">
          {[...new Set([...bare.map(({ host }) => host), ...others])].map((host) => (
            <li key={host} class="host" data-host={host}>
              <h2>{host}</h2>
              <Etcd dcs={bare.find((one) => one.host === host)} />
              {backup?.host === host && (
                <p class={backup.problems.length > 0 ? "state ill" : "state"}>
                  {backup.running
                    ? "a backup is being taken"
                    : backup.newest
                      ? `newest backup ${backup.newest.id}`
                      : "no backup yet"}
                </p>
              )}
              {powerOf(host)}
            </li>
          ))}
        </ul>
      )}
      {candidate && <Switchover to={candidate} act={act} close={() => setCandidate(undefined)} />}
    </section>
  );
}

function Balancer({
  balancer: { host, answers, holdsVip },
  vips,
  children,
}: {
  balancer: BalancerState;
  vips: readonly string[];
  children: preact.ComponentChildren;
}) {
  return (
    <li class={`host balancer ${answers ? "" : "away"}`} data-host={host}>
      <h2>{host}</h2>
      {holdsVip && <p class="badge vip">virtual IP {vips.join(", ")}</p>}
      <p class="state">{answers ? "HAProxy" : "HAProxy does not answer"}</p>
      {children}
    </li>
  );
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

function Member({
  member,
  dcs,
  promote,
  children,
}: {
  member: MemberState;
  dcs?: DcsState;
  promote?: () => void;
  children: preact.ComponentChildren;
}) {
  const { name, state, timeline, pendingRestart } = member;
  const up = member.condition === "serving";
  // What a member was that serves no more is held in the DCS for a while, and is worth nothing.
  const role = up ? member.role : AWAY[member.condition];
  return (
    <li class={`host member ${up ? role : "away"}`} data-host={name} data-role={role}>
      <h2>{name}</h2>
      <p class={`badge ${up ? role : "away"}`}>{role.replace("_", " ")}</p>
      <p class="state">
        {state}
        {timeline !== undefined && up && ` · timeline ${timeline}`}
      </p>
      {up && role !== "leader" && <p class="state">{lagOf(member)}</p>}
      {pendingRestart && <p class="badge pending">restart pending</p>}
      <Etcd dcs={dcs} />
      <div class="buttons">
        {up && role !== "leader" && (
          <button
            class="quiet"
            onClick={promote}
            disabled={!promote}
            aria-label={`Make ${name} the leader`}
          >
            Make leader
          </button>
        )}
        {children}
      </div>
    </li>
  );
}

function Etcd({ dcs }: { dcs?: DcsState }) {
  if (!dcs) return null;
  const text = !dcs.healthy ? "etcd is not healthy" : dcs.leader ? "etcd · leads" : "etcd";
  return <p class={`etcd ${dcs.healthy ? "" : "ill"}`}>{text}</p>;
}

function lagOf({ lagBytes, lagSeconds }: MemberState): string {
  if (lagBytes === undefined) return "lag unknown";
  return `${bytes(lagBytes)}${lagSeconds === undefined ? "" : `, ${lagSeconds.toFixed(1)} s`} behind`;
}

function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const power = count < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** From the holder of the virtual IP to the leader, and from each server to those that stream from it. */
function linesOf(members: readonly MemberState[], balancers: readonly BalancerState[]): Line[] {
  const entrances = balancers
    .filter(({ holdsVip, answers }) => holdsVip && answers)
    .flatMap(({ host, entrances: { primary = [], replica = [] } }) => [
      ...primary.map((to): Line => ({ from: host, to, kind: "writes" })),
      ...replica.map((to): Line => ({ from: host, to, kind: "reads" })),
    ]);
  const streams = members.flatMap(({ name, upstream, syncState }): Line[] =>
    upstream === undefined
      ? []
      : [{ from: upstream, to: name, kind: syncState === "async" ? "stream" : "sync" }],
  );
  return [...entrances, ...streams];
}
