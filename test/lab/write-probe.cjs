// Writes rows through an entry point, one after the other, until a file appears or the time is over; then prints how
// long clients could not write: {"written": 512, "failed": 3, "longestMs": 2310}. A failed write may be there or not.
// Usage: node write-probe.cjs URI FILE SECONDS   with PGUSER, PGPASSWORD and PGDATABASE in the environment.
"use strict";

const fs = require("node:fs");

const pg = require("pg");

const [uri, stopFile, seconds] = process.argv.slice(2);
const PAUSE_MS = 20;
const TIMEOUT_MS = 3000;

async function main() {
  const result = { written: 0, failed: 0, longestMs: 0 };
  const end = Date.now() + Number(seconds) * 1000;
  let client;
  let id = 0;
  let before = Date.now();
  while (!fs.existsSync(stopFile) && Date.now() < end) {
    try {
      client ??= await connect();
      await client.query("insert into probe values ($1)", [++id]);
      result.written += 1;
      result.longestMs = Math.max(result.longestMs, Date.now() - before);
      before = Date.now();
    } catch {
      result.failed += 1;
      await client?.end().catch(() => {});
      client = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await client?.end().catch(() => {});
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function connect() {
  const client = new pg.Client({
    connectionString: uri,
    user: process.env.PGUSER,
    password: process.env.PGPASSWORD,
    database: process.env.PGDATABASE,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // A connection that breaks while nothing is asked of it shows with the next insert.
  client.on("error", () => {});
  await client.connect();
  return client;
}

void main().then(() => process.exit(0));
