/** A value as one word of a POSIX shell, whatever it holds. */
export function quote(value: string | number): string {
  const text = String(value);
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Several words. */
export function words(values: readonly (string | number)[]): string {
  return values.map(quote).join(" ");
}

/** A here-document that holds the text as it is; the text must end in a newline. */
export function hereDocument(text: string): string {
  let mark = "PGHERD";
  while (text.split("\n").includes(mark)) mark += "_";
  return `<<'${mark}'\n${text}${mark}\n`;
}
