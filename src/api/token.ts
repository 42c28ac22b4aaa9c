import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { PgherdError } from "../errors";
import { readSecret } from "./own-file";

/** Fewer characters could be guessed. */
const LEAST = 16;

/** A token that nobody has seen yet: 32 random bytes. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The token in a file, without the line's end. @throws PgherdError if it cannot be read, or is one that others know or guess. */
export function readToken(file: string): string {
  let token: string;
  try {
    token = readSecret(file, "--token-file").trim();
  } catch (error) {
    if (error instanceof PgherdError) throw error;
    throw new PgherdError(
      `--token-file: expected a token in ${file}: ${(error as Error).message}.`,
      `Make one: (umask 077; openssl rand -base64 32 >${file})`,
    );
  }
  if (token.length >= LEAST) return token;
  throw new PgherdError(
    `--token-file: expected a token of ${LEAST} characters or more in ${file}, got ${token.length}.`,
    `Make one: (umask 077; openssl rand -base64 32 >${file})`,
  );
}

/** Whether a request's `Authorization` header brings the token. Takes the same time whatever is wrong with it. */
export function brings(token: string, header: string | undefined): boolean {
  const [scheme, given = ""] = (header ?? "").split(" ");
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return scheme?.toLowerCase() === "bearer" && timingSafeEqual(digest(given), digest(token));
}
