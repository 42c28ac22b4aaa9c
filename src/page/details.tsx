import { useEffect, useRef, useState } from "preact/hooks";
import type { Sessions } from "../cluster/sessions";
import type { Act } from "./news";
import { reinit, restart, type Question } from "./questions";
import { ago, count } from "./words";

interface Log {
  readonly daemons: readonly string[];
  readonly lines: readonly { readonly at: string; readonly unit: string; readonly text: string }[];
}

/** A host from within: who is connected, what its daemons say, and what can be done to a member. */
export function Details({
  host,
  member,
  act,
  ask,
  close,
}: {
  host: string;
  /** What it is as a member, if it is one. */
  member?: { readonly serves: boolean; readonly leads: boolean };
  act: Act;
  ask: (question: Question) => void;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const asking = (question: Question) => () => {
    dialog.current?.close();
    ask(question);
  };
  return (
    <dialog ref={dialog} class="wide" onClose={close} aria-label={host}>
      <div class="head">
        <h2>{host}</h2>
        <button onClick={() => dialog.current?.close()}>Close</button>
      </div>
      {member && (
        <div class="buttons">
          <button class="quiet" onClick={asking(restart(host))}>
            Restart PostgreSQL…
          </button>
          {!member.leads && (
            <button class="quiet" onClick={asking(reinit(host))}>
              Copy anew…
            </button>
          )}
        </div>
      )}
      {member?.serves && <SessionTable member={host} act={act} />}
      <Logs host={host} act={act} />
    </dialog>
  );
}

function SessionTable({ member, act }: { member: string; act: Act }) {
  const { found, problem } = useLook<Sessions>(act, `members/${member}/sessions`);
  return (
    <section aria-label="Sessions">
      <h3>
        Sessions{" "}
        {found && (
          <span class="aside">
            {found.total} of {found.maximum}
          </span>
        )}
      </h3>
      <Waiting found={found} problem={problem} />
      {found?.sessions.length === 0 && <p class="state">No client is connected.</p>}
      {found && found.sessions.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of sessions">
          <table>
            <thead>
              <tr>
                <th scope="col">Sessions</th>
                <th scope="col">User</th>
                <th scope="col">Database</th>
                <th scope="col">Application</th>
                <th scope="col">From</th>
                <th scope="col">State</th>
                <th scope="col">Oldest transaction</th>
              </tr>
            </thead>
            <tbody>
              {found.sessions.map((one) => (
                <tr key={[one.user, one.database, one.application, one.from, one.state].join("\0")}>
                  <td>{one.count}</td>
                  <td>{one.user}</td>
                  <td>{one.database}</td>
                  <td>{one.application}</td>
                  <td>{one.from}</td>
                  <td>{one.state}</td>
                  <td>{one.openSeconds !== undefined && ago(one.openSeconds)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Logs({ host, act }: { host: string; act: Act }) {
  const [daemon, setDaemon] = useState("");
  const query = daemon === "" ? "" : `?daemon=${encodeURIComponent(daemon)}`;
  const { found, problem, again } = useLook<Log>(act, `hosts/${host}/logs${query}`);
  const box = useRef<HTMLDivElement>(null);
  // The latest line is what is looked for.
  useEffect(() => box.current?.scrollTo(0, box.current.scrollHeight), [found]);
  return (
    <section aria-label="Log">
      <div class="head">
        <h3>
          Log{" "}
          <span class="aside">
            {found ? `the latest ${count(found.lines.length, "line")}, UTC` : ""}
          </span>
        </h3>
        {found && found.daemons.length > 1 && (
          <select
            aria-label="Daemon"
            value={daemon}
            onChange={(event) => setDaemon(event.currentTarget.value)}
          >
            <option value="">all daemons</option>
            {found.daemons.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
        <button class="quiet" onClick={again}>
          Again
        </button>
      </div>
      <Waiting found={found} problem={problem} />
      {found && (
        <div ref={box} class="log" tabIndex={0} role="region" aria-label="Lines of the log">
          {found.lines.map(({ at, unit, text }, place) => (
            <p key={place}>
              <time dateTime={at}>{at.slice(5, 19).replace("T", " ")}</time> <b>{unit}</b> {text}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}

function Waiting({ found, problem }: { found?: object; problem?: string }) {
  if (problem !== undefined) {
    return (
      <p class="problem" role="alert">
        {problem}
      </p>
    );
  }
  return found ? null : <p role="status">Looking at the host…</p>;
}

/** What the API says, asked once and each time that it is wanted again. */
function useLook<T>(act: Act, path: string) {
  const [found, setFound] = useState<T>();
  const [problem, setProblem] = useState<string>();
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let wanted = true;
    act("GET", path)
      .then((answer) => {
        if (!wanted) return;
        setFound(answer as T);
        setProblem(undefined);
      })
      .catch((error: Error) => wanted && setProblem(error.message));
    return () => void (wanted = false);
  }, [path, times]);
  return { found, problem, again: () => setTimes((before) => before + 1) };
}
