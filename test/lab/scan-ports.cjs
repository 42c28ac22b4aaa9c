// Prints as JSON the TCP ports that an address lets this machine connect to.
//   node scan-ports.cjs ADDRESS [--ports 22,5432] [--timeout MILLISECONDS] [--concurrency N]
// Without --ports all 65535 are tried. Plain Node, so that it runs in any network namespace.
"use strict";

const net = require("node:net");
const { parseArgs } = require("node:util");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ports: { type: "string" },
    timeout: { type: "string", default: "500" },
    concurrency: { type: "string", default: "800" },
  },
});

/** What a port answers that is closed. An address that is not there at all must not pass for one with closed ports. */
const CLOSED = ["ECONNREFUSED", "ECONNRESET"];

/** Whether somebody accepts a connection; silence, as of a dropped packet, is none. */
function accepts(address, port, timeoutMs) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port });
    const end = (open) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(open);
    };
    // Where this program itself was held up, what has been accepted meanwhile is heard of first.
    const timer = setTimeout(() => setImmediate(() => end(false)), timeoutMs);
    socket.once("connect", () => end(true));
    socket.once("error", (error) => {
      if (CLOSED.includes(error.code)) return end(false);
      clearTimeout(timer);
      reject(error);
    });
  });
}

async function main() {
  const [address] = positionals;
  if (!address || net.isIP(address) === 0) throw new Error(`expected an address, got ${address}`);
  const ports = values.ports
    ? values.ports.split(",").map(Number)
    : Array.from({ length: 65535 }, (_, i) => i + 1);
  const waiting = ports[Symbol.iterator]();
  const open = [];
  const worker = async () => {
    for (const port of waiting) {
      if (await accepts(address, port, Number(values.timeout))) open.push(port);
    }
  };
  await Promise.all(Array.from({ length: Number(values.concurrency) }, worker));
  process.stdout.write(`${JSON.stringify(open.sort((a, b) => a - b))}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
