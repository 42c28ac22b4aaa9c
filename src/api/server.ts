import { readFileSync } from "node:fs";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { PgherdError } from "../errors";
import { Refusal } from "../operator/cluster";
import type { AuditEntry } from "./audit";
import { Busy } from "./live";
import { pageFiles } from "./page";
import { addRoutes, type ApiOptions } from "./routes";
import { brings } from "./token";

export interface ServerOptions extends ApiOptions {
  /** What every call must bring. */
  readonly token: string;
  /** Told of every changing call, and of those that were not let in. */
  readonly audit: (entry: AuditEntry) => void;
  /** Files of a certificate and its key: HTTPS instead of HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Changing calls in a minute, all callers together: enough for people, too few for a loop that has run wild. */
const CHANGES_A_MINUTE = 30;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The HTTP server with API and page; it does not listen yet. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { tls } = options;
  const app = Fastify({
    ...(tls && { https: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }),
    // A page that listens for news would keep the server from ending.
    forceCloseConnections: true,
    // Zod's schemas say more than this checker knows; and a misspelt wish is a mistake, not to be left out.
    ajv: { customOptions: { strict: false, removeAdditional: false } },
  }) as unknown as FastifyInstance;
  // The answers are ours: written as they are, their schemas are for the document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  guard(app, options);
  await app.register(swagger, { openapi: DOCUMENT });
  await app.register(rateLimit, {
    global: false,
    max: CHANGES_A_MINUTE,
    timeWindow: "1 minute",
    keyGenerator: () => "all",
    errorResponseBuilder: (_request, { max, after }) => ({
      statusCode: 429,
      error: `${max} changing calls a minute are let in. Try again in ${after}.`,
    }),
  });
  addRoutes(app, options);
  app.get("/api/openapi.json", { schema: { hide: true } }, () => app.swagger());
  for (const { path, type, content } of pageFiles()) {
    app.get(path, { schema: { hide: true } }, (_request, reply) => reply.type(type).send(content));
  }
  return app;
}

function guard(app: FastifyInstance, { token, audit }: ServerOptions): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    // The page itself holds no secret: it asks for the token.
    if (!request.url.startsWith("/api/") || brings(token, request.headers.authorization)) return;
    await reply.code(401).header("www-authenticate", "Bearer").send({
      error: "expected the header `Authorization: Bearer TOKEN`, with the server's token.",
    });
  });
  app.addHook("onResponse", async (request, reply) => {
    if (["GET", "HEAD"].includes(request.method) && reply.statusCode !== 401) return;
    audit({
      at: new Date(Date.now() - reply.elapsedTime).toISOString(),
      address: request.ip ?? "socket",
      method: request.method,
      path: request.url,
      body: request.body,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const reasons = error instanceof Refusal ? error.reasons : undefined;
    const refused = error instanceof Refusal || error instanceof Busy;
    const code = refused ? 409 : error instanceof PgherdError ? 502 : (error.statusCode ?? 500);
    void reply
      .code(code)
      .send({ error: error.message ?? (error as { error?: string }).error, reasons });
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: `${request.method} ${request.url}: there is no such thing.` });
  });
}

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "pgherd",
    version: "1",
    description: "Looks after a highly available PostgreSQL cluster.",
  },
  components: { securitySchemes: { token: { type: "http" as const, scheme: "bearer" } } },
  security: [{ token: [] }],
};
