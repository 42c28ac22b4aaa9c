import type { z } from "zod";
import * as shapes from "./schemas";

/**
 * What the OpenAPI document says of a route that only looks, and what its query is checked by: a wish that nobody knows is
 * a mistake, whose caller would take the answer for another one.
 */
export function describe(summary: string, answer: z.ZodType, query: z.ZodType = shapes.nothing) {
  return {
    schema: {
      summary,
      querystring: shapes.jsonSchema(query),
      response: {
        200: shapes.jsonSchema(answer),
        "4xx": shapes.jsonSchema(shapes.problem),
        "5xx": shapes.jsonSchema(shapes.problem),
      },
    },
  };
}

/** The same of a route for one of some things that have names: another name is refused before anything is asked. */
export function of<T extends object>(
  param: string,
  names: readonly string[],
  { schema }: { readonly schema: T },
) {
  const params = {
    type: "object",
    properties: { [param]: { type: "string", enum: names } },
    required: [param],
  };
  return { schema: { ...schema, params } };
}

/** The same of a route that changes something: what is wished for stands in its body. */
export function changing(summary: string, answer: z.ZodType, body: z.ZodType = shapes.nothing) {
  const { schema } = describe(summary, answer);
  return { schema: { ...schema, body: shapes.jsonSchema(body) } };
}
