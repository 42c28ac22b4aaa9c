import { useEffect, useRef, useState } from "preact/hooks";
import type { SwitchoverIntent } from "../operator/switchover";
import { duration, type Interruption } from "../probe/report";
import type { Act } from "./news";

interface Outcome {
  readonly from: string;
  readonly to: string;
  readonly timeline?: number;
  readonly interruption?: Interruption;
  readonly unmeasured?: string;
}

/** Says what a switchover will do, asks, does it, and says what it has cost. */
export function Switchover({ to, act, close }: { to?: string; act: Act; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [intent, setIntent] = useState<SwitchoverIntent>();
  const [outcome, setOutcome] = useState<Outcome>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    dialog.current?.showModal();
    act("GET", `switchover${to === undefined ? "" : `?to=${encodeURIComponent(to)}`}`)
      .then((found) => setIntent(found as SwitchoverIntent))
      .catch((error: Error) => setProblem(error.message));
  }, []);

  const go = () => {
    setBusy(true);
    act("POST", "switchover", { to: intent?.to, force: (intent?.objections.length ?? 0) > 0 })
      .then((done) => setOutcome(done as Outcome))
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setBusy(false));
  };
  const refused = (intent?.refusals.length ?? 0) > 0;
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="switchover-title">
      <h2 id="switchover-title">{intent?.to ? `Switch over to ${intent.to}` : "Switch over"}</h2>
      {outcome ? (
        <p role="status">{told(outcome)}</p>
      ) : (
        <>
          <List items={refused ? [] : intent?.effects} />
          <List title="It is refused:" items={intent?.refusals} />
          <List title="It should wait:" items={intent?.objections} />
          {!intent && !problem && <p role="status">Looking at the hosts…</p>}
          {busy && <p role="status">Switching over…</p>}
        </>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="buttons">
        {!outcome && (
          <button onClick={go} disabled={!intent || refused || busy}>
            {intent && intent.objections.length > 0 ? "Switch over all the same" : "Switch over"}
          </button>
        )}
        <button class="quiet" onClick={() => dialog.current?.close()}>
          {outcome ? "Close" : "Cancel"}
        </button>
      </div>
    </dialog>
  );
}

function List({ title, items = [] }: { title?: string; items?: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <>
      {title && <h3>{title}</h3>}
      <ul>
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </>
  );
}

function told({ to, timeline, interruption, unmeasured }: Outcome): string {
  const cost =
    unmeasured !== undefined
      ? `How long writes stood still was not measured: ${unmeasured}`
      : interruption
        ? `Writes stood still for ${duration(interruption.ms)}.`
        : "No write was interrupted.";
  return `${to} leads, on timeline ${timeline}. ${cost}`;
}
