import type { z } from "zod";
import * as shapes from "./schemas";

/** What the OpenAPI document says of a route that only looks, and what its query is checked by. */
export function describe(summary: string, answer: z.ZodType, query?: z.ZodType) {
  return {
    schema: {
      summary,
      ...(query && { querystring: shapes.jsonSchema(query) }),
      response: {
        200: shapes.jsonSchema(answer),
        "4xx": shapes.jsonSchema(shapes.problem),
        "5xx": shapes.jsonSchema(shapes.problem),
      },
    },
  };
}

/** The same of a route that changes something. */
export function changing(summary: string, answer: z.ZodType, body?: z.ZodType) {
  const { schema } = describe(summary, answer);
  return { schema: { ...schema, ...(body && { body: shapes.jsonSchema(body) }) } };
}
