import { useEffect, useRef, useState } from "preact/hooks";
import type { Act } from "./news";
import type { Question, Told } from "./questions";

/** Says what something will do and what speaks against it, asks, does it, and says what came of it. */
export function Ask({ question, act, close }: { question: Question; act: Act; close: () => void }) {
  const { what, doing, grave = false, confirm } = question;
  const dialog = useRef<HTMLDialogElement>(null);
  const [intent, setIntent] = useState<Told>();
  const [typed, setTyped] = useState("");
  const [outcome, setOutcome] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    dialog.current?.showModal();
    if (typeof question.intent !== "string") return setIntent(question.intent);
    act("GET", question.intent)
      .then((found) => setIntent(found as Told))
      .catch((error: Error) => setProblem(error.message));
  }, []);

  const title = intent?.to === undefined ? what : `${what} to ${intent.to}`;
  const objected = (intent?.objections.length ?? 0) > 0;
  const refused = (intent?.refusals.length ?? 0) > 0;
  const go = () => {
    if (!intent) return;
    setBusy(true);
    setProblem(undefined);
    question
      .go(act, intent)
      .then((said) => (said === undefined ? dialog.current?.close() : setOutcome(said)))
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setBusy(false));
  };
  const done = outcome !== undefined;
  return (
    <dialog ref={dialog} onClose={close} aria-label={title}>
      <h2>{title}</h2>
      {done ? (
        <p role="status">{outcome}</p>
      ) : (
        <>
          <List items={refused ? [] : intent?.effects} />
          <List title="It is refused:" items={intent?.refusals} />
          <List title="It should wait:" items={intent?.objections} />
          {!intent && !problem && <p role="status">Looking at the hosts…</p>}
          {intent && !refused && confirm !== undefined && (
            <label class="confirm">
              Type {confirm} to go on
              <input
                value={typed}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
          )}
          {busy && <p role="status">{doing}</p>}
        </>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="buttons">
        {!done && !refused && (
          <button
            class={grave ? "grave" : ""}
            onClick={go}
            disabled={!intent || busy || (confirm !== undefined && typed.trim() !== confirm)}
          >
            {objected ? `${title} all the same` : title}
          </button>
        )}
        <button class="quiet" onClick={() => dialog.current?.close()}>
          {done || refused ? "Close" : "Cancel"}
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
