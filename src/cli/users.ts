import { resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { PgherdError, UsageError } from "../errors";
import { oneOf } from "../suggest";
import { Refusal } from "../cluster/cluster";
import { confirm, EXIT_CODES, progressLine } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { report } from "./during";
import { pulumiOutput, quietPulumi } from "./pulumi";
import { recorded } from "./record";
import { readStack, stackFile } from "./stack";

interface RotateOptions extends StackOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `pgherd users`: what is done to the stack's login roles. */
export function usersCommand(): Command {
  return new Command("users")
    .description("Gives a user of the stack a new password.")
    .addCommand(rotateCommand());
}

function rotateCommand(): Command {
  return withStack(new Command("rotate"))
    .description("Gives a user a new random password, kept in Pulumi's state as the old one was.")
    .argument("<user>", "one of pgherd:cluster.postgresql.users")
    .option("-y, --yes", "do not ask")
    .option("--json", "print JSON")
    .addHelpText("after", ROTATE_HELP)
    .action(rotate);
}

async function rotate(user: string, options: RotateOptions): Promise<void> {
  const { stack, configFile, yes = false, json } = options;
  const { name, postgresql } = readStack(stack, configFile).cluster;
  const known = postgresql.users.map((one) => one.name);
  if (!known.includes(user)) throw new UsageError(`user: expected ${oneOf(known, user)}`);
  const state = pulumiOutput(["stack", "export"], stack);
  const [password, database] = [passwordOf(user, state), databaseIn(state)];
  if (password === undefined || database === undefined) {
    throw new PgherdError(
      `user ${user}: expected a password of it in the state of stack "${stack}", found none.`,
      `Deploy it first: pulumi up --stack ${stack}`,
    );
  }
  const line = progressLine();
  // The password is made anew as Pulumi makes a resource anew. Of all others only the database's roles need it, and only the
  // leader has those: no other host has to answer.
  const run = async (verb: string, said: string, ...more: string[]) => {
    line.say(said);
    try {
      return await quietPulumi(
        [verb, ...more, "--target-replace", password, "--target", database],
        stack,
        resolve(stackFile(stack, configFile)),
      );
    } finally {
      line.done();
    }
  };
  const others = otherChanges(await run("preview", "looking at what differs", "--json"), database);
  if (others.length > 0) {
    throw new Refusal("A new password", [
      `the stack's settings have changes of the database that are not deployed (${others.join(", ")}), which would come with it. Deploy them first: pulumi up --stack ${stack}`,
    ]);
  }
  await confirm(`${name}: new password of ${user}`, { effects: effects(user, stack) }, yes);
  await recorded(stack, `users rotate ${user}`, () =>
    run("up", `changing the password of ${user} on the leader`, "--yes", "--skip-preview"),
  );
  report(
    json,
    { user, rotated: true },
    `Done: the password of ${user} is changed on the leader and in force. Sessions that are open go on.`,
    `The new one: pulumi stack output passwords --show-secrets --stack ${stack}`,
  );
}

const STATE = z.object({
  deployment: z.object({
    resources: z.array(z.object({ urn: z.string(), type: z.string() })).default([]),
  }),
});

/** The resource that holds a user's password, in what `pulumi stack export` has printed. */
export function passwordOf(user: string, state: string): string | undefined {
  const { resources } = STATE.parse(JSON.parse(state)).deployment;
  return resources.find(
    ({ type, urn }) =>
      type === "random:index/randomPassword:RandomPassword" && urn.endsWith(`-user-${user}`),
  )?.urn;
}

/** The resource that sees to the database's roles. */
export function databaseIn(state: string): string | undefined {
  const { resources } = STATE.parse(JSON.parse(state)).deployment;
  return resources.find(({ type }) => type === "pgherd:index:PatroniCluster")?.urn;
}

/** As `pulumi preview --json` tells its steps. */
const STEPS = z.object({
  steps: z
    .array(
      z.object({
        op: z.string(),
        urn: z.string(),
        diffReasons: z.array(z.string()).nullish(),
        detailedDiff: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .default([]),
});

/** What a preview would change of the database beside passwords, by input: `["roles"]`. */
export function otherChanges(preview: string, database: string): string[] {
  const { steps } = STEPS.parse(JSON.parse(preview));
  const names = steps
    .filter(({ op, urn }) => urn === database && op !== "same")
    .flatMap(({ diffReasons, detailedDiff }) => [
      ...(diffReasons ?? []),
      ...Object.keys(detailedDiff ?? {}),
    ])
    .map((path) => path.replace(/[.[].*$/s, ""));
  return [...new Set(names)].filter((name) => name !== "passwords");
}

function effects(user: string, stack: string): string[] {
  return [
    `${user} gets a new random password; whoever connects with the old one is refused from then on.`,
    "Sessions that are open stay. Forks keep the password that they have.",
    `The new one is read by: pulumi stack output passwords --show-secrets --stack ${stack}`,
  ];
}

const ROTATE_HELP = `
Has Pulumi make the password anew and change it on the leader, and nothing else:
of the other hosts none has to answer, since no file has a user's password.
Nobody sees it on the way: it is in Pulumi's state, as a secret, and the server
gets a verifier of it only. Run it where \`pulumi up\` runs, in a lab by
\`pgherd lab exec\`.
${EXIT_CODES}

Example:
  pgherd users rotate app`;
