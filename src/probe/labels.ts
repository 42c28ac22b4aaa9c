/** A label in a picture: where it begins, how wide it is, in the picture's units. */
interface Placed {
  readonly left: number;
  /** Which line of labels it stands on, the uppermost is 0. */
  readonly line: number;
}

/** A text that belongs to a place on the time axis. */
interface Label {
  readonly text: string;
  readonly x: number;
  /** The larger, the sooner it gets a place. */
  readonly weight: number;
}

/** Of a bold letter at 13 pixels: the widest of digits, and of the small letters beside them, in system fonts. */
const LETTER = 8;
const GAP = 4;

/**
 * Places for labels so that none covers another: each beside its own mark, further down where the line is taken. The
 * weightiest come first; what finds no place has none, rather than making others unreadable.
 * @param room from where to where labels may stand, and on how many lines.
 */
export function placeLabels(
  labels: readonly Label[],
  room: { readonly from: number; readonly to: number; readonly lines: number },
): (Placed | undefined)[] {
  const taken: { line: number; from: number; to: number }[] = [];
  const places = new Map<Label, Placed>();
  for (const label of labels.toSorted((a, b) => b.weight - a.weight)) {
    const width = label.text.length * LETTER;
    const sides = [label.x + GAP, label.x - GAP - width].filter(
      (left) => left >= room.from && left + width <= room.to,
    );
    const place = Array.from({ length: room.lines }, (_, line) => line)
      .flatMap((line) => sides.map((left) => ({ line, left })))
      .find(({ line, left }) =>
        taken.every(
          (other) =>
            other.line !== line || left + width + GAP <= other.from || other.to + GAP <= left,
        ),
      );
    if (!place) continue;
    taken.push({ line: place.line, from: place.left, to: place.left + width });
    places.set(label, place);
  }
  return labels.map((label) => places.get(label));
}
