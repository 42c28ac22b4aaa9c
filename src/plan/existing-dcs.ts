import type { Settings } from "../config/schema";
import { timings } from "../config/timings";
import { accessFiles, GIVEN_KEY, GIVEN_SECRET } from "../dcs/existing";
import { plannedDcs } from "../dcs/planned";
import { formerDcs, givenDcs, kindOfDcs, type ExistingDcs } from "../roles/dcs";
import { dataDirectory, programsDirectory } from "../roles/patroni";
import { roleNamed } from "../roles/roles";
import { dcsAddress, identityOf, planned } from "./dcs";
import type { ExistingDcsPlan, Files, SecretFile, SecretFiles } from "./types";

/** What each member must have to be let in to a DCS that somebody else runs; nothing where pgherd deploys its own. */
export function planExistingDcs(settings: Settings): ExistingDcsPlan | undefined {
  const { cluster } = settings;
  const dcs = givenDcs(cluster);
  if (!dcs) return undefined;
  const arrives = dcs === cluster.dcs && formerDcs(cluster) !== undefined;
  const inputs = {
    ...dcsAddress(planned(settings, dcs)),
    hosts: cluster.members.map(({ host }) => host),
    answered: cluster.members.map(({ host }) => host),
    ttl: timings(cluster.failover).ttl,
    leastVersion: roleNamed(kindOfDcs(dcs.kind).role).leastVersion?.version ?? "0",
    ...(arrives && { arrives: true as const }),
    // Those of a server that is migrated are its own, and what the DCS knows is looked at when it is adopted.
    ...(!cluster.migration && {
      data: {
        dataDirectory: dataDirectory(cluster),
        binDirectory: programsDirectory(cluster),
      },
    }),
  };
  return { inputs, files: files(dcs), secretFiles: secretFiles(dcs) };
}

const READ_BY_ALL = { mode: "0644", owner: "root", group: "root" };
const READ_BY_ROOT = { mode: "0600", owner: "root", group: "root" };
const READ_BY_POSTGRES = { mode: "0640", owner: "root", group: "postgres" };

function files({ ca, certificate }: ExistingDcs): Files {
  const at = accessFiles();
  const pem = (text: string) => ({ ...READ_BY_ALL, content: `${text.trim()}\n` });
  return {
    ...(ca !== undefined && { [at.ca]: pem(ca) }),
    ...(certificate !== undefined && { [at.certificate]: pem(certificate) }),
  };
}

/** Those that are read with secrets; what is in some of them is none, and goes along. */
function secretFiles(dcs: ExistingDcs): SecretFiles {
  const at = accessFiles();
  const { ca, certificate, username, anonymous } = identityOf(dcs);
  const { login, header, environment } = plannedDcs(dcs.kind).given;
  const token = header !== undefined && !anonymous;
  const values = {
    ca: ca ? at.ca : null,
    ...(certificate
      ? { certificate: at.certificate, key: at.key }
      : { certificate: null, key: null }),
    username: username ?? null,
    header: token ? `@${at.header}` : null,
  };
  const file = (template: string, secrets: SecretFile["secrets"]): SecretFile => ({
    ...READ_BY_ROOT,
    ...{ template, values, secrets },
  });
  const password = username === undefined ? undefined : { password: GIVEN_SECRET };
  return {
    [at.curl]: file("dcs/curl.conf", {}),
    ...(certificate && {
      [at.key]: { ...file("dcs/key", { key: GIVEN_KEY }), ...READ_BY_POSTGRES },
    }),
    ...(token && { [at.header]: file(header, { token: GIVEN_SECRET }) }),
    ...(login !== undefined && password && { [at.login]: file(login, password) }),
    ...(environment !== undefined && { [at.environment]: file(environment, password ?? {}) }),
  };
}
