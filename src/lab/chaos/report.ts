import { brokenPromises, lengthOf, type Interval, type Promised, type Verdict } from "./checker";
import type { History } from "./history";

/** What a report is made from. */
export interface Reported {
  readonly title: string;
  readonly seed?: number;
  readonly history: History;
  readonly verdict: Verdict;
  readonly promised: Promised;
  readonly notRecovered: readonly string[];
  readonly begun: number;
  readonly ended: number;
}

/** What a run came to, a line for each finding, as a person reads it. */
export function summary({ verdict, promised, notRecovered }: Reported): string[] {
  const { acknowledged, failed, unknown, recovered, lost, vanished, interruptions } = verdict;
  const { direct, entryPoint } = verdict.twoPrimaries;
  return [
    `writes         ${acknowledged} acknowledged, ${failed} failed, ${unknown} unknown (${recovered} of them are there)`,
    `lost           ${lost.length} acknowledged rows${promised.durable ? "" : " (asynchronous: some may be)"}`,
    `phantom        ${verdict.phantom.length} rows, duplicate ${verdict.duplicate.length}, out of order ${verdict.reordered.length}`,
    `vanished       ${vanished.length} rows that a reader had seen`,
    `divergent      ${verdict.divergent.join(", ") || "none"}`,
    `two primaries  ${seconds(lengthOf(entryPoint))} through the entry point, ${seconds(lengthOf(direct))} asked by themselves`,
    `interruptions  ${interruptions.length}, the longest ${seconds(interruptions[0] ? lengthOf([interruptions[0]]) : 0)}, together ${seconds(lengthOf(interruptions))}`,
    `timelines      ${verdict.timelines.join(", ")}`,
    ...notRecovered.map((name) => `not whole in time again after: ${name}`),
  ];
}

/** What was promised and not kept, members that did not come back included. */
export function failures(reported: Reported): string[] {
  return [
    ...brokenPromises(reported.verdict, reported.promised),
    ...reported.notRecovered.map((name) => `the cluster was not whole in time after: ${name}`),
  ];
}

/** A page of its own, with the picture in it: writes by the second, faults shaded, interruptions labelled. */
export function renderReport(reported: Reported): string {
  const found = failures(reported);
  const { title, history, begun } = reported;
  const faults = history.faults.map(
    (one) =>
      `<tr><td>${seconds(one.begun - begun)}</td><td>${seconds(one.ended - one.begun)}</td><td>${escape(one.what)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 12px; }
  td, th { padding: 0 1rem 0 0; text-align: left; }
  pre { overflow-x: auto; }
  .bad { color: #c62828; } .good { color: #2e7d32; }
</style>
<h1>${escape(title)}</h1>
${
  found.length === 0
    ? '<p class="good">Everything that was promised was kept.</p>'
    : `<ul class="bad">${found.map((one) => `<li>${escape(one)}</li>`).join("")}</ul>`
}
${picture(reported)}
<pre>${escape(summary(reported).join("\n"))}</pre>
<table><tr><th>At</th><th>For</th><th>Fault</th></tr>${faults.join("")}</table>
</html>
`;
}

const WIDTH = 1000;
const LEFT = 60;
const BARS = 160;
const ROW = 16;
const COLOURS = ["#1565c0", "#2e7d32", "#6a1b9a", "#ef6c00", "#00838f"];

/** Acknowledged writes by the second; below, which member took writes and when. */
function picture({ history, verdict, begun, ended }: Reported): string {
  const length = Math.max(ended - begun, 1);
  const x = (moment: number) => LEFT + ((moment - begun) / length) * (WIDTH - LEFT - 10);
  const bins = writesBySecond(history, begun, length);
  const most = Math.max(...bins, 1);
  const members = Object.keys(history.final.tables).sort();
  const height = 30 + BARS + 24 + members.length * ROW + 24;
  const band = ({ begun: from, ended: to }: Interval, attributes: string, y: number, h: number) =>
    `<rect x="${round(x(from))}" y="${y}" width="${round(Math.max(x(to) - x(from), 1))}" height="${h}" ${attributes}/>`;
  const bars = bins.map((count, second) => {
    const h = (count / most) * BARS;
    const at = begun + second;
    return band({ begun: at, ended: at + 1 }, 'fill="#90a4ae"', round(30 + BARS - h), round(h));
  });
  const faults = history.faults.map(
    (one) =>
      `<g><title>${escape(one.what)}</title>${band(one, 'fill="#fb8c00" opacity="0.25"', 30, BARS)}</g>`,
  );
  const gaps = verdict.interruptions.map(
    (one) =>
      `${band(one, 'fill="#c62828" opacity="0.45"', 30, BARS)}<text x="${round(x(one.begun))}" y="24">${seconds(lengthOf([one]))}</text>`,
  );
  const reigns = members.flatMap((member, i) => {
    const y = 30 + BARS + 24 + i * ROW;
    const label = `<text x="0" y="${y + 11}">${escape(member)}</text>`;
    const took = stretches(history, member).map((one) =>
      band(one, `fill="${COLOURS[i % COLOURS.length]}"`, y, ROW - 4),
    );
    return [label, ...took];
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Acknowledged writes by the second, with faults and interruptions">
<text x="0" y="40">${most}/s</text><text x="0" y="${30 + BARS}">0</text>
${[...bars, ...faults, ...gaps, ...reigns].join("\n")}
<text x="${LEFT}" y="${height - 4}">0 s</text><text x="${WIDTH - 60}" y="${height - 4}">${Math.round(length)} s</text>
</svg>`;
}

function writesBySecond({ writes }: History, begun: number, length: number): number[] {
  const bins = Array.from({ length: Math.ceil(length) }, () => 0);
  for (const { outcome, ended } of writes) {
    const at = Math.floor(ended - begun);
    if (outcome === "ok" && at >= 0 && at < bins.length) bins[at] = (bins[at] ?? 0) + 1;
  }
  return bins;
}

/** Longer without a write taken, and it counts as two stretches. */
const STRETCH_SECONDS = 1;

function stretches({ probes, writes }: History, member: string): Interval[] {
  const found: { begun: number; ended: number }[] = [];
  const taken = [...probes, ...writes.filter(({ outcome }) => outcome === "ok")]
    .filter((one) => one.member === member)
    .sort((a, b) => a.begun - b.begun);
  for (const { ended } of taken) {
    const last = found.at(-1);
    if (last && ended - last.ended < STRETCH_SECONDS) last.ended = Math.max(last.ended, ended);
    else found.push({ begun: ended, ended });
  }
  return found;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
