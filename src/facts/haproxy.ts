import type { Probe } from "../host/host";

/** Which servers each entrance leads to now: `{ primary: ["db1"], replica: ["db2", "db3"] }`. */
export type Entrances = { readonly [name: string]: readonly string[] };

/** HAProxy's own statistics, asked on the host itself. */
export function entrancesProbe(statsPort: number): Probe<Entrances> {
  return {
    script: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${statsPort}; printf "GET /;csv HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3' 2>/dev/null || :`,
    parse(output) {
      const entrances: { [name: string]: string[] } = {};
      for (const line of output.split(/\r?\n/)) {
        const fields = line.split(",");
        const [entrance = "", server = ""] = fields;
        if (fields.length < 18 || entrance.startsWith("#") || entrance === "stats") continue;
        entrances[entrance] ??= [];
        const status = fields[17] ?? "";
        if (!["FRONTEND", "BACKEND"].includes(server) && status.startsWith("UP")) {
          entrances[entrance]?.push(server);
        }
      }
      return entrances;
    },
  };
}

/** Which of these IP addresses the host holds now. */
export function addressesHeldProbe(addresses: readonly string[]): Probe<string[]> {
  return {
    script: "ip -o address show",
    parse: (output) => addresses.filter((address) => output.includes(` ${address}/`)),
  };
}
