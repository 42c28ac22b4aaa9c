import { useState } from "preact/hooks";
import type { Act } from "./news";

/** The red switch of a lab's host. */
export function PowerButton({
  host,
  state,
  act,
}: {
  host: string;
  state: "up" | "booting" | "off";
  act: Act;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const on = state !== "off";
  const turn = () => {
    setBusy(true);
    setProblem(undefined);
    act("PUT", `lab/hosts/${host}/power`, { on: !on })
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <button
        class="power"
        role="switch"
        aria-checked={on}
        aria-label={`Power of ${host}`}
        disabled={busy}
        onClick={turn}
      >
        {busy ? (on ? "…" : "booting…") : state === "booting" ? "booting…" : on ? "on" : "off"}
      </button>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
