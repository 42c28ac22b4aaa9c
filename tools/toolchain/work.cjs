// Long work: shown while it lasts, logged, and done by one set-up at a time.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { cache } = require("./places.cjs");

/** Something the user can mend; its message says how. */
class SetupError extends Error {}

const QUIET_MS = 2000;
const SHOWN_LINES = 20;

/**
 * Runs a program, says every now and then how long it has taken, and keeps what it prints in a log.
 *
 * @throws SetupError with the end of the log if it fails.
 */
async function run(what, command, args, options = {}) {
  const log = path.join(cache, "logs", `${what.replace(/ \(.*/, "").replaceAll(" ", "-")}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const output = fs.openSync(log, "w");
  const stop = progress(what);
  const outcome = await new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", output, output] });
    const end = () => child.kill();
    process.once("SIGINT", end).once("SIGTERM", end);
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      process.off("SIGINT", end).off("SIGTERM", end);
      resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
  fs.closeSync(output);
  stop();
  if (outcome === undefined) return;
  const tail = fs.readFileSync(log, "utf8").trim().split("\n").slice(-SHOWN_LINES).join("\n");
  throw new SetupError(`${what} failed: ${outcome}.\n${tail}\nThe whole log: ${log}`);
}

/** Shows that something goes on, once it has taken two seconds, until the returned function is called. */
function progress(what) {
  const begin = Date.now();
  const seconds = () => Math.round((Date.now() - begin) / 1000);
  const terminal = process.stderr.isTTY;
  const show = () =>
    process.stderr.write(`${terminal ? "\r" : ""}${what}… ${seconds()} s${terminal ? "" : "\n"}`);
  let shown = false;
  let timer = setTimeout(() => {
    shown = true;
    show();
    timer = setInterval(show, terminal ? 1000 : 30_000);
  }, QUIET_MS);
  return () => {
    clearInterval(timer);
    if (shown) process.stderr.write(`${terminal ? "\r" : ""}${what}: ${seconds()} s\n`);
  };
}

/** Waits until no other set-up works on the cache. The kernel ends the claim of a killed one. Returns what ends ours. */
async function lock() {
  fs.mkdirSync(cache, { recursive: true });
  const file = path.join(cache, "setup.lock");
  const handle = fs.openSync(file, "a+");
  let stop;
  while (!claim(handle)) {
    stop ??= progress(`Waiting for another set-up (process ${fs.readFileSync(file, "utf8")})`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  stop?.();
  fs.ftruncateSync(handle);
  fs.writeSync(handle, String(process.pid));
  return () => fs.closeSync(handle);
}

function claim(handle) {
  // The lock belongs to the open file, which this process keeps when flock(1) has ended.
  const { status, error } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "ignore", handle],
  });
  if (error)
    throw new SetupError("expected the program flock on PATH, found none. Install util-linux.");
  return status === 0;
}

/** The size of a file, in words. */
function size(file) {
  return `${Math.round(fs.statSync(file).size / 1e6)} MB`;
}

module.exports = { lock, progress, run, SetupError, size };
