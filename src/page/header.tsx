import { useState } from "preact/hooks";
import { Ask } from "./ask";
import type { Act, News } from "./news";
import { anotherLeader, leads, type Question } from "./questions";

const HEALTH = {
  healthy: "healthy",
  degraded: "takes writes, but is not whole",
  down: "takes no writes",
  unknown: "not known whether it takes writes",
};

/** How the cluster is, and what can be done to all of it. */
export function Header({ news, connected, act }: { news: News; connected: boolean; act: Act }) {
  const [question, setQuestion] = useState<Question>();
  const [problem, setProblem] = useState<string>();
  const { status, operation } = news;
  if (!status) {
    return (
      <header>
        <h1>pgherd</h1>
        <p role="status">{connected ? "Looking at the hosts…" : "Connecting…"}</p>
      </header>
    );
  }
  const { cluster, health, paused, problems, standalone } = status;
  const led = status.members.some(leads);
  const pause = () => {
    setProblem(undefined);
    act("PUT", "pause", { paused: !paused }).catch((error: Error) => setProblem(error.message));
  };
  return (
    <header>
      <h1>{cluster}</h1>
      <p class={`health ${connected ? health : "unknown"}`} role="status">
        {connected ? HEALTH[health] : "connection lost, trying again…"}
        {paused && " · paused"}
        {standalone && " · the stack rolls its migration back, only the old server counts"}
      </p>
      {!standalone && (
        <div class="buttons">
          <button
            class={led ? "" : "grave"}
            onClick={() => setQuestion(anotherLeader(status))}
            disabled={operation !== undefined}
          >
            {led ? "Switch over…" : "Fail over…"}
          </button>
          <button class="quiet" onClick={pause} disabled={operation !== undefined}>
            {paused ? "Resume" : "Pause"}
          </button>
        </div>
      )}
      {operation && (
        <p class="operation" role="status">
          <b>{operation.what}</b> {operation.message}
        </p>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {problems.length > 0 && (
        <ul class="problems" aria-label="What is wrong">
          {problems.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {question && <Ask question={question} act={act} close={() => setQuestion(undefined)} />}
    </header>
  );
}
