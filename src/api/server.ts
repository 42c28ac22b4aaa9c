import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifySchemaValidationError,
} from "fastify";
import { PgherdError, UsageError } from "../errors";
import { Refusal } from "../cluster/cluster";
import { inFields, toldInFields } from "./fields";
import { Guard, isLook, type GuardOptions } from "./guard";
import { Busy } from "./live";
import { ownNames } from "./names";
import { requireOwnDirectory } from "./own-file";
import { pageFiles } from "./page";
import { collectPaths, type Paths } from "./paths";
import type { ApiOptions } from "./options";
import { addRoutes } from "./routes";

interface ServerOptions extends ApiOptions, Omit<GuardOptions, "isOwnName"> {
  /** Names of this server, beside `localhost`, the machine's own and those of its certificate. */
  readonly names?: readonly string[];
  /** Files of a certificate and its key: HTTPS instead of HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Changing calls in a minute, all callers together: enough for people, too few for a loop that has run wild. */
const CHANGES_A_MINUTE = 30;

/** Bytes of a body; the largest that means anything has some hundred. */
const BODY_BYTES = 16_384;

/** Milliseconds in which a call must have come in. */
const COMING_IN_MS = 30_000;

/** The HTTP server with API and page; it does not listen yet. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { tls, names = [] } = options;
  const cert = tls && readFileSync(tls.cert);
  const isOwnName = ownNames(names, cert && new X509Certificate(cert));
  const guard = new Guard({ ...options, isOwnName });
  const app = Fastify({
    ...(tls && { https: { cert, key: readFileSync(tls.key) } }),
    bodyLimit: BODY_BYTES,
    requestTimeout: COMING_IN_MS,
    // A page that listens for news would keep the server from ending.
    forceCloseConnections: true,
    // Zod's schemas say more than this checker knows; a misspelt wish is a mistake, not to be left out, and a list no name.
    ajv: { customOptions: { strict: false, removeAdditional: false, coerceTypes: true } },
    // What the router itself gives up on passes no hook.
    frameworkErrors: ({ message }, request, reply: unknown) => {
      const answer = reply as FastifyReply;
      if (!guard.refuses(request, answer)) void answer.code(400).send({ error: message });
    },
  }) as unknown as FastifyInstance;
  const paths = collectPaths(app);
  // The answers are ours: written as they are, their schemas are for the document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  guard.watch(app);
  acceptNoBody(app);
  answerErrors(app, paths);
  app.addHook("preSerialization", async (request, _reply, answer) => toldInFields(answer, request));
  await app.register(swagger, { openapi: DOCUMENT });
  await app.register(rateLimit, {
    max: CHANGES_A_MINUTE,
    timeWindow: "1 minute",
    allowList: ({ method }) => isLook(method),
    keyGenerator: () => "all",
    errorResponseBuilder: (_request, { max, after }) => ({
      statusCode: 429,
      error: `${max} changing calls a minute are let in. Try again in ${after}.`,
    }),
  });
  addRoutes(app, options);
  app.get("/api/openapi.json", { schema: { hide: true } }, () => app.swagger());
  for (const { path, type, content } of pageFiles()) {
    app.get(path, { config: { open: true }, schema: { hide: true } }, (_request, reply) =>
      reply.type(type).send(content),
    );
  }
  return app;
}

/** A call without a body wishes for nothing in particular, whatever type it says that its body has: `curl -X POST`. */
function acceptNoBody(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ headers }) => {
    if (headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0)
      delete headers["content-type"];
  });
  app.addHook("preValidation", async (request) => {
    if (!isLook(request.method)) request.body ??= {};
  });
}

/** Listens on a Unix socket that nobody else may connect to. @throws PgherdError if others could replace it */
export async function listenOnSocket(app: FastifyInstance, socket: string): Promise<void> {
  requireOwnDirectory(socket, "--socket");
  // Whoever may write to a socket may connect, and it is made with the rights that the mask leaves.
  const mask = process.umask(0o177);
  try {
    await app.listen({ path: socket });
  } finally {
    process.umask(mask);
  }
}

function answerErrors(app: FastifyInstance, paths: Paths): void {
  app.setSchemaErrorFormatter(
    (errors, where) => new Error(errors.map((one) => mistake(one, where)).join("; ")),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const reasons = error instanceof Refusal ? error.reasons : undefined;
    const refused = error instanceof Refusal || error instanceof Busy;
    const wrong = error instanceof UsageError ? 400 : undefined;
    const failed = error instanceof PgherdError ? 502 : (error.statusCode ?? 500);
    const code = refused ? 409 : (wrong ?? failed);
    const said = error.message ?? (error as { error?: string }).error ?? "";
    void reply.code(code).send({
      error: inFields(said, request),
      reasons: reasons?.map((reason) => inFields(reason, request)),
    });
  });
  app.setNotFoundHandler((request, reply) => {
    const call = `${request.method} ${request.url}`;
    const methods = paths.methodsAt(request.url);
    if (methods.length === 0)
      return reply.code(404).send({ error: `${call}: there is no such thing.` });
    const allowed = methods.join(", ");
    return reply
      .code(405)
      .header("allow", allowed)
      .send({ error: `${call}: expected one of the methods ${allowed} there.` });
  });
}

/** What is wrong with a call's query or body, by the name of the field. */
function mistake(
  { keyword, instancePath, params, message = "" }: FastifySchemaValidationError,
  where: string,
): string {
  const place = where === "querystring" ? "query" : where;
  const field = [place, ...instancePath.split("/").slice(1)].join(".");
  return keyword === "additionalProperties"
    ? `${field}: there is no field "${String(params.additionalProperty)}" for this call. Mend its name or leave it out`
    : `${field} ${message}`;
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
