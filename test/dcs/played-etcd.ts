import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** How a member behaves: `cut off` takes part in no majority; `unheard` does what it is asked, and its answer is lost. */
type Manner = "well" | "cut off" | "unheard";

interface Entry {
  readonly value: string;
  readonly revision: number;
}

interface Operation {
  readonly requestPut?: { readonly key: string; readonly value: string };
  readonly requestRange?: { readonly key: string };
  readonly requestDeleteRange?: { readonly key: string; readonly rangeEnd?: string };
}

/** etcd's keys, behind the JSON gateway of each of its members (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/). */
export class PlayedEtcd {
  readonly keys = new Map<string, Entry>();
  private revision = 1;
  private readonly servers: Server[] = [];

  /** Starts a member. Returns its URL. */
  async member(manner: Manner = "well"): Promise<string> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        if (manner === "cut off") {
          response.writeHead(503).end('{"error":"etcdserver: request timed out","code":14}');
          return;
        }
        const answer = this.answer(request.url ?? "", JSON.parse(text) as never);
        if (manner === "unheard") request.socket.destroy();
        else response.end(JSON.stringify({ header: { cluster_id: "1" }, ...answer }));
      });
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.servers) server.close();
  }

  /** What stands there: `{ "/service/demo/config": "{}" }`. */
  contents(): { [key: string]: string } {
    return Object.fromEntries([...this.keys].map(([key, { value }]) => [key, value]));
  }

  set(key: string, value: string): void {
    this.keys.set(key, { value, revision: ++this.revision });
  }

  private answer(path: string, body: Record<string, never>): object {
    if (path === "/v3/kv/range")
      return this.one({ requestRange: body as never }).responseRange ?? {};
    if (path === "/v3/kv/put") return this.one({ requestPut: body as never });
    const {
      compare = [],
      success = [],
      failure = [],
    } = body as {
      compare?: { key: string; target: string; result: string; modRevision: string }[];
      success?: Operation[];
      failure?: Operation[];
    };
    const succeeded = compare.every(
      ({ key, target, result, modRevision }) =>
        `${target} ${result}` === "MOD EQUAL" &&
        String(this.keys.get(plain(key))?.revision ?? 0) === modRevision,
    );
    const responses = (succeeded ? success : failure).map((one) => this.one(one));
    // What is false or empty is left out.
    return { ...(succeeded && { succeeded }), ...(responses.length > 0 && { responses }) };
  }

  private one({ requestPut, requestRange, requestDeleteRange }: Operation): {
    responseRange?: object;
  } & object {
    if (requestPut) this.set(plain(requestPut.key), plain(requestPut.value));
    if (requestDeleteRange) {
      const [from, end] = [requestDeleteRange.key, requestDeleteRange.rangeEnd].map((one) =>
        one === undefined ? undefined : plain(one),
      ) as [string, string | undefined];
      for (const key of [...this.keys.keys()])
        if (end === undefined ? key === from : key >= from && key < end) this.keys.delete(key);
    }
    if (!requestRange) return {};
    const found = this.keys.get(plain(requestRange.key));
    const value = Buffer.from(found?.value ?? "").toString("base64");
    return {
      responseRange: found
        ? {
            kvs: [
              {
                key: requestRange.key,
                mod_revision: String(found.revision),
                ...(value !== "" && { value }),
              },
            ],
            count: "1",
          }
        : {},
    };
  }
}

function plain(text: string): string {
  return Buffer.from(text, "base64").toString();
}
