import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { chromium, type Browser } from "playwright-core";
import { ROOT } from "./harness";
import { until } from "./lab-cluster";

const TOKEN = "a-token-for-tests-only";

/** `pgherd serve --lab`, as somebody runs it on the lab's machine. */
export interface Served {
  readonly url: string;
  readonly token: string;
  /** One call of the API, which has to succeed. */
  call<T>(method: string, path: string, body?: object): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Serves a lab's cluster until it is stopped.
 * @param options `pem`: a file with a certificate for 127.0.0.1 and its key, for HTTPS; `configFile`: the stack, if it is not the lab's own.
 */
export async function serve(
  lab: string,
  { pem, configFile }: { pem?: string; configFile?: string } = {},
): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
  writeFileSync(join(folder, "token"), TOKEN, { mode: 0o600 });
  const port = await freePort();
  const url = `${pem ? "https" : "http"}://127.0.0.1:${port}/`;
  const child = spawn(
    process.execPath,
    [
      ...[join(ROOT, "bin/pgherd"), "serve", "--lab", lab, "--listen", `127.0.0.1:${port}`],
      ...["--token-file", join(folder, "token"), "--audit-log", join(folder, "audit.log")],
      ...(configFile ? ["--config-file", configFile] : []),
      ...(pem ? ["--tls-cert", pem, "--tls-key", pem] : []),
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const { request } = pem ? https : http;
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        ca: pem && readFileSync(pem),
      };
      request(`${url}api/v1/${path}`, options, resolve)
        .on("error", reject)
        .end(body && JSON.stringify(body));
    });
    const said = await text(answer);
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${said}`);
    return JSON.parse(said) as T;
  };
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  try {
    await until("the server answers", 60, () => call("GET", "status"));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, token: TOKEN, call, stop };
}

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where a browser is; tools/setup-browser installs one. */
export const BROWSER = BROWSERS.find((file) => existsSync(file));

export function openBrowser(): Promise<Browser> {
  // Root, as whom the lab is tested, may not use Chromium's sandbox.
  return chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
