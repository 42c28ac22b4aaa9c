import type { StreamRights } from "../facts/standby";
import { toBeRun } from "../../operations/remedies";
import { verifies } from "../../operations/scram";
import type { StreamInput } from "../inputs/survey";

/** A first copy takes two streams, and WAL follows by one of them. */
const SENDERS = 3;

/**
 * What keeps the members from streaming from an old server on which its owner prepares everything himself, each with the
 * line that he has to add there.
 * @param reached whether something listens there, by member.
 */
export function judgeStream(
  host: string,
  rights: StreamRights,
  reached: { readonly [member: string]: boolean },
  stream: StreamInput,
): string[] {
  return [role, password, entries, level, free]
    .flatMap((rule) => rule(rights, stream) ?? [])
    .map((reason) => `${host}: ${reason}`)
    .concat(unreached(host, reached, stream));
}

const SETTING = "the password that `pulumi config set --secret pgherd:migrationPassword` was given";

/** Servers before 14 make md5 of a password by themselves. */
const SCRAM = "SET password_encryption = 'scram-sha-256';";

function role({ replication }: StreamRights, { role: name }: StreamInput) {
  if (replication) return;
  return (
    `expected the role ${name}, which the members stream with, to be allowed to replicate, found ` +
    (replication === undefined
      ? `no such role. Run there: ${toBeRun(`${SCRAM} CREATE ROLE ${name} LOGIN REPLICATION PASSWORD '…';`)} with ${SETTING}.`
      : `that it is not. Run there: ${toBeRun(`ALTER ROLE ${name} LOGIN REPLICATION;`)}`)
  );
}

function password(rights: StreamRights, { role: name, password: wanted }: StreamInput) {
  const { replication, verifier } = rights;
  if (replication === undefined || verifies(wanted, verifier)) return;
  return (
    `expected the role ${name} to have ${SETTING}, stored as scram-sha-256, found another one. ` +
    `Run there: ${toBeRun(`${SCRAM} ALTER ROLE ${name} PASSWORD '…';`)}`
  );
}

const LETTING_IN = ["scram-sha-256", "md5", "password", "trust"];

function entries({ methods }: StreamRights, { role: name, from }: StreamInput) {
  const shut = Object.keys(from).filter((member) => !LETTING_IN.includes(methods[member] ?? ""));
  if (shut.length === 0) return;
  const lines = shut.map((member) => {
    const address = from[member] ?? "";
    return `  host replication ${name} ${address}/${address.includes(":") ? 128 : 32} scram-sha-256`;
  });
  return (
    `expected pg_hba.conf to let ${name} in for replication from ${shut.join(", ")}, found no line that does. ` +
    `Put these first into it, and run SELECT pg_reload_conf();\n${lines.join("\n")}`
  );
}

function level({ walLevel }: StreamRights) {
  if (walLevel !== "minimal") return;
  return "expected wal_level replica or logical, found minimal. Set it and restart the server, at a time of your choice.";
}

function free({ freeSenders, freeSlots }: StreamRights) {
  if (freeSenders >= SENDERS && freeSlots >= 1) return;
  return (
    `expected ${SENDERS} streams and 1 slot to be free, found ${Math.max(freeSenders, 0)} and ${Math.max(freeSlots, 0)}. ` +
    "Raise max_wal_senders and max_replication_slots and restart the server, at a time of your choice."
  );
}

function unreached(
  host: string,
  reached: { readonly [member: string]: boolean },
  { address, port }: StreamInput,
): string[] {
  const names = Object.keys(reached).filter((name) => !reached[name]);
  if (names.length === 0) return [];
  return [
    `${names.join(", ")}: expected ${host} to be reached at ${address} port ${port}, found nobody there. ` +
      "Open its firewall, and let it listen there (listen_addresses).",
  ];
}
