import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { labExec } from "../../../src/lab/exec";
import { labPaths } from "../../../src/lab/paths";
import { LAB } from "./lab";
import { cluster, fingerprints, sshOption, standing } from "./standing";

standing();

describe("refusals", () => {
  test("all mistakes in the settings are shown at once", async () => {
    const mistaken = cluster.varying(({ cluster: wanted }) => {
      Object.assign(wanted.postgresql ?? {}, { verison: 17 });
      Object.assign(wanted.replication ?? {}, { mode: "sometimes" });
      Object.assign(wanted.loadBalancers ?? {}, { virtualRouterId: 300 });
    });
    const said = await mistaken.refused("preview");
    expect(said).toContain("3 problems in the stack's configuration:");
    expect(said).toContain("pgherd:cluster.postgresql.verison: no such setting.");
    expect(said).toMatch(/pgherd:cluster\.replication\.mode: expected .*, got "sometimes"\./);
    expect(said).toContain(
      "pgherd:cluster.loadBalancers.virtualRouterId: expected 255 or less, got 300.",
    );
  });

  test("a run that a host refuses says every reason and changes nothing anywhere", async () => {
    const before = await fingerprints();
    const unfit = cluster.varying(({ cluster: wanted }) => {
      wanted.postgresql = { ...wanted.postgresql, version: 18 };
      wanted.failover = { profile: "aggressive" };
    });
    const said = await unfit.refused("up", "--yes", "--skip-preview");
    expect(said).toContain(
      "pgherd:cluster.postgresql.version: expected 17, which this cluster was made with, got 18.",
    );
    // Patroni since 3.2.0 would silently wait longer than this profile says.
    expect(said).toMatch(
      /db1, db2, db3: pgherd:cluster\.failover\.profile: "aggressive" needs patroni older than 3\.2\.0, found 4/,
    );
    expect(await fingerprints()).toEqual(before);
  });

  test("a swapped host key stops the run before any command is executed there", async () => {
    const paths = labPaths(LAB);
    const folder = mkdtempSync(join(tmpdir(), "pgherd-"));
    const config = readFileSync(paths.sshConfig, "utf8");
    const knownHosts = sshOption("UserKnownHostsFile");
    const lines = readFileSync(knownHosts, "utf8").split("\n");
    const keyOf = (address: string) =>
      lines
        .find((line) => line.includes(address))
        ?.split(" ")
        .slice(1)
        .join(" ") ?? "";
    const swapped = lines.map((line) =>
      line.includes("10.89.0.32") ? `${line.split(" ")[0]} ${keyOf("10.89.0.11")}` : line,
    );
    writeFileSync(join(folder, "known_hosts"), swapped.join("\n"));
    writeFileSync(
      join(folder, "config"),
      config.replaceAll(knownHosts, join(folder, "known_hosts")),
    );
    const logins = () =>
      cluster.onHost("lb2", "sudo journalctl -u ssh --no-pager -o cat | grep -c Accepted");
    const before = Number(await logins());
    const up = cluster.argv("up", "--yes", "--skip-preview").join(" ");
    const script = `PGHERD_SSH_CONFIG=${folder}/config ${up} 2>&1; echo "ended with $?"`;
    const said = await labExec(LAB, ["sh", "-c", script]);
    expect(said).toMatch(
      /lb2: .* shows another host key than the known one. Nothing was sent to it./,
    );
    expect(said).not.toMatch(/ended with 0/);
    // Only this test's own login to count came in between.
    expect(Number(await logins())).toBe(before + 1);
  });
});
