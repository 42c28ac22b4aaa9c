import { distance } from "fastest-levenshtein";

/**
 * Which of the known words somebody most likely meant; nothing if none is near enough to be worth saying. Case and what
 * joins the parts of a word (`data_directory`, `dataDirectory`) make no difference.
 */
export function meantBy(word: string, known: readonly string[]): string | undefined {
  const written = plain(word);
  const near = known
    .map((one) => ({ one, steps: distance(written, plain(one)) }))
    // A third of its letters wrong is a slip, more is another word.
    .filter(({ one, steps }) => steps <= Math.max(1, Math.floor(plain(one).length / 3)))
    .filter(({ one, steps }) => steps < plain(one).length)
    .sort((a, b) => a.steps - b.steps);
  return near[0]?.one;
}

/** `one of db1, db2, got "bd1". Did you mean db2?`: what follows `expected` where a name is none of the known ones. */
export function oneOf(known: readonly string[], found: string): string {
  const meant = meantBy(found, known);
  return (
    `one of ${known.join(", ") || "none, since there is none"}, got "${found}".` +
    (meant === undefined ? "" : ` Did you mean ${meant}?`)
  );
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, "");
}
