import { randomBytes } from "node:crypto";
import type { Client, ClientChannel } from "ssh2";
import { ConnectError, PgherdError } from "../errors";
import { openRootSession, type RootAccess } from "./root-session";
import type { Result } from "./root-shell";
import { quote, strict } from "./shell";

/** Held by the process that keeps the lock for a run. */
const LOCK = "/run/pgherd/lock";
/** Who that run is, for people. */
const OWNER = "/run/pgherd/lock.owner";
/** The run's token: whoever takes the lock replaces it, and so ends what the one before still wants to do. */
const TOKEN = "/run/pgherd/lock.token";
/** Held by each change while it runs, even when nobody waits for its end any more. */
const CHANGES = "/run/pgherd/changes";

/** How long a run waits for changes that an interrupted one has left running: those of a package manager take minutes. */
const LEFTOVER_SECONDS = 600;

/** A connection that breaks without a word is noticed by the host when it has heard nothing for this long. */
const SILENCE_SECONDS = 30;
const BEAT_SECONDS = 10;

/** Exit codes of the lock's holder, and of a change that has not begun because the lock is another's. */
const LOCKED = 75;
const LEFTOVER = 76;
const NOT_OURS = 79;

/**
 * A host's lock in the hands of this run. It lasts as long as the connection; once lost it is never taken again by the
 * same run, because what that run has seen of the host may be true no more.
 */
export class Lock {
  private gone = false;

  private constructor(
    private readonly host: string,
    private readonly token: string,
    channel: ClientChannel,
  ) {
    const beat = setInterval(() => channel.write("."), BEAT_SECONDS * 1000).unref();
    channel.on("error", () => {});
    channel.on("close", () => {
      clearInterval(beat);
      this.gone = true;
    });
  }

  /**
   * Takes the host's lock, so that two runs never change a host at once, whatever state backend each of them uses. The
   * host itself releases it with the connection, even a broken one, and 30 seconds after it has heard of us last. What an
   * interrupted run has left running there is waited for.
   * @param owner shown to whoever finds the host locked: `anna@desk, process 4711, since 12:00:31Z`.
   * @throws ConnectError naming the holder.
   */
  static async take(
    client: Client,
    host: string,
    owner: string,
    access: RootAccess,
  ): Promise<Lock> {
    const token = randomBytes(16).toString("hex");
    const channel = await openRootSession(client, host, access);
    const lock = new Lock(host, token, channel);
    await new Promise<void>((resolve, reject) => {
      let said = "";
      const fail = (error: ConnectError) => {
        clearTimeout(timer);
        channel.destroy();
        reject(error);
      };
      const limit = LEFTOVER_SECONDS + access.seconds;
      const timer = setTimeout(
        () => fail(new ConnectError(host, `expected the lock within ${limit} seconds.`)),
        limit * 1000,
      );
      const listen = (chunk: Buffer) => {
        said += chunk.toString();
        if (!said.includes(`locked ${token}\n`)) return;
        clearTimeout(timer);
        resolve();
      };
      channel.on("data", listen);
      channel.stderr.on("data", listen);
      let code: number | null = null;
      channel.on("exit", (status: number | null) => (code = status));
      channel.on("close", () => fail(refusal(host, code, said.trim())));
      // The shell has read all of this before it runs any of it, and so leaves what follows to the holder.
      channel.write(`{ ${strict(holder(owner, token))}; exit $?; }\n`);
    });
    return lock;
  }

  /**
   * A change of the host that does not begin unless this run still holds the lock then. The host itself says so, because
   * a machine that has slept does not know for how long.
   */
  guard(script: string): string {
    return guarded(this.token, script);
  }

  /** Whether that is what has kept the change from beginning. */
  refused({ code, stderr }: Pick<Result, "code" | "stderr">): boolean {
    return code === NOT_OURS && stderr.includes(this.token);
  }

  /** @throws PgherdError once it is known that the lock is lost. */
  demand(): void {
    if (this.gone) throw this.lost();
  }

  lost(): PgherdError {
    return new PgherdError(
      `${this.host}: this run has lost the host's lock: this machine slept, or the connection broke. ` +
        "Another run may have changed the host since, so this one changes nothing more there.",
      "Run the same command again: it looks anew and goes on from what is there.",
    );
  }
}

/**
 * What holds the lock. Its token stands there before it waits for the changes of others: one that begins after that finds
 * that the token is not its own, one that began before is waited for.
 */
function holder(owner: string, token: string): string {
  return `mkdir -p ${LOCK.replace(/\/[^/]*$/, "")}
chmod 0755 ${LOCK.replace(/\/[^/]*$/, "")}
exec 9>>${LOCK}
flock -n 9 || { cat ${OWNER}; exit ${LOCKED}; }
printf '%s\\n' ${quote(owner)} >${OWNER}
printf '%s\\n' ${token} >${TOKEN}
end=$(($(date +%s) + ${LEFTOVER_SECONDS}))
until flock -n ${CHANGES} true; do
  [ "$(date +%s)" -lt $end ] || exit ${LEFTOVER}
  if beat=$(timeout 1 head -c 1) && [ -z "$beat" ]; then exit 0; fi
done
echo locked ${token}
while [ -n "$(timeout ${SILENCE_SECONDS} head -c 1)" ]; do :; done
rm -f ${TOKEN}`;
}

/** See `Lock.guard`. A lock that can be taken is held by nobody. */
export function guarded(token: string, script: string): string {
  return `exec 8>>${CHANGES}
flock -s 8
# Without the file there is no lock of ours.
if [ "$(cat ${TOKEN} 2>/dev/null)" != ${token} ] || flock -n -s ${LOCK} true; then
  echo "the lock of ${token} is lost" >&2
  exit ${NOT_OURS}
fi
${script}`;
}

/** Another run has the host's lock. */
export class LockedError extends ConnectError {}

function refusal(host: string, code: number | null, said: string): ConnectError {
  if (code === LOCKED) {
    return new LockedError(
      host,
      `is being changed by another run: ${said}.`,
      "Wait until it has ended and start again.",
    );
  }
  if (code === LEFTOVER) {
    return new LockedError(
      host,
      `expected what an interrupted run has left running to end within ${LEFTOVER_SECONDS} seconds, but it goes on.`,
      `Look at it with: sudo fuser -v ${CHANGES}`,
    );
  }
  const reason = said || "the connection has ended";
  return new ConnectError(host, `the lock could not be taken: ${reason}.`);
}
