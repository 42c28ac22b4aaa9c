import { useState } from "preact/hooks";
import type { Act } from "./news";
import { switchState } from "./switch-state";

/**
 * The switch of a lab's host. It shows what is: quiet while there is power, red once it has been cut. Its guard is a
 * question, which comes before the power goes; starting a host does no harm and asks nothing.
 */
export function PowerSwitch({
  host,
  state,
  act,
  cut,
}: {
  host: string;
  state: "up" | "booting" | "off";
  act: Act;
  /** Asks whether to cut it. */
  cut: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const start = () => {
    setBusy(true);
    setProblem(undefined);
    act("PUT", `lab/hosts/${host}/power`, { on: true })
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setBusy(false));
  };
  const told = switchState(state, busy);
  return (
    <div class="power">
      <button
        role="switch"
        aria-checked={told.on}
        aria-label={`Power of ${host}`}
        class={told.on ? "" : "pulled"}
        disabled={told.waits}
        onClick={told.on ? cut : start}
      >
        <span>{told.text}</span>
      </button>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
