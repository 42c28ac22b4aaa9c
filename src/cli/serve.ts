import { spawn } from "node:child_process";
import { join } from "node:path";
import { Command } from "commander";
import type { PowerSwitch } from "../api/power";
import { PgherdError } from "../errors";
import { labStatus } from "../lab/status";
import { packageRoot } from "../package-root";
import { openSettings, withStack, type OpenCluster } from "./cluster";
import { forkRules } from "./fork-rules";
import { lookBack } from "./history";
import { unitsByHost } from "./logs";
import { probeTarget } from "./measure";
import { requestOf, restorable } from "./restore";
import { serveLab } from "./serve-lab";
import {
  addressOf,
  announce,
  checkListening,
  defaultAuditLog,
  refusedLog,
  type ServeOptions,
} from "./serve-options";
import { rawStack, readStack } from "./stack";

/** `pgherd serve`: the API and the page. */
export function serveCommand(): Command {
  return withStack(new Command("serve"))
    .description("Serves an HTTP API and a page that shows the cluster live.")
    .option("--listen <address>", "address and port", "127.0.0.1:8432")
    .option(
      "--lab [name]",
      "the cluster of a lab on this machine, with a power switch for each host",
    )
    .option("--token-file <file>", "the token that callers must bring (default: a new one)")
    .option("--tls-cert <file>", "certificate, for HTTPS")
    .option("--tls-key <file>", "its key")
    .option("--plain", "let others than this machine in without TLS")
    .option(
      "--allowed-host <name>",
      "a name that callers use for this server, beside localhost, this machine's and those of the certificate; may be given again",
      (name: string, others: string[]) => [...others, name],
      [],
    )
    .option("--audit-log <file>", "where changing calls are recorded")
    .option("--probe", "write and read through the entry point from the start (in a lab: always)")
    .option("--socket <path>", "listen on a Unix socket instead")
    .addHelpText("after", SERVE_HELP)
    .action(async (options: Omit<ServeOptions, "lab"> & { lab?: string | true }) => {
      const lab = options.lab === true ? (process.env.PGHERD_LAB ?? "lab") : options.lab;
      const outside = lab !== undefined && process.env.PGHERD_LAB !== lab;
      const checked = { ...options, lab };
      checkListening(checked);
      await (outside ? serveLab(lab, checked) : serveHere(checked));
    });
}

/** Serves until a signal ends it. */
async function serveHere(options: ServeOptions): Promise<void> {
  // Loaded only here: no other verb should wait for a web server's code.
  const [{ auditTo }, { Live }, { createServer, listenOnSocket }, { newToken, readToken }] =
    await Promise.all([
      import("../api/audit"),
      import("../api/live"),
      import("../api/server"),
      import("../api/token"),
    ]);
  const { stack, lab, tlsCert, tlsKey } = options;
  const given = process.env.PGHERD_SERVE_TOKEN;
  // What is started from here needs none.
  delete process.env.PGHERD_SERVE_TOKEN;
  // Before anything that has to be closed again.
  const token = options.tokenFile ? readToken(options.tokenFile) : (given ?? newToken());
  const settings = readStack(stack, options.configFile);
  const target = () => probeTarget(stack, settings);
  const watched = openSettings(settings, "serve", () => undefined);
  const power = lab === undefined ? undefined : powerOf(lab);
  const auditLog = options.auditLog ?? defaultAuditLog(stack);
  const history = () => lookBack(watched, stack, { auditLog, runs: false });
  const ending = new AbortController();
  const live = new Live({ cluster: watched, probeTarget: target, power, history });
  const app = await createServer({
    live,
    members: settings.cluster.members.map(({ host }) => host),
    daemons: Object.fromEntries(unitsByHost(watched.plan, [], [])),
    history,
    open: (verb, say) => openSettings(settings, verb, say),
    probeTarget: target,
    forks: forkRules(stack, settings, rawStack(stack, options.configFile)),
    ...(watched.plan.backup && {
      // Whatever it is given has been opened above.
      restores: { of: (cluster) => restorable(cluster as OpenCluster), requestOf },
    }),
    ending: ending.signal,
    power,
    token,
    names: options.allowedHost,
    audit: auditTo(auditLog),
    auditRefused: auditTo(refusedLog(auditLog)),
    tls: tlsCert && tlsKey ? { cert: tlsCert, key: tlsKey } : undefined,
  });
  if (options.probe || lab !== undefined) {
    try {
      live.probing(true);
    } catch (error) {
      live.note(`Writes are not measured: ${(error as Error).message}`, "bad");
    }
  }
  const close = async () => {
    live.close();
    await app.close();
    watched.close();
  };
  try {
    if (options.socket !== undefined) {
      await listenOnSocket(app, options.socket);
    } else {
      await app.listen(addressOf(options.listen));
      announce(options, options.tokenFile === undefined ? token : undefined, auditLog);
    }
  } catch (error) {
    // What goes on watching would keep a server alive that nobody can reach.
    await close();
    throw error;
  }
  await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  ending.abort(new PgherdError("The server was stopped."));
  // A restore puts the data from before back; a second signal does not wait for it.
  await live.settled();
  await close();
  process.exit(0);
}

/** The lab's own switches; by its command line, which becomes root where this process is not. */
function powerOf(lab: string): PowerSwitch {
  return {
    states: () => Object.fromEntries(labStatus(lab).hosts.map(({ name, state }) => [name, state])),
    turn: (host, on) =>
      new Promise((resolve, reject) => {
        const verb = ["lab", "power", on ? "on" : "off", "--name", lab, host];
        const child = spawn(process.execPath, [join(packageRoot(), "bin/pgherd"), ...verb], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        let said = "";
        child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
        child.on("error", reject);
        child.on("exit", (code) => {
          if (code === 0) resolve();
          else reject(new PgherdError(`${host}: ${said.trim().split("\n").at(-1)}`));
        });
      }),
  };
}

const SERVE_HELP = `
Every call must bring the token: \`Authorization: Bearer TOKEN\`. The page asks
for it, or takes it from its address. Without --token-file a new one is made and
shown once. Changing calls are recorded in the audit log with what was asked and
what came of it, and let in at most 30 times a minute. Calls that were not let
in are counted in a log beside it.

Examples:
  pgherd serve --lab
  pgherd serve -s production --token-file /etc/pgherd/token
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8432/api/v1/status`;
