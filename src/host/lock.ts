import type { Client } from "ssh2";
import { ConnectError } from "../errors";
import { quote } from "./shell";

/** Held by each change while it runs, even when nobody waits for its end any more. */
const CHANGES = "/run/pgherd/changes";

/** How long a run waits for changes that an interrupted one has left running: those of a package manager take minutes. */
const LEFTOVER_SECONDS = 600;

/** A connection that breaks without a word is noticed by the host when it has heard nothing for this long. */
const SILENCE_SECONDS = 30;
const BEAT_SECONDS = 10;

/** A change of a host, with the mark by which the next run finds that it has not ended yet. */
export function markedChange(script: string): string {
  return `exec 8>>${CHANGES} && flock -s 8 || exit 1\n${script}`;
}

/**
 * Takes the host's lock and holds it as long as the connection lives, so that two runs never change a host at once,
 * whatever state backend each of them uses. The host releases it with the connection, even a broken one. What an
 * interrupted run has left running there is waited for.
 * @param owner shown to whoever finds the host locked: `anna@desk, process 4711, since 12:00:31Z`.
 * @throws ConnectError naming the holder.
 */
export function holdLock(
  client: Client,
  host: string,
  owner: string,
  sudo: boolean,
): Promise<void> {
  const script = `
mkdir -p /run/pgherd && chmod 0755 /run/pgherd && exec 9>>/run/pgherd/lock || exit 1
flock -n 9 || { cat /run/pgherd/lock.owner; exit ${LOCKED}; }
printf "%s\\n" ${quote(owner)} >/run/pgherd/lock.owner
end=$(($(date +%s) + ${LEFTOVER_SECONDS}))
until flock -n ${CHANGES} true; do
  [ "$(date +%s)" -lt $end ] || exit ${LEFTOVER}
  beat=$(timeout 1 head -c 1) && [ -z "$beat" ] && exit 0
done
echo locked
while [ -n "$(timeout ${SILENCE_SECONDS} head -c 1)" ]; do :; done`;
  const command = `/bin/sh -c ${quote(script)}`;
  return new Promise((resolve, reject) => {
    client.exec(sudo ? `sudo -n -- ${command}` : command, (error, channel) => {
      if (error) {
        reject(new ConnectError(host, `the lock could not be taken: ${error.message}.`));
        return;
      }
      const beat = setInterval(() => channel.write("."), BEAT_SECONDS * 1000).unref();
      let said = "";
      const listen = (chunk: Buffer) => {
        said += chunk.toString();
        if (/^locked$/m.test(said)) resolve();
      };
      channel.on("data", listen);
      channel.stderr.on("data", listen);
      channel.on("error", () => {});
      channel.on("close", (code: number | null) => {
        clearInterval(beat);
        reject(refusal(host, code, said.trim()));
      });
    });
  });
}

/** Exit codes of the lock's holder. */
const LOCKED = 75;
const LEFTOVER = 76;

function refusal(host: string, code: number | null, said: string): ConnectError {
  if (code === LOCKED) {
    return new ConnectError(
      host,
      `is being changed by another run: ${said}.`,
      "Wait until it has ended and start again.",
    );
  }
  if (code === LEFTOVER) {
    return new ConnectError(
      host,
      `expected what an interrupted run has left running to end within ${LEFTOVER_SECONDS} seconds, but it goes on.`,
      `Look at it with: sudo fuser -v ${CHANGES}`,
    );
  }
  const reason = said || "the connection has ended";
  return new ConnectError(host, `the lock could not be taken: ${reason}.`);
}
