// How lines go between cards.

/** Whether cards whose upper edges are there stand beside each other. */
export function inOneLine(tops: readonly number[]): boolean {
  return tops.length === 0 || Math.max(...tops) - Math.min(...tops) < 1;
}

/** From the lower edge of one card to the upper edge of another. */
export function downwards(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 2}`;
}

/** Between cards of one row: an arc below them. */
export function beside(x1: number, x2: number, bottom: number): string {
  const depth = bottom + Math.min(44, 18 + Math.abs(x2 - x1) / 20);
  return `M${x1} ${bottom}C${x1} ${depth} ${x2} ${depth} ${x2} ${bottom + 2}`;
}
