// Writes and reads rows while a server becomes a cluster, wherever a file says that it is (of several lines the places
// are tried one after the other), until another file appears.
// Then prints, for each step that a third file has named meanwhile, how long clients could not write or read, and which
// rows were acknowledged: {"acknowledged": [1, 2], "unknown": [3], "steps": {"adopted": {"writeMs": 120, "readMs": 80}}}.
// Usage: node shopper.cjs FOLDER   with files `uri`, `step`, and later `stop` in it, and PGPASSWORD in the environment.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const pg = require("pg");

const folder = process.argv[2];
const PAUSE_MS = 20;
const TIMEOUT_MS = 3000;

const read = (name) => fs.readFileSync(path.join(folder, name), "utf8").trim();
const stopped = () => fs.existsSync(path.join(folder, "stop"));

const result = { acknowledged: [], unknown: [], steps: {} };

/** Does something again and again, and notes the longest time between two successes. */
async function loop(kind, work) {
  let client;
  let told;
  let turn = 0;
  let before = Date.now();
  while (!stopped()) {
    const wanted = read("uri");
    if (client && told !== wanted) {
      await client.end().catch(() => {});
      client = undefined;
    }
    try {
      told = wanted;
      const places = wanted.split("\n");
      client ??= await connect(places[turn++ % places.length]);
      await work(client);
      note(kind, Date.now() - before);
      before = Date.now();
    } catch {
      await client?.end().catch(() => {});
      client = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await client?.end().catch(() => {});
}

function note(kind, milliseconds) {
  const step = (result.steps[read("step")] ??= { writeMs: 0, readMs: 0, writes: 0, reads: 0 });
  step[`${kind}Ms`] = Math.max(step[`${kind}Ms`], milliseconds);
  step[`${kind}s`] += 1;
}

async function connect(uri) {
  const client = new pg.Client({
    connectionString: uri,
    password: process.env.PGPASSWORD,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

let id;

async function write(client) {
  // Rows of an earlier run stay.
  id ??= Number(
    (await client.query("select coalesce(max(id), 0) as last from orders")).rows[0].last,
  );
  const own = ++id;
  try {
    await client.query("insert into orders (id) values ($1)", [own]);
    result.acknowledged.push(own);
  } catch (error) {
    result.unknown.push(own);
    throw error;
  }
}

async function main() {
  await Promise.all([
    loop("write", write),
    loop("read", (client) => client.query("select count(*) from orders where id > 0")),
  ]);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

void main().then(() => process.exit(0));
