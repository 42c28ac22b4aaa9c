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

/**
 * The whole of a script is read before its first line runs, so that nothing in it can take the rest for its own input;
 * root's working directory may be one that the user cannot be in.
 */
export const SCRIPT_SHELL = `/bin/sh -euc 'script=$(cat); exec </dev/null; cd /; eval "$script"'`;

/**
 * Runs a script as another user of the host, by itself: it knows nothing of the script around it. No word of it is in
 * an argument of a process.
 */
export function asUser(user: string, script: string): string {
  return `runuser -u ${quote(user)} -- ${SCRIPT_SHELL} ${hereDocument(ended(script))}`;
}

/** A script that ends in a newline. */
export function ended(script: string): string {
  return script.endsWith("\n") ? script : `${script}\n`;
}

/** A script in a shell of its own that ends at the first command that fails, or at a variable that has no value. */
export function strict(script: string): string {
  return `(\nset -eu\n${script}\n)`;
}
