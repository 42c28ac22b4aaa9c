import { randomBytes } from "node:crypto";
import type { EngineLog } from "../../src/rpc/engine";
import type { CheckFailure, Diff, Provider, ResourceId } from "../../src/rpc/server";
import { isUnknown, sameValue, UNKNOWN, type Values } from "../../src/rpc/values";
import { checkCommand, completeInputs, inputNames, type CommandInputs } from "./command-inputs";
import { runLocally } from "./command-local";
import type { Execution, Output } from "./command-output";
import { runRemotely } from "./command-remote";

/** The official plugin that this one stands in for, and whose states it reads and writes. */
export const VERSION = "1.2.1";

/**
 * The `command` provider, for machines where the official plugin cannot be had: `local.Command` and `remote.Command`
 * with the inputs, outputs, ids and defaults of pulumi-command 1.2.1, so that a stack made with one opens with the other
 * without a difference. Assets, archives and copying files are left out.
 *
 * @param log where the lines that commands print are shown while they run.
 */
export function commandProvider(log?: EngineLog): Provider {
  const cancelled = new AbortController();

  async function run(
    { type, urn }: ResourceId,
    step: Execution["step"],
    inputs: CommandInputs,
    previous: Output,
  ): Promise<Output> {
    // Without a command of its own an update runs the create command again.
    const command = step === "update" ? (inputs.update ?? inputs.create) : inputs[step];
    if (command === undefined) return previous;
    const execution: Execution = {
      step,
      command,
      inputs,
      environment: {
        ...inputs.environment,
        ...(inputs.addPreviousOutputInEnv !== false ? previousOutput(previous) : {}),
      },
      signal: cancelled.signal,
      progress: (line) => log?.progress(urn, line),
      warn: (text) => log?.warning(urn, text),
    };
    return type === REMOTE ? runRemotely(execution) : runLocally(execution);
  }

  return {
    async configure() {},
    async check(id, inputs) {
      return { inputs: completeInputs(id.type, inputs), failures: checkType(id, inputs) };
    },
    async diff(id, state, inputs) {
      return compare(id, state, inputs);
    },
    async create(id, inputs, preview) {
      const name = id.urn.split("::").at(-1) ?? "";
      const output = preview
        ? { stdout: UNKNOWN, stderr: UNKNOWN }
        : await run(id, "create", inputs as CommandInputs, NOTHING);
      return { id: `${name}${randomBytes(4).toString("hex")}`, state: { ...inputs, ...output } };
    },
    async read(_id, resource, state, inputs) {
      return { id: resource, state, inputs };
    },
    async update(id, _resource, state, inputs, preview) {
      const output = preview
        ? { stdout: UNKNOWN, stderr: UNKNOWN }
        : await run(id, "update", inputs as CommandInputs, outputOf(state));
      return { ...inputs, ...output };
    },
    async delete(id, _resource, state) {
      await run(id, "delete", state as CommandInputs, outputOf(state));
    },
    async cancel() {
      cancelled.abort();
    },
  };
}

const LOCAL = "command:local:Command";
const REMOTE = "command:remote:Command";
const NOTHING: Output = { stdout: "", stderr: "" };

function checkType({ type }: ResourceId, inputs: Values): CheckFailure[] {
  if (type === LOCAL || type === REMOTE) return checkCommand(type, inputs);
  throw new Error(
    `${type}: expected ${LOCAL} or ${REMOTE}; pgherd's stand-in for the command plugin has no other.\n` +
      `Next: pulumi plugin install resource command v${VERSION}, then tools/setup, which then uses the official one.`,
  );
}

function outputOf({ stdout, stderr }: Values): Output {
  return { stdout: String(stdout ?? ""), stderr: String(stderr ?? "") };
}

function previousOutput({ stdout, stderr }: Output): { [name: string]: string } {
  return {
    ...(stdout ? { PULUMI_COMMAND_STDOUT: stdout } : {}),
    ...(stderr ? { PULUMI_COMMAND_STDERR: stderr } : {}),
  };
}

function compare({ type }: ResourceId, state: Values, inputs: Values): Diff {
  // A state may come from an older version that did not write the defaults down.
  const before = completeInputs(type, state);
  const changed = inputNames(type).filter(
    (name) => isUnknown(inputs[name]) || !sameValue(before[name], inputs[name]),
  );
  return {
    changes: Object.fromEntries(
      changed.map((name) => [name, name === "triggers" ? "replace" : "update"] as const),
    ),
    deleteBeforeReplace: false,
  };
}
