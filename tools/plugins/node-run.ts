import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

/** What the engine asks a language host to run. */
export interface Run {
  /** Where the engine listens for log messages, e.g. `127.0.0.1:41234`. */
  readonly engineAddress: string;
  /** Where the engine listens for resource registrations. */
  readonly monitorAddress: string;
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
  /** The folder of Pulumi.yaml. */
  readonly rootDirectory: string;
  /** The folder of the program: the root directory, or what `main` names in it. */
  readonly programDirectory: string;
  /** What is loaded in the program directory: `.`, or the file that `main` names. */
  readonly entryPoint: string;
  readonly args: readonly string[];
  readonly dryRun: boolean;
  readonly parallel: number;
  /** Values by key (`pgherd:hosts`), each as text. */
  readonly config: { readonly [key: string]: string };
  readonly configSecretKeys: readonly string[];
  readonly attachDebugger: boolean;
  /** `runtime.options` of Pulumi.yaml. */
  readonly options: { readonly [name: string]: unknown };
}

/** How a program ended. `bail`: it failed and has already told the user why. */
export interface Outcome {
  readonly error: string;
  readonly bail: boolean;
}

/** Runs the program until it ends; a signal interrupts it, and kills it if it does not end within five seconds. */
export async function runProgram(run: Run, signal: AbortSignal): Promise<Outcome> {
  try {
    if (run.attachDebugger) throw new Error("pgherd's language host cannot attach a debugger.");
    const options = readOptions(run.options);
    const child = spawn(
      process.execPath,
      [...options.nodeArgs, locateRunner(run.programDirectory), ...runnerArguments(run)],
      { env: { ...process.env, ...environment(run, options) }, stdio: ["ignore", "pipe", "pipe"] },
    );
    return outcome(await ended(child, signal));
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error), bail: false };
  }
}

/** The program exits with this code after it has shown an error that the user can act on (@pulumi/pulumi/cmd/run). */
const ALREADY_EXPLAINED = 32;

const KILL_AFTER_MS = 5000;

function outcome(code: number): Outcome {
  if (code === 0) return { error: "", bail: false };
  if (code === ALREADY_EXPLAINED) return { error: "", bail: true };
  return { error: `Program exited with non-zero exit code: ${code}`, bail: false };
}

function ended(child: ChildProcess, signal: AbortSignal): Promise<number> {
  child.stdout?.on("data", (bytes: Buffer) => process.stdout.write(bytes));
  child.stderr?.on("data", (bytes: Buffer) => process.stderr.write(bytes));
  const interrupt = () => {
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
  };
  signal.addEventListener("abort", interrupt, { once: true });
  return new Promise((resolve, reject) => {
    child.on("error", (error) =>
      reject(
        new Error(`Problem executing program (could not run language executor): ${error.message}`),
      ),
    );
    // "close", not "exit": the last lines of the program must have been passed on before the engine hears of its end.
    child.on("close", (code) => resolve(code ?? -1));
  });
}

function locateRunner(programDirectory: string): string {
  const runner = process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH || "@pulumi/pulumi/cmd/run";
  try {
    return createRequire(path.join(path.resolve(programDirectory), "program.js")).resolve(runner);
  } catch {
    throw new Error(
      "It looks like the Pulumi SDK has not been installed. Have you run pulumi install?",
    );
  }
}

function runnerArguments(run: Run): string[] {
  const named = {
    monitor: run.monitorAddress,
    engine: run.engineAddress,
    organization: run.organization,
    project: run.project,
    "root-directory": run.rootDirectory,
    stack: run.stack,
    pwd: run.programDirectory,
    parallel: String(run.parallel),
  };
  return [
    ...Object.entries(named).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value])),
    ...(run.dryRun ? ["--dry-run"] : []),
    run.entryPoint,
    ...run.args,
  ];
}

function environment(run: Run, options: NodeOptions): { [name: string]: string } {
  // The program reads keys in their long form, `pgherd:config:hosts`.
  const config = Object.fromEntries(
    Object.entries(run.config).map(([key, value]) => {
      const [namespace = "", ...name] = key.split(":");
      return [`${namespace}:config:${name.join(":")}`, value];
    }),
  );
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(run.configSecretKeys),
    ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
    ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
  };
}

interface NodeOptions {
  readonly typescript: boolean;
  readonly tsconfig: string;
  readonly nodeArgs: string[];
}

function readOptions(options: Run["options"]): NodeOptions {
  const { typescript = true, tsconfig = "", nodeargs = "" } = options;
  if (typeof typescript !== "boolean") throw new Error("typescript option must be a boolean");
  if (typeof tsconfig !== "string") throw new Error("tsconfigpath option must be a string");
  if (typeof nodeargs !== "string") throw new Error("nodeargs option must be a string");
  return { typescript, tsconfig, nodeArgs: splitWords(nodeargs) };
}

/** Splits as a shell does: by spaces, quotes keep words together, `\` takes the next character as it is. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)].map(([word]) =>
    word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
      escaped !== undefined ? escaped : (single ?? double.replace(/\\(["\\$`])/g, "$1")),
    ),
  );
}
