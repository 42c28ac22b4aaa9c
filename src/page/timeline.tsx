import { useLayoutEffect, useState } from "preact/hooks";
import { drawProbe } from "../probe/picture";
import { duration, type ProbeReport } from "../probe/report";
import type { Act } from "./news";

/** What went through the entry point each second, with the interruptions. */
export function Timeline({ report, act }: { report?: ProbeReport; act: Act }) {
  const { figure, width } = useWidth();
  const turn = (running: boolean) => void act("PUT", "probe", { running }).catch(() => undefined);
  if (!report) {
    return (
      <section aria-labelledby="writes">
        <h2 id="writes">Writes</h2>
        <p>
          Nothing is being measured. <button onClick={() => turn(true)}>Write and read</button>
        </p>
      </section>
    );
  }
  const { writes, interruptions } = report;
  const ended = interruptions.filter(({ kind }) => kind === "writes").reverse();
  return (
    <section aria-labelledby="writes">
      <h2 id="writes">Writes and reads through the entry point</h2>
      <figure ref={figure} dangerouslySetInnerHTML={{ __html: drawProbe(report, width) }} />
      <p class="figures">
        {writes.succeeded} writes succeeded, {writes.failed} failed
        {writes.latencyMs &&
          `; half took ${writes.latencyMs.p50} ms or less, 99 % ${writes.latencyMs.p99} ms`}
        .{" "}
        <button class="quiet" onClick={() => turn(false)}>
          Stop
        </button>
      </p>
      {ended.length > 0 && (
        <ul class="interruptions" aria-label="Interruptions of writes">
          {ended.slice(0, 8).map(({ from, to, ms, before, after }) => (
            <li key={from}>
              <b>{duration(ms)}</b> {to === undefined ? "so far, " : ""}from {from.slice(11, 23)}
              {before && ` on ${before}`}
              {after && ` to ${after}`}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** How many of the picture's own units fit into its place: on a phone it shows less, and not smaller. */
function useWidth() {
  // Not a ref: there is no place before there is something to draw, and it has to be noticed when it comes.
  const [element, figure] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(900);
  useLayoutEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(300, element.clientWidth - 18)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return { figure, width };
}
