import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { BalancerState, MemberState } from "../operations/status";
import { Ask } from "./ask";
import { BalancerCard, HostCard, MemberCard, StandaloneCard, voterOn } from "./cards";
import { Details } from "./details";
import { Lines, type Line } from "./lines";
import type { Act, News } from "./news";
import { PowerSwitch } from "./power";
import { anotherLeader, leads, powerCut, type Question } from "./questions";

/** The topology: who leads, who streams from whom, where clients come in, and what is agreed where. */
export function Cluster({ news, act }: { news: News; act: Act }) {
  const [question, setQuestion] = useState<Question>();
  const [opened, setOpened] = useState<string>();
  const box = useRef<HTMLElement>(null);
  const { status, power, operation } = news;
  if (!status) return null;
  const { members, loadBalancers, dcs, vips, backup, standalone } = status;
  const placed = new Set([
    ...members.map(({ name }) => name),
    ...loadBalancers.map(({ host }) => host),
    ...(standalone ? [standalone.host] : []),
  ]);
  const others = [
    ...dcs.members.map(({ host }) => host),
    ...Object.keys(power ?? {}),
    ...(backup ? [backup.host] : []),
  ].filter((host) => !placed.has(host));
  const powerOf = (host: string): ComponentChildren =>
    power?.[host] && (
      <PowerSwitch
        host={host}
        state={power[host]}
        act={act}
        cut={() => setQuestion(powerCut(host, status))}
      />
    );
  return (
    <section class="cluster" ref={box} aria-label="Topology">
      <Lines box={box} lines={linesOf(members, loadBalancers)} />
      {loadBalancers.length > 0 && (
        <ul class="row" aria-label="Load balancers">
          {loadBalancers.map((balancer) => (
            <BalancerCard
              key={balancer.host}
              balancer={balancer}
              vips={vips}
              open={() => setOpened(balancer.host)}
            >
              {powerOf(balancer.host)}
            </BalancerCard>
          ))}
        </ul>
      )}
      <ul class="row" aria-label="Members">
        {standalone && (
          <StandaloneCard server={standalone} open={() => setOpened(standalone.host)}>
            {powerOf(standalone.host)}
          </StandaloneCard>
        )}
        {members.map((member) => (
          <MemberCard
            key={member.name}
            member={member}
            dcs={voterOn(dcs, member.name)}
            sessions={sessionsOf(member.name, loadBalancers)}
            busy={operation !== undefined}
            open={() => setOpened(member.name)}
            promote={() => setQuestion(anotherLeader(status, member.name))}
          >
            {powerOf(member.name)}
          </MemberCard>
        ))}
      </ul>
      {others.length > 0 && (
        <ul class="row" aria-label="Other hosts">
          {[...new Set(others)].map((host) => (
            <HostCard
              key={host}
              host={host}
              dcs={voterOn(dcs, host)}
              backup={backup?.host === host ? backup : undefined}
              at={status.at}
              open={() => setOpened(host)}
            >
              {powerOf(host)}
            </HostCard>
          ))}
        </ul>
      )}
      {opened !== undefined && (
        <Details
          host={opened}
          member={memberNamed(members, opened)}
          act={act}
          ask={setQuestion}
          close={() => setOpened(undefined)}
        />
      )}
      {question && <Ask question={question} act={act} close={() => setQuestion(undefined)} />}
    </section>
  );
}

function memberNamed(members: readonly MemberState[], host: string) {
  const found = members.find(({ name }) => name === host);
  return found && { serves: found.condition === "serving", leads: leads(found) };
}

/** Sessions that come through the load balancers, of all that were asked. */
function sessionsOf(member: string, balancers: readonly BalancerState[]): number | undefined {
  const seen = balancers.filter(({ answers }) => answers);
  if (seen.length === 0) return undefined;
  return seen
    .flatMap(({ servers }) => servers)
    .filter(({ server }) => server === member)
    .reduce((sum, { sessions }) => sum + sessions, 0);
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
