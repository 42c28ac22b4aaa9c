import { existsSync, readFileSync } from "node:fs";
import {
  BaseAgent,
  createAgent,
  utils,
  type AuthHandlerMiddleware,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { ConnectError } from "../errors";

/** What proves who logs in. */
export interface Identities {
  /** Paths of private keys, or of public ones whose other half the agent has; tried in this order. */
  readonly files: readonly string[];
  /** Paths of certificates that OpenSSH would show, beside those that lie next to the keys; here they only explain a refusal. */
  readonly certificates?: readonly string[];
  /** Socket of the SSH agent. */
  readonly agent?: string;
  /** Whether the agent is asked for those keys alone. */
  readonly only: boolean;
}

/** One key that is offered to a host. */
interface Offer {
  /** For messages: where it comes from. */
  readonly from: string;
  readonly method: object;
}

/** The keys that a host is offered, one after the other, and what became of them. */
export interface Login {
  readonly handler: AuthHandlerMiddleware;
  /** For the message of a refused login. */
  refusal(): string;
}

/**
 * The keys of a login, in OpenSSH's order but for one thing: those of the files come before the agent's other ones, so
 * that an agent with many keys does not use up the tries that a host allows (MaxAuthTries).
 * @throws ConnectError if there is none.
 */
export async function login(
  host: string,
  user: string,
  { files, certificates = [], agent, only }: Identities,
): Promise<Login> {
  const problems: string[] = [];
  const held = agent
    ? ((await heldBy(agent).catch(
        (error: Error) => void problems.push(`the SSH agent at ${agent}: ${error.message}`),
      )) ?? [])
    : [];
  const offers: Offer[] = [];
  const offered = new Set<string>();
  const byAgent = (key: ParsedKey, from: string) => {
    offers.push({
      from,
      method: { type: "agent", username: user, agent: new OneKey(agent as string, key) },
    });
    offered.add(blob(key));
  };
  for (const file of files) {
    const read = readKey(file);
    const inAgent = read.public && held.find((key) => blob(key) === read.public);
    if (inAgent) byAgent(inAgent, `${file} (by the SSH agent)`);
    else if (read.private) {
      offers.push({ from: file, method: { type: "publickey", username: user, key: read.private } });
    } else problems.push(`${file}: ${read.problem}`);
  }
  if (!only) {
    for (const key of held.filter((one) => !offered.has(blob(one)))) {
      byAgent(key, `the SSH agent's "${key.comment || key.type}"`);
    }
  }
  if (agent && held.length === 0 && problems.length === 0)
    problems.push("the SSH agent holds no key that can be used");
  if (offers.length === 0) {
    throw new ConnectError(
      host,
      `expected a private key or an SSH agent, found neither that can be used.${listed(problems)}`,
      "Add the key to an agent (ssh-add FILE), or set pgherd:ssh.identityFile to a key without a passphrase.",
    );
  }
  let next = 0;
  let left: readonly string[] = [];
  let half = false;
  return {
    handler: (methods, partial, callback) => {
      left = (methods as readonly string[] | null) ?? left;
      half ||= partial === true;
      const offer = offers[next++];
      callback((offer?.method ?? false) as never);
    },
    refusal: () => {
      if (half)
        return `it accepts the key and asks for a further proof (${left.join(", ")}), which cannot be given.`;
      if (left.length > 0 && !left.includes("publickey"))
        return `it lets nobody in by key, but by ${left.join(", ")}.`;
      const tried = offers.slice(0, next).map(({ from }) => from);
      return `no key is accepted of ${tried.join(", ")}.${listed([...problems, ...unshown(files, certificates)])}`;
    },
  };
}

/** Certificates that the host may ask for: the library that logs in cannot show one. */
function unshown(files: readonly string[], certificates: readonly string[]): string[] {
  const beside = files.map((file) => `${file.replace(/\.pub$/, "")}-cert.pub`);
  return [...new Set([...certificates, ...beside])]
    .filter(existsSync)
    .map(
      (file) =>
        `${file}: a certificate (CertificateFile), which pgherd cannot show. Let the key itself in on the host.`,
    );
}

function listed(problems: readonly string[]): string {
  return problems.map((problem) => `\n  ${problem}`).join("");
}

/** What a file holds: a private key, or at least the public half; else why neither. */
interface Read {
  readonly private?: ParsedKey;
  readonly public?: string;
  readonly problem: string;
}

function readKey(file: string): Read {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    // Only its public half may be there, the other one in the agent or in a card.
    return { public: publicHalf(file), problem: (error as Error).message };
  }
  const key = parsed(text);
  if (key instanceof Error) {
    return /passphrase/i.test(key.message)
      ? {
          public: publicHalf(file, text),
          problem: "it has a passphrase, and the SSH agent does not hold it",
        }
      : { problem: `it is no key that can be used (${key.message})` };
  }
  if (key.isPrivateKey()) return { private: key, public: blob(key), problem: "" };
  return {
    public: blob(key),
    problem: "it is a public key, and the SSH agent does not hold the private one",
  };
}

/** The public half of a key that cannot be read itself, from the file beside it or out of its own head. */
function publicHalf(file: string, text?: Buffer): string | undefined {
  try {
    const key = parsed(readFileSync(`${file}.pub`));
    if (!(key instanceof Error)) return blob(key);
  } catch {
    // Not there.
  }
  return text && inHead(text.toString("latin1"));
}

/** In OpenSSH's own form the public half is never encrypted (PROTOCOL.key). */
function inHead(text: string): string | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text) ?? [];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, "base64");
  let at = "openssh-key-v1\0".length;
  const next = () => {
    const length = bytes.readUInt32BE(at);
    const value = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  // Cipher, key derivation and its options, and the number of keys.
  for (let i = 0; i < 3; i++) next();
  at += 4;
  return next().toString("base64");
}

function parsed(text: Buffer): ParsedKey | Error {
  const key = utils.parseKey(text) as ParsedKey | readonly ParsedKey[] | Error;
  return Array.isArray(key) ? (key[0] as ParsedKey) : (key as ParsedKey | Error);
}

function blob(key: ParsedKey): string {
  return key.getPublicSSH().toString("base64");
}

/** Seconds that an agent may take to say which keys it has; nobody has to touch or type anything for that. */
const AGENT_SECONDS = 10;

function heldBy(socket: string): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${AGENT_SECONDS} seconds`)),
      AGENT_SECONDS * 1000,
    );
    createAgent(socket).getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve((keys ?? []) as ParsedKey[]);
    });
  });
}

/** An agent that shows one of its keys. */
class OneKey extends BaseAgent {
  private readonly agent: BaseAgent;

  constructor(
    socket: string,
    private readonly key: ParsedKey,
  ) {
    super();
    this.agent = createAgent(socket);
  }

  override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
    callback(undefined, [this.key]);
  }

  override sign(
    key: string | Buffer | ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    this.agent.sign(key, data, options as SigningRequestOptions, callback);
  }
}
