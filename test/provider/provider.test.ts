import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import messages from "@pulumi/pulumi/proto/provider_pb";
import { Server } from "ssh2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { pgherdProvider } from "../../src/provider/provider";
import { listen } from "../../src/rpc/server";
import { fromStruct, toStruct, UNKNOWN, type Values } from "../../src/rpc/values";
import { keyPair } from "../keys";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const PINNED = keyPair().public.trim();
const SERVED = keyPair();

/** An SSH server with another key than the pinned one, which notes whatever is asked of it. */
const asked: string[] = [];
const impostor = new Server({ hostKeys: [SERVED.private] }, (connection) => {
  asked.push("connection");
  connection.on("error", () => {});
  connection.on("authentication", (attempt) => {
    asked.push(`authentication of ${attempt.username}`);
    attempt.accept();
  });
  connection.on("session", () => asked.push("session"));
});

let server: grpc.Server;
let client: Client;
let closedPort: number;
let impostorPort: number;

beforeAll(async () => {
  process.env.PGHERD_SSH_CONFIG = "/nonexistent";
  delete process.env.SSH_AUTH_SOCK;
  const identityFile = join(mkdtempSync(join(tmpdir(), "pgherd-provider-")), "id");
  writeFileSync(identityFile, keyPair().private, { mode: 0o600 });
  await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
  impostorPort = (impostor.address() as AddressInfo).port;
  closedPort = await freePort();
  ({ server, client } = await serveProvider(identityFile));
});

let configuredBy = "";

/** A provider of its own, as each run has. */
async function serveProvider(identityFile = configuredBy) {
  configuredBy = identityFile;
  const listening = await listen(pgherdProvider(undefined), "1.2.3");
  const raw = new ResourceProviderClient(
    `127.0.0.1:${listening.port}`,
    grpc.credentials.createInsecure(),
  );
  const own = clientOf(raw as never);
  const reached = { address: "127.0.0.1", hostKey: PINNED };
  const request = new messages.ConfigureRequest();
  request.setArgs(
    toStruct({
      inventory: {
        hosts: {
          gone: { ...reached, port: closedPort },
          swapped: { ...reached, port: impostorPort },
        },
        ssh: { user: "tester", identityFile, sudo: false, connectTimeout: 60 },
      },
    }),
  );
  const configured = await own<messages.ConfigureResponse>("configure", request);
  expect(configured.getAcceptsecrets()).toBe(false);
  expect(configured.getSupportspreview()).toBe(true);
  return { server: listening.server, client: own };
}

afterAll(() => {
  server.forceShutdown();
  impostor.close();
});

const base = {
  cluster: "demo",
  host: "gone",
  packages: ["etcd-server"],
  masked: [],
  files: { "/etc/a.conf": { content: "a\n", mode: "0644", owner: "root", group: "root" } },
  kernel: {},
};
const preflightInputs = {
  cluster: "demo",
  hosts: {
    gone: { address: "127.0.0.1", packages: [], ports: {}, watchdog: false, timeSync: true },
  },
  versions: [],
  sameVersions: [],
  vips: [],
  fixed: {},
};
const HOST_BASE = "pgherd:index:HostBase";
const URN = `urn:pulumi:lab::pgherd::pgherd:component:Cluster$${HOST_BASE}::demo-gone`;

test("the handshake accepts no secrets, so that the engine marks them itself", async () => {
  const request = new messages.ProviderHandshakeRequest();
  const response = await client<messages.ProviderHandshakeResponse>("handshake", request);
  expect(response.getAcceptSecrets()).toBe(false);
});

test("equal state and inputs do not differ", async () => {
  expect(await diff(base, base)).toEqual({ some: false, paths: {}, replaces: [] });
});

test("what could not be brought about differs until it is, whatever a refresh has read since", async () => {
  const { some } = await diff({ ...base, unfinished: true }, base);
  expect(some).toBe(true);
});

test("what was learned from the hosts never differs", async () => {
  const state = { ...base, versions: { "etcd-server": "3.5.16-4" } };
  expect(await diff(state, base)).toEqual({ some: false, paths: {}, replaces: [] });
});

test("a difference is told by its whole path", async () => {
  const state = {
    ...base,
    packages: [],
    files: {
      "/etc/a.conf": { ...base.files["/etc/a.conf"], content: "b\n" },
      "/etc/old.conf": base.files["/etc/a.conf"],
    },
  };
  const wanted = {
    ...base,
    files: { ...base.files, "/etc/new.conf": base.files["/etc/a.conf"] },
  };
  expect(await diff(state, wanted)).toEqual({
    some: true,
    paths: {
      "packages[0]": "ADD",
      'files["/etc/a.conf"].content': "UPDATE",
      'files["/etc/old.conf"]': "DELETE",
      'files["/etc/new.conf"]': "ADD",
    },
    replaces: [],
  });
});

test("another host makes it another resource", async () => {
  expect(await diff(base, { ...base, host: "swapped" })).toEqual({
    some: true,
    paths: { host: "UPDATE_REPLACE" },
    replaces: ["host"],
  });
});

test("what is not known yet differs", async () => {
  expect(await diff(base, { ...base, packages: UNKNOWN })).toMatchObject({
    some: true,
    paths: { packages: "UPDATE" },
  });
});

test("a preview of create tells the id and touches no host", async () => {
  const before = asked.length;
  const inputs = { ...base, host: "swapped" };
  const response = await create(HOST_BASE, inputs, true);
  expect(response.getId()).toBe("demo/swapped");
  expect(fromStruct(response.getProperties())).toEqual(inputs);
  expect(asked).toHaveLength(before);
});

test("a host that cannot be reached is named, and nothing is remembered of the attempt", async () => {
  const error = await failure(create(HOST_BASE, base, false));
  expect(error.details).toBe(
    `gone: tester@127.0.0.1 port ${closedPort} cannot be reached: connect ECONNREFUSED 127.0.0.1:${closedPort}.\n` +
      "Check that the host is up, that sshd listens there, and pgherd:hosts for its address.",
  );
  expect(error.metadata.get("grpc-status-details-bin")).toEqual([]);
});

test("a host that cannot be reached is not taken as gone", async () => {
  const request = about(new messages.ReadRequest(), HOST_BASE);
  request.setId("demo/gone");
  request.setProperties(toStruct(base));
  request.setInputs(toStruct(base));
  const error = await failure(client("read", request));
  expect(error.details).toMatch(/^gone: .* cannot be reached/);
});

test("every host that cannot be reached is told of once in a refresh, with all causes", async () => {
  const other = await serveProvider();
  const read = (host: string, state: Values) => {
    const request = about(new messages.ReadRequest(), HOST_BASE);
    request.setId(`demo/${host}`);
    request.setProperties(toStruct(state));
    request.setInputs(toStruct(state));
    return other.client<messages.ReadResponse>("read", request);
  };
  const states = ["gone", "swapped", "gone", "swapped"].map((host) => ({ ...base, host }));
  const results = await Promise.allSettled(states.map((state) => read(state.host, state)));
  other.server.forceShutdown();
  const errors = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(errors).toHaveLength(1);
  const { details } = errors[0] as grpc.ServiceError;
  expect(details.match(/^gone: .* cannot be reached/gm)).toHaveLength(1);
  expect(details.match(/^swapped: .* shows another host key/gm)).toHaveLength(1);
  const kept = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  for (const answer of kept)
    expect(states).toContainEqual({ ...fromStruct(answer.getProperties()) });
});

test("a preview of what only looks does look, so that what it learns is known there", async () => {
  const error = await failure(create("pgherd:index:Preflight", preflightInputs, true));
  expect(error.details).toMatch(/^gone: tester@127\.0\.0\.1 port \d+ cannot be reached/);
});

test("what was wanted stays wanted, whatever a refresh has found", async () => {
  const request = about(new messages.ReadRequest(), "pgherd:index:Preflight");
  request.setId("demo/preflight");
  request.setProperties(toStruct({ ...preflightInputs, vips: [] }));
  request.setInputs(toStruct({ ...preflightInputs, vips: ["10.89.0.100"] }));
  const response = await client<messages.ReadResponse>("read", request);
  expect(fromStruct(response.getProperties())).toMatchObject({ vips: [] });
  expect(fromStruct(response.getInputs())).toMatchObject({ vips: ["10.89.0.100"] });
});

test("a host that is not in the inventory is named", async () => {
  const error = await failure(create(HOST_BASE, { ...base, host: "nobody" }, false));
  expect(error.details).toBe("nobody: no such host in pgherd:hosts.\nAdd it, or mend the name.");
});

test("a check tells what keeps the hosts from being used, before anything is changed", async () => {
  const request = about(new messages.CheckRequest(), "pgherd:index:Preflight");
  request.setNews(toStruct(preflightInputs));
  const response = await client<messages.CheckResponse>("check", request);
  const reasons = response.getFailuresList().map((each) => each.getReason());
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toMatch(/^gone: tester@127\.0\.0\.1 port \d+ cannot be reached/);
});

test("a check knows what the cluster was made with", async () => {
  const request = about(new messages.CheckRequest(), "pgherd:index:Preflight");
  request.setOlds(toStruct({ ...preflightInputs, fixed: { "dcs.token": "old" } }));
  request.setNews(toStruct({ ...preflightInputs, hosts: {}, fixed: { "dcs.token": "new" } }));
  const response = await client<messages.CheckResponse>("check", request);
  expect(response.getFailuresList().map((each) => each.getReason())).toEqual([
    "pgherd:cluster.dcs.token: expected old, which this cluster was made with, got new. " +
      "It is kept for a cluster's life; put the old value back.",
  ]);
});

test("a host with another key than the known one is neither logged in to nor told anything", async () => {
  asked.length = 0;
  const error = await failure(create(HOST_BASE, { ...base, host: "swapped" }, false));
  expect(error.details).toBe(
    `swapped: tester@127.0.0.1 port ${impostorPort} shows another host key than the known one. Nothing was sent to it.\n` +
      `  known: ${PINNED}\n  shown: ${SERVED.public.trim()}\n` +
      "If the host was reinstalled, replace its key in pgherd:hosts or known_hosts; if not, somebody sits in between.",
  );
  expect([...new Set(asked)]).toEqual(["connection"]);
});

test("an unknown type is an error", async () => {
  const error = await failure(create("pgherd:index:Table", base, true));
  expect(error.details).toContain('expected a resource type of pgherd, got "pgherd:index:Table".');
});

test("errors carry no stack", async () => {
  const errors = await Promise.all([
    failure(create(HOST_BASE, base, false)),
    failure(create("pgherd:index:Table", base, false)),
    failure(create("pgherd:index:Service", { ...base, daemon: "nginx" }, false)),
  ]);
  for (const { details } of errors) expect(details).not.toMatch(/\n\s+at |node_modules|\.ts:/);
});

/** Calls a method of the provider. */
type Client = <Response>(method: string, request: object) => Promise<Response>;

function clientOf(raw: {
  [method: string]: (
    request: object,
    done: (error: grpc.ServiceError | null, response: unknown) => void,
  ) => void;
}): Client {
  return (method, request) =>
    new Promise((resolve, reject) =>
      raw[method]!(request, (error, response) =>
        error ? reject(error) : resolve(response as never),
      ),
    );
}

function about<Request extends { setUrn(urn: string): unknown; setType(type: string): unknown }>(
  request: Request,
  type: string,
): Request {
  request.setUrn(URN);
  request.setType(type);
  return request;
}

function create(type: string, inputs: Values, preview: boolean): Promise<messages.CreateResponse> {
  const request = about(new messages.CreateRequest(), type);
  request.setProperties(toStruct(inputs));
  request.setPreview(preview);
  return client("create", request);
}

async function diff(state: Values, inputs: Values) {
  const request = about(new messages.DiffRequest(), HOST_BASE);
  request.setOlds(toStruct(state));
  request.setNews(toStruct(inputs));
  const response = await client<messages.DiffResponse>("diff", request);
  const kinds = Object.entries(messages.PropertyDiff.Kind);
  const paths: { [path: string]: string | undefined } = {};
  response.getDetaileddiffMap().forEach((change: messages.PropertyDiff, path: string) => {
    paths[path] = kinds.find(([, value]) => value === change.getKind())?.[0];
  });
  return {
    some: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
    paths,
    replaces: response.getReplacesList(),
  };
}

async function failure(call: Promise<unknown>): Promise<grpc.ServiceError> {
  const error = await call.then(
    () => undefined,
    (one: grpc.ServiceError) => one,
  );
  if (!error) throw new Error("expected the call to fail");
  return error;
}

/** A port on which nothing listens. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const holder = createServer().listen(0, "127.0.0.1", () => {
      const { port } = holder.address() as AddressInfo;
      holder.close(() => resolve(port));
    });
  });
}
