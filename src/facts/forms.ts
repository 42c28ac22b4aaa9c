import { FactError } from "../errors";

/** Forms of what hosts answer. */
export const FORMS = {
  /** A position in the WAL: `0/5000060`. */
  position: /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/,
  /** Of a database, the same on all its copies: `7517…`. */
  systemIdentifier: /^\d{1,20}$/,
  /** A backup of Barman's, by the time of its start: `20261121T020001`. */
  backup: /^\d{8}T\d{6}$/,
} as const;

/**
 * What a host answered, if it has the form that it always has. A host is not trusted with what others run: where an
 * answer becomes part of a command or a query, its form is looked at first.
 * @param what for the message: `a position in the WAL`
 * @throws FactError otherwise
 */
export function inForm(form: keyof typeof FORMS, what: string, answer: unknown): string {
  if (typeof answer === "string" && FORMS[form].test(answer)) return answer;
  const found = JSON.stringify(answer) ?? "nothing";
  throw new FactError(`expected ${what}, got ${found.slice(0, 80)}.`);
}
