import { placeLabels } from "./labels";
import { duration, type Interruption, type Kind, type ProbeReport, type Second } from "./report";

// Pictures of a probe's report: pure, and for the page as well as for a file or a terminal.

const LEFT = 56;
const RIGHT = 16;
const TRACKS: { readonly [kind in Kind]: { readonly top: number; readonly height: number } } = {
  writes: { top: 42, height: 110 },
  reads: { top: 186, height: 50 },
};
const HEIGHT = 270;

/** How the picture measures time. */
interface Scale {
  readonly width: number;
  /** Where a moment lies, by milliseconds since 1970. */
  readonly x: (ms: number) => number;
}

/** More bars than this say no more: seconds are then put together. */
const BARS = 300;

/** Of the picture alone; colours that hold on light and dark ground, by the viewer's own wish. */
const STYLE = `
  .probe { font: 12px system-ui, sans-serif; }
  .probe text { fill: #57606a; }
  .probe .title { font-weight: 600; fill: #1f2328; }
  .probe .ok { fill: #2da44e; }
  .probe .away { fill: #cf222e; opacity: 0.18; }
  .probe .edge { stroke: #cf222e; stroke-width: 1.5; }
  .probe .label { fill: #cf222e; font-weight: 700; font-size: 13px; paint-order: stroke; stroke: #ffffff; stroke-width: 3; }
  .probe .axis { stroke: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    .probe text { fill: #9198a1; }
    .probe .title { fill: #f0f6fc; }
    .probe .ok { fill: #3fb950; }
    .probe .away { fill: #ff7b72; opacity: 0.25; }
    .probe .edge { stroke: #ff7b72; }
    .probe .label { fill: #ff7b72; stroke: #161b22; }
    .probe .axis { stroke: #57606a; }
  }`;

/**
 * A drawing (SVG) of what went through each second, with the interruptions shaded and labelled.
 * @param width in its own units, which are pixels where it is shown as large as it is.
 */
export function drawProbe(report: ProbeReport, width = 900): string {
  const seconds = gathered(report.seconds);
  const step = (seconds[1]?.at ?? 0) - (seconds[0]?.at ?? 0) || 1;
  const start = (seconds[0]?.at ?? 0) * 1000;
  const span = Math.max(1, seconds.length) * step * 1000;
  const scale: Scale = {
    width,
    x: (ms) => LEFT + ((ms - start) / span) * (width - LEFT - RIGHT),
  };
  const parts = (["writes", "reads"] as const)
    .filter((kind) => report[kind].succeeded + report[kind].failed > 0)
    .flatMap((kind) => [
      ...bars(kind, seconds, step, scale),
      ...interrupted(kind, report, start, scale),
    ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" class="probe" role="img">`,
    `<title>${escaped(told(report))}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    ...clock(start, span, scale),
    "</svg>",
    "",
  ].join("\n");
}

/** The same for whoever hears it: `Writes: 1200 succeeded, 3 failed, longest interruption 2.3 s.` */
export function told({ writes, reads, interruptions }: ProbeReport): string {
  const longest = (kind: Kind) =>
    Math.max(0, ...interruptions.filter((one) => one.kind === kind).map(({ ms }) => ms));
  const tell = (name: string, kind: Kind, { succeeded, failed }: ProbeReport["writes"]) =>
    `${name}: ${succeeded} succeeded, ${failed} failed, ` +
    (longest(kind) > 0 ? `longest interruption ${duration(longest(kind))}.` : "no interruption.");
  return `${tell("Writes", "writes", writes)} ${tell("Reads", "reads", reads)}`;
}

const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** One line for a terminal: a block for each second, as high as much went through; × for none. */
export function strip(report: ProbeReport, kind: Kind, width: number): string {
  const seconds = gathered(report.seconds, width);
  const most = Math.max(1, ...seconds.map((second) => second[kind]));
  return seconds
    .map((second) =>
      second[kind] === 0 ? "×" : LEVELS[Math.ceil((second[kind] / most) * LEVELS.length) - 1],
    )
    .join("");
}

function bars(kind: Kind, seconds: readonly Second[], step: number, { width, x }: Scale): string[] {
  const { top, height } = TRACKS[kind];
  const most = Math.max(1, ...seconds.map((second) => second[kind] / step));
  const bar = Math.max(0.5, x(step * 1000) - x(0) - 0.6);
  const path = seconds
    .filter((second) => second[kind] > 0)
    .map((second) => {
      const high = (second[kind] / step / most) * height;
      return `M${round(x(second.at * 1000))} ${round(top + height)}v${round(-high)}h${round(bar)}v${round(high)}z`;
    })
    .join("");
  return [
    `<text class="title" x="${LEFT}" y="${top - 12}">${kind === "writes" ? "Writes" : "Reads"} per second</text>`,
    `<text x="${LEFT - 8}" y="${top + 10}" text-anchor="end">${Math.round(most)}</text>`,
    `<text x="${LEFT - 8}" y="${top + height}" text-anchor="end">0</text>`,
    `<path class="ok" d="${path}"/>`,
    `<path class="axis" d="M${LEFT} ${top + height}H${width - RIGHT}"/>`,
  ];
}

/** Pixels of a line of labels. */
const LABEL_LINE = 15;

/** What is shaded, and above all of it the labels. */
function interrupted(kind: Kind, report: ProbeReport, start: number, scale: Scale): string[] {
  const { top, height } = TRACKS[kind];
  const shown = report.interruptions
    .filter((one) => one.kind === kind && endOf(one, report) > start)
    .map((one) => ({ ...one, x: scale.x(Math.max(start, Date.parse(one.from))) }));
  const labels = shown.map(({ ms, to, x }) => ({
    ...{ x, weight: ms, text: `${duration(ms)}${to === undefined ? " so far" : ""}` },
  }));
  const places = placeLabels(labels, {
    from: LEFT,
    to: scale.width,
    lines: Math.floor(height / LABEL_LINE),
  });
  return [
    ...shown.flatMap((one) => {
      const width = Math.max(2, scale.x(endOf(one, report)) - one.x);
      return [
        `<rect class="away" x="${round(one.x)}" y="${top}" width="${round(width)}" height="${height}"/>`,
        `<path class="edge" d="M${round(one.x)} ${top}v${height}"/>`,
      ];
    }),
    ...labels.flatMap(({ text }, i) => {
      const place = places[i];
      if (!place) return [];
      const y = top + 14 + place.line * LABEL_LINE;
      return `<text class="label" x="${round(place.left)}" y="${y}">${text}</text>`;
    }),
  ];
}

/** Times along the bottom, five at most. */
function clock(start: number, span: number, { width, x }: Scale): string[] {
  const every = [5, 10, 30, 60, 300, 900, 3600, 14400, 86400].find(
    (s) => span / 1000 / s <= width / 150,
  );
  const step = (every ?? 86400) * 1000;
  const ticks: string[] = [];
  for (let at = Math.ceil(start / step) * step; at <= start + span; at += step) {
    const time = new Date(at).toISOString().slice(11, 19);
    const anchor = x(at) > width - 60 ? "end" : "middle";
    ticks.push(
      `<text x="${round(x(at))}" y="${HEIGHT - 10}" text-anchor="${anchor}">${time}</text>`,
    );
  }
  return ticks;
}

/** Seconds put together until they are few enough; their counts are added. */
function gathered(seconds: readonly Second[], most = BARS): Second[] {
  const size = Math.ceil(seconds.length / most);
  if (size <= 1) return [...seconds];
  const groups: Second[] = [];
  for (let i = 0; i < seconds.length; i += size) {
    const group = seconds.slice(i, i + size);
    const sum = (count: keyof Second) => group.reduce((total, one) => total + one[count], 0);
    groups.push({
      at: group[0]?.at ?? 0,
      writes: sum("writes"),
      writesFailed: sum("writesFailed"),
      reads: sum("reads"),
      readsFailed: sum("readsFailed"),
    });
  }
  return groups;
}

function endOf({ to }: Interruption, { until }: ProbeReport): number {
  return Date.parse(to ?? until);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
