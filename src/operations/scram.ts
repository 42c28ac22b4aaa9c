import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** PostgreSQL's default (`scram_iterations`). */
const ITERATIONS = 4096;

/**
 * The verifier that PostgreSQL stores for a password: `SCRAM-SHA-256$4096:salt$storedKey:serverKey`
 * (RFC 5803; src/common/scram-common.c, scram_build_secret). Setting it instead of the password keeps the password
 * out of the server's log and statistics. Generated passwords are ASCII, which SASLprep leaves as it is.
 */
export function scramVerifier(
  password: string,
  salt = randomBytes(16),
  iterations = ITERATIONS,
): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** Whether a stored verifier is one of this password. */
export function verifies(password: string, verifier: string): boolean {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier);
  if (!match) return false;
  return (
    scramVerifier(password, Buffer.from(match[2] as string, "base64"), Number(match[1])) ===
    verifier
  );
}
