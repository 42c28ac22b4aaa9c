import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AuditEntry } from "./audit";
import { isOfAnotherPage, nameIn, type IsOwnName } from "./names";
import { Refusals } from "./refusals";
import { brings } from "./token";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route is for everyone. Without this mark it takes the token. */
    readonly open?: true;
  }
}

export interface GuardOptions {
  /** What every call must bring. */
  readonly token: string;
  /** Told of every changing call. */
  readonly audit: (entry: AuditEntry) => void;
  /** Told of calls that were not let in, a few a minute. */
  readonly auditRefused: (entry: AuditEntry) => void;
  readonly isOwnName: IsOwnName;
}

interface Reason {
  readonly status: 401 | 403 | 421;
  readonly error: string;
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Whether a method only looks; all others change something, or may. */
export function isLook(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/**
 * Who is let in: by the route that a call has come to, never by how its address is spelt. What is no route takes the token
 * as well, so that a stranger does not learn what there is.
 */
export class Guard {
  private readonly refusals: Refusals;
  private readonly refused = new WeakSet<FastifyRequest>();

  constructor(private readonly options: GuardOptions) {
    this.refusals = new Refusals(options.auditRefused);
  }

  /** Stands before every route, those that are added later too. */
  watch(app: FastifyInstance): void {
    app.addHook("onRequest", async (request, reply) => {
      if (this.refuses(request, reply)) return reply;
    });
    app.addHook("onResponse", async (request, reply) => {
      if (isLook(request.method) || this.refused.has(request)) return;
      this.options.audit(entryOf(request, reply.statusCode, reply.elapsedTime));
    });
    app.addHook("onClose", async () => this.refusals.close());
  }

  /** Answers a call that is not let in. @returns whether it was none */
  refuses(request: FastifyRequest, reply: FastifyReply): boolean {
    reply.headers(HEADERS);
    const reason = this.reasonAgainst(request);
    if (!reason) return false;
    this.refused.add(request);
    const tooMany = this.refusals.count(entryOf(request, reason.status, 0));
    // Whatever else comes on this connection, its body first of all, is not worth reading.
    reply.header("connection", "close");
    if (tooMany) {
      void reply.code(429).header("retry-after", "60").send({ error: TOO_MANY });
    } else {
      if (reason.status === 401) reply.header("www-authenticate", "Bearer");
      void reply.code(reason.status).send({ error: reason.error });
    }
    return true;
  }

  private reasonAgainst({ raw, headers, routeOptions }: FastifyRequest): Reason | undefined {
    const { isOwnName, token } = this.options;
    // A target such as `http://localhost:8432/` names a host as well (RFC 9112, 3.2.2).
    const target = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? "")?.[1];
    for (const authority of [headers.host ?? "", target]) {
      if (authority === undefined) continue;
      const name = nameIn(authority);
      if (name === undefined || !isOwnName(name)) return misdirected(authority);
    }
    if (routeOptions.config?.open) return undefined;
    if (isOfAnotherPage(headers)) return { status: 403, error: OTHER_PAGE };
    return brings(token, headers.authorization) ? undefined : { status: 401, error: NO_TOKEN };
  }
}

const NO_TOKEN = "expected the header `Authorization: Bearer TOKEN`, with the server's token.";
const OTHER_PAGE =
  "expected a call of this server's own page, or of a program, got one of another page.";
const TOO_MANY = "too many calls from this address were not let in. Calls with the token are.";

function misdirected(authority: string): Reason {
  const name = JSON.stringify(authority.slice(0, 100));
  return {
    status: 421,
    error: `expected a name of this server as Host, got ${name}. If it is one, start pgherd serve with --allowed-host and that name.`,
  };
}

function entryOf(request: FastifyRequest, status: number, ms: number): AuditEntry {
  return {
    at: new Date(Date.now() - ms).toISOString(),
    address: request.ip ?? "socket",
    method: request.method,
    path: request.url,
    body: request.body,
    status,
    ms: Math.round(ms),
  };
}
