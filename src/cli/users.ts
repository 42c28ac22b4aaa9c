import { resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { PgherdError, UsageError } from "../errors";
import { oneOf } from "../suggest";
import { confirm, EXIT_CODES } from "./ask";
import { withStack, type StackOptions } from "./cluster";
import { pulumi, pulumiOutput } from "./pulumi";
import { recorded } from "./record";
import { readStack, stackFile } from "./stack";

interface RotateOptions extends StackOptions {
  readonly yes?: boolean;
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
    .addHelpText("after", ROTATE_HELP)
    .action(rotate);
}

async function rotate(user: string, options: RotateOptions): Promise<void> {
  const { stack, configFile, yes = false } = options;
  const { name, postgresql } = readStack(stack, configFile).cluster;
  const known = postgresql.users.map((one) => one.name);
  if (!known.includes(user)) throw new UsageError(`user: expected ${oneOf(known, user)}`);
  const urn = passwordOf(user, pulumiOutput(["stack", "export"], stack));
  if (urn === undefined) {
    throw new PgherdError(
      `user ${user}: expected a password of it in the state of stack "${stack}", found none.`,
      `Deploy it first: pulumi up --stack ${stack}`,
    );
  }
  const file = resolve(stackFile(stack, configFile));
  // The password is made anew as Pulumi makes a resource anew; all that follows from it, the preview shows.
  const again = ["--replace", urn];
  await pulumi("preview", stack, file, ...again);
  await confirm(`${name}: new password of ${user}`, { effects: effects(user, stack) }, yes);
  await recorded(stack, `users rotate ${user}`, () =>
    pulumi("up", stack, file, "--yes", "--skip-preview", ...again),
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

function effects(user: string, stack: string): string[] {
  return [
    `${user} gets a new random password; whoever connects with the old one is refused from then on.`,
    "Sessions that are open stay. Forks keep the password that they have.",
    `The new one is read by: pulumi stack output passwords --show-secrets --stack ${stack}`,
    "Whatever else the preview shows is done too.",
  ];
}

const ROTATE_HELP = `
Shows the preview and asks; then it runs \`pulumi up\`, which makes the password
anew. Nobody sees it on the way: it is in Pulumi's state, as a secret, and the
server gets a verifier of it only. Run it where \`pulumi up\` runs, in a lab by
\`pgherd lab exec\`.
${EXIT_CODES}

Example:
  pgherd users rotate app`;
