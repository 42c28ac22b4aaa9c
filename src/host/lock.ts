import type { Client } from "ssh2";
import { ConnectError } from "../errors";
import { quote } from "./shell";

/**
 * Takes the host's lock and holds it as long as the connection lives, so that two runs never change a host at once,
 * whatever state backend each of them uses. The kernel releases it with the connection, even a broken one.
 * @param owner shown to whoever finds the host locked: `anna@desk, process 4711, since 12:00:31Z`.
 * @throws ConnectError naming the holder.
 */
export function holdLock(
  client: Client,
  host: string,
  owner: string,
  sudo: boolean,
): Promise<void> {
  const script = [
    "mkdir -p /run/pgherd && chmod 0755 /run/pgherd && exec 9>>/run/pgherd/lock || exit 1",
    `if flock -n 9; then printf "%s\\n" ${quote(owner)} >/run/pgherd/lock.owner; echo locked; exec cat >/dev/null; fi`,
    "cat /run/pgherd/lock.owner; exit 75",
  ].join("\n");
  const command = `/bin/sh -c ${quote(script)}`;
  return new Promise((resolve, reject) => {
    client.exec(sudo ? `sudo -n -- ${command}` : command, (error, channel) => {
      if (error) {
        reject(new ConnectError(host, `the lock could not be taken: ${error.message}.`));
        return;
      }
      let said = "";
      const listen = (chunk: Buffer) => {
        said += chunk.toString();
        if (/^locked$/m.test(said)) resolve();
      };
      channel.on("data", listen);
      channel.stderr.on("data", listen);
      channel.on("error", () => {});
      channel.on("close", (code: number | null) =>
        reject(
          code === 75
            ? new ConnectError(
                host,
                `is being changed by another run: ${said.trim()}.`,
                "Wait until it has ended and start again.",
              )
            : new ConnectError(host, `the lock could not be taken: ${said.trim()}`),
        ),
      );
    });
  });
}
