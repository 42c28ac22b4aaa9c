import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

/** From one host to another. */
export interface Line {
  readonly from: string;
  readonly to: string;
  /** `writes` and `reads` come from clients; `stream` and `sync` are replication. */
  readonly kind: "writes" | "reads" | "stream" | "sync";
}

interface Drawn extends Line {
  readonly path: string;
}

/** Lines between the hosts' cards, wherever these have come to stand. The cards themselves say the same in words. */
export function Lines({
  box,
  lines,
}: {
  box: RefObject<HTMLElement | null>;
  lines: readonly Line[];
}) {
  const [drawn, setDrawn] = useState<readonly Drawn[]>([]);
  const wanted = JSON.stringify(lines);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const draw = () => setDrawn(lines.flatMap((line) => drawnBetween(element, line)));
    draw();
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    for (const card of element.querySelectorAll("[data-host]")) observer.observe(card);
    return () => observer.disconnect();
  }, [wanted]);
  return (
    <svg class="lines" aria-hidden="true">
      <defs>
        {(["writes", "reads", "stream", "sync"] as const).map((kind) => (
          <marker
            key={kind}
            id={`arrow-${kind}`}
            class={kind}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0 0L8 4L0 8z" />
          </marker>
        ))}
      </defs>
      {drawn.map(({ from, to, kind, path }) => (
        <path
          key={`${from} ${to} ${kind}`}
          class={kind}
          d={path}
          marker-end={`url(#arrow-${kind})`}
        />
      ))}
    </svg>
  );
}

function drawnBetween(box: HTMLElement, line: Line): Drawn[] {
  const find = (host: string) => box.querySelector(`[data-host="${CSS.escape(host)}"]`);
  const [from, to] = [find(line.from), find(line.to)];
  if (!from || !to) return [];
  const origin = box.getBoundingClientRect();
  const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
  const x = (rect: DOMRect) => rect.left + rect.width / 2 - origin.left;
  const path =
    a.bottom <= b.top
      ? downwards(x(a), a.bottom - origin.top, x(b), b.top - origin.top)
      : beside(x(a), x(b), Math.max(a.bottom, b.bottom) - origin.top);
  return [{ ...line, path }];
}

function downwards(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 2}`;
}

/** Between cards of one row: an arc below them. */
function beside(x1: number, x2: number, bottom: number): string {
  const depth = bottom + Math.min(44, 18 + Math.abs(x2 - x1) / 20);
  return `M${x1} ${bottom}C${x1} ${depth} ${x2} ${depth} ${x2} ${bottom + 2}`;
}
