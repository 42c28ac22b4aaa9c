import type { FastifyRequest } from "fastify";

/**
 * What is done to a cluster speaks of wishes by the options of the command line. A caller of the API has fields of those
 * names: `--accept-data-loss` is `acceptDataLoss` where the call has such a field. Commands that are to be run by hand,
 * such as `pgherd restore --undo`, stay as they are.
 */
export function inFields(text: string, { routeOptions }: FastifyRequest): string {
  const { body, querystring } = routeOptions.schema ?? {};
  const fields = [...fieldsOf(body), ...fieldsOf(querystring)];
  return text.replace(OPTION, (all: string, option: string | undefined) => {
    const field = option?.replace(/-./g, ([, letter = ""]) => letter.toUpperCase());
    return field !== undefined && fields.includes(field) ? field : all;
  });
}

const OPTION = /pgherd [a-z][^\n`]*|--([a-z]+(?:-[a-z]+)*)/g;

function fieldsOf(schema: unknown): string[] {
  const { properties = {} } = (schema ?? {}) as { readonly properties?: object };
  return Object.keys(properties);
}

/** The same of what would be done, and of what speaks against it. */
export function toldInFields(answer: unknown, request: FastifyRequest): unknown {
  if (answer === null || typeof answer !== "object" || !("refusals" in answer)) return answer;
  const intent = answer as { readonly [key: string]: unknown };
  const told = ["refusals", "objections", "effects"].map((key) => {
    const sentences = (intent[key] ?? []) as readonly string[];
    return [key, sentences.map((sentence) => inFields(sentence, request))];
  });
  return { ...intent, ...Object.fromEntries(told) };
}
