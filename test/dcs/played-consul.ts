import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Entry {
  /** In Base64. */
  readonly value: string;
  readonly index: number;
}

interface Operation {
  readonly KV: {
    readonly Verb: string;
    readonly Key: string;
    readonly Value?: string;
    readonly Index?: number;
  };
}

/** Consul's keys, as the agent of a host tells them (https://developer.hashicorp.com/consul/api-docs/kv, …/txn). */
export class PlayedConsul {
  readonly keys = new Map<string, Entry>();
  /** `unheard` does what it is asked, and its answer is lost; without a leader nothing is done. */
  manner: "well" | "unheard" | "without a leader" | "refusing" | "without the right" = "well";
  /** What it does with servers that are away (…/api-docs/operator/autopilot). */
  autopilot: { readonly CleanupDeadServers?: boolean; readonly ModifyIndex: number } = {
    CleanupDeadServers: true,
    ModifyIndex: 4,
  };
  private index = 10;
  private server?: Server;

  /** Starts it. Returns the URL of a server of it, by whose port an agent is asked. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        if (this.manner === "without a leader") {
          response.writeHead(500).end("No cluster leader");
          return;
        }
        if (this.manner === "refusing") {
          response.writeHead(403).end("ACL not found");
          return;
        }
        if (this.manner === "without the right") {
          const Errors = [{ OpIndex: 0, What: "Permission denied" }];
          response.writeHead(409).end(JSON.stringify({ Results: null, Errors }));
          return;
        }
        const { code, body } = this.answer(request.url ?? "", text);
        if (this.manner === "unheard") request.socket.destroy();
        else response.writeHead(code).end(body);
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return `http://10.89.0.11:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
  }

  private answer(url: string, text: string): { code: number; body: string } {
    const key = /^\/v1\/kv\/([^?]*)/.exec(url)?.[1];
    if (key !== undefined) {
      const found = this.keys.get(decodeURI(key));
      if (!found) return { code: 404, body: "" };
      const Value = found.value === "" ? null : found.value;
      return { code: 200, body: JSON.stringify([{ Key: key, Value, ModifyIndex: found.index }]) };
    }
    if (url.startsWith("/v1/acl/")) return { code: 200, body: "{}" };
    if (url.startsWith("/v1/operator/autopilot/configuration")) {
      const index = /cas=(\d+)$/.exec(url)?.[1];
      if (text === "") return { code: 200, body: JSON.stringify(this.autopilot) };
      if (index !== String(this.autopilot.ModifyIndex)) return { code: 200, body: "false\n" };
      this.autopilot = { ...(JSON.parse(text) as typeof this.autopilot), ModifyIndex: 5 };
      return { code: 200, body: "true\n" };
    }
    const operations = JSON.parse(text) as Operation[];
    const refused = operations.some(({ KV }) => {
      const index = this.keys.get(KV.Key)?.index ?? 0;
      return /cas|check-index/.test(KV.Verb) && index !== KV.Index;
    });
    if (refused) {
      return {
        code: 409,
        body: '{"Results":null,"Errors":[{"OpIndex":0,"What":"index is stale"}]}',
      };
    }
    this.index++;
    for (const { KV } of operations) {
      if (KV.Verb === "delete-tree") {
        for (const one of this.keys.keys()) if (one.startsWith(KV.Key)) this.keys.delete(one);
      } else if (KV.Verb === "delete-cas") this.keys.delete(KV.Key);
      else if (/^(set|cas)$/.test(KV.Verb))
        this.keys.set(KV.Key, { value: KV.Value ?? "", index: this.index });
    }
    return { code: 200, body: '{"Results":[],"Errors":null}' };
  }
}
