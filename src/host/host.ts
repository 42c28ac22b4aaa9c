import { randomBytes } from "node:crypto";
import { CommandError, FactError, PgherdError } from "../errors";
import { connect, type Connection } from "./connection";
import { Lock, LockedError } from "./lock";
import { relayed, type Relay } from "./relay";
import { openRootSession, SessionRefused, type RootAccess } from "./root-session";
import { RootShell, type Result } from "./root-shell";
import { strict } from "./shell";
import type { Target } from "./target";

/** A question to a host: a shell script that changes nothing, and how to read what it prints. */
export interface Probe<T> {
  readonly script: string;
  parse(output: string): T;
}

export interface RunOptions {
  /** @default 120 */
  readonly timeoutSeconds?: number;
}

/**
 * sshd takes 10 sessions on a connection by default (MaxSessions); some are left for the lock and the user. Where it
 * takes fewer, as many are used as it takes.
 */
const CONCURRENT_SESSIONS = 8;

/** A session that has ended is counted by sshd a little longer. */
const REFUSED_MS = 250;

/**
 * One host, over one SSH connection that is opened when first needed and kept.
 * Questions that are asked at the same moment travel together in one round trip.
 */
export class Host {
  protected connection?: Promise<Connection>;
  private lock?: Promise<Lock>;
  private questions: Question[] = [];
  private sessions = 0;
  private limit = CONCURRENT_SESSIONS;
  private idle: RootShell[] = [];
  /** Where the lock has a connection of its own. */
  private lockConnection?: Connection;
  private readonly waiting: (() => void)[] = [];
  private cancelled = false;

  constructor(
    readonly name: string,
    private readonly target: () => Target | Promise<Target>,
    /** Who changes the host, shown to whoever finds it locked. */
    private readonly owner: string,
  ) {}

  /** The answer to a probe. */
  observe<T>(probe: Probe<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.questions.push({
        script: probe.script,
        answer: (output) => {
          try {
            resolve(probe.parse(output));
          } catch (error) {
            reject(error);
          }
        },
        fail: reject,
      });
      if (this.questions.length === 1) setTimeout(() => void this.ask(), GATHER_MS);
    });
  }

  /**
   * Changes something on the host, under the host's lock, as root. Once that lock is lost nothing is changed any more.
   * @param action what it is for, as a gerund, for messages: `installing packages`.
   * @throws CommandError if the script ends with another code than 0.
   */
  async change(action: string, script: string, options: RunOptions = {}): Promise<string> {
    const lock = await this.held();
    lock.demand();
    const result = await this.session(action, lock.guard(script), options);
    if (lock.refused(result)) throw lock.lost();
    return this.outputOf(action, result);
  }

  /** Runs a script that changes nothing, as root. */
  async run(action: string, script: string, options: RunOptions = {}): Promise<string> {
    return this.outputOf(action, await this.session(action, script, options));
  }

  /**
   * Proves that the host still lets somebody in: opens a further connection, runs a command over it and ends it. The
   * one in use stays, and with it the host's lock.
   * @throws ConnectError if the host lets nobody in.
   */
  async reconnect(): Promise<void> {
    if (this.cancelled) throw this.stopped("the run");
    const { client, target, close } = await connect(await this.target());
    try {
      const shell = await RootShell.open(client, this.name, accessBy(target));
      await shell.run("true", {
        action: "logging in anew",
        timeoutSeconds: target.connectTimeoutSeconds,
      });
    } finally {
      close();
    }
  }

  /** How long a login may take, in seconds: the stack's `connectTimeout`. */
  async loginSeconds(): Promise<number> {
    return (await this.connected()).target.connectTimeoutSeconds;
  }

  /**
   * A way to what listens on a Unix socket of the host, as a user who may connect to it, until it is closed.
   * @throws CommandError if nobody listens there
   */
  async relay(where: { readonly user: string; readonly socket: string }): Promise<Relay> {
    const { target } = await this.connected();
    // Of its own: a host may let in no more sessions than one on a connection.
    const own = await connect(target);
    try {
      const channel = await openRootSession(own.client, this.name, accessBy(target));
      return { stream: await relayed(channel, this.name, where), close: () => own.close() };
    } catch (error) {
      own.close();
      throw error;
    }
  }

  /** Ends the connection; what runs on it fails. */
  close(): void {
    this.cancelled = true;
    void this.connection?.then((connection) => connection.close()).catch(() => {});
    this.lockConnection?.close();
  }

  private outputOf(action: string, { code, stdout, stderr }: Result): string {
    if (code !== 0) throw new CommandError(this.name, action, code, stderr || stdout);
    return stdout;
  }

  private async session(
    action: string,
    script: string,
    { timeoutSeconds = 120 }: RunOptions,
  ): Promise<Result> {
    const connection = await this.connected();
    while (this.sessions >= this.limit) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.sessions += 1;
    try {
      const shell = await this.shell(connection);
      const result = await shell.run(script, { action, timeoutSeconds });
      this.idle.push(shell);
      return result;
    } catch (error) {
      throw this.cancelled ? this.stopped(action) : error;
    } finally {
      this.sessions -= 1;
      this.waiting.shift()?.();
    }
  }

  /** A shell that has nothing to do, or a new one: they are kept as long as the connection. */
  private async shell({ client, target }: Connection): Promise<RootShell> {
    const end = Date.now() + target.connectTimeoutSeconds * 1000;
    for (;;) {
      const idle = this.idle.pop();
      if (idle?.usable) return idle;
      if (idle) continue;
      try {
        return await RootShell.open(client, this.name, accessBy(target));
      } catch (error) {
        const alone = this.sessions === 1;
        if (!(error instanceof SessionRefused) || (alone && Date.now() > end)) throw error;
        // One of those that are there becomes free.
        this.limit = Math.max(1, this.sessions - 1);
        await new Promise((resolve) => setTimeout(resolve, REFUSED_MS));
      }
    }
  }

  private connected(): Promise<Connection> {
    if (this.cancelled) throw this.stopped("the run");
    if (!this.connection) {
      const opening = Promise.resolve().then(async () => connect(await this.target()));
      const forget = () => {
        this.connection = undefined;
        this.idle = [];
        this.limit = CONCURRENT_SESSIONS;
      };
      opening.then((connection) => connection.onClose(forget), forget);
      this.connection = opening;
    }
    return this.connection;
  }

  private stopped(action: string): PgherdError {
    return new PgherdError(
      `${this.name}: ${action} was stopped, as asked.`,
      "Run the same command again: it goes on from what is there.",
    );
  }

  /** The host's lock, taken once. */
  private held(): Promise<Lock> {
    if (!this.lock) {
      const taking = this.takeLock();
      taking.catch((error: unknown) => {
        // What another run does there makes what we have seen untrue; a host that was out of reach may be tried again.
        if (!(error instanceof LockedError)) this.lock = undefined;
      });
      this.lock = taking;
    }
    return this.lock;
  }

  private async takeLock(): Promise<Lock> {
    // Where a connection takes one session alone, it is for what is done under the lock.
    if (this.sessions === 0 && this.idle.length === 0) await this.session("logging in", "true", {});
    const shared = await this.connected();
    const on = ({ client, target }: Connection) =>
      Lock.take(client, this.name, this.owner, accessBy(target));
    try {
      return await on(shared);
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error;
    }
    const own = await connect(shared.target);
    if (this.cancelled) own.close();
    this.lockConnection = own;
    return on(own).catch((error: unknown) => {
      own.close();
      throw error;
    });
  }

  private async ask(): Promise<void> {
    const questions = this.questions;
    this.questions = [];
    // Nobody can know it, so that nothing that stands on the host ends an answer before its end.
    const mark = randomBytes(8).toString("hex");
    try {
      // One that fails leaves the others to be asked.
      const script = ["set +e"]
        .concat(
          questions.map(
            ({ script: text }, i) => `${strict(text)}\nprintf '\\n%s %s %s\\n' ${mark} ${i} $?`,
          ),
        )
        .join("\n");
      const { stdout, stderr } = await this.session("looking", script, {});
      let rest = stdout;
      questions.forEach((question, i) => {
        const match = new RegExp(`\\n${mark} ${i} (\\d+)\\n`).exec(rest);
        if (!match) {
          question.fail(new FactError(`${this.name}: got no answer.\n${stderr.trim()}`));
          return;
        }
        const output = rest.slice(0, match.index);
        rest = rest.slice(match.index + match[0].length);
        const code = Number(match[1]);
        if (code === 0) question.answer(output);
        else question.fail(new CommandError(this.name, "looking", code, stderr));
      });
    } catch (error) {
      for (const question of questions) question.fail(error);
    }
  }
}

function accessBy({ sudo, connectTimeoutSeconds }: Target): RootAccess {
  return { sudo, seconds: connectTimeoutSeconds };
}

interface Question {
  readonly script: string;
  answer(output: string): void;
  fail(error: unknown): void;
}

/** How long to wait for further questions; the engine asks about all resources of a host within a few milliseconds. */
const GATHER_MS = 4;
