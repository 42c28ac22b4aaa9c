import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { beside, downwards, inOneLine } from "./placing";

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

/**
 * Lines between the hosts' cards, where each row of them stands in one line: below each other, a line from one to another
 * passes cards that have no part in it. The cards themselves say the same in words.
 */
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
    const draw = () =>
      setDrawn(standInLine(element) ? lines.flatMap((line) => drawnBetween(element, line)) : []);
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

function standInLine(box: HTMLElement): boolean {
  const rows = [...box.querySelectorAll(".row")].map((row) =>
    [...row.children].map((card) => card.getBoundingClientRect().top),
  );
  return rows.every(inOneLine);
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
