import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { hostCgroups, killCgroups, makeCgroups } from "./cgroup";
import { DATA_MOUNT, hasDataDisk } from "./data-disk";
import { thawHost } from "./freezer";
import { BRIDGE, removeHostLink } from "./network";
import { hostPaths, type LabPaths } from "./paths";
import type { LabState } from "./state";

/** A host that was started: `ended` tells when it is off again, with the last lines of its console. */
interface LaunchedHost {
  readonly ended: Promise<string>;
}

/** Powers a host on, from the disk it has; a host without one is blank. Returns before it has booted. */
export function launchHost(paths: LabPaths, state: LabState, host: string): LaunchedHost {
  const files = hostPaths(paths, host);
  for (const folder of [files.disk, files.work, files.root, files.dataMount])
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  fs.rmSync(files.ready, { force: true });
  const groups = hostCgroups(state.name, host);
  makeCgroups(groups);
  const dataImage = hasDataDisk(state, host) ? files.dataImage : "";
  const log = fs.openSync(files.console, "w");
  const child = spawn(
    "nsenter",
    [
      ...[`--net=${paths.netns}`, "unshare", "--mount", "--propagation", "slave"],
      ...["sh", "-euc", LAUNCHER, "pgherd-host", host, files.dir, state.trees, BRIDGE],
      ...[dataImage, ...groups],
    ],
    { cwd: "/", detached: true, stdio: ["ignore", log, log], env: environment(state) },
  );
  fs.closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", () => resolve(lastLines(files.console)));
  });
  child.unref();
  return { ended };
}

/** Cuts a host's power: all its processes are killed at once, the disk is kept. An off host stays off. */
export async function killHost(paths: LabPaths, lab: string, host: string): Promise<void> {
  thawHost(lab, host);
  await killCgroups(hostCgroups(lab, host));
  await removeHostLink(paths, host);
  fs.rmSync(hostPaths(paths, host).ready, { force: true });
}

/** Deletes what was written on a host that is off. */
export function wipeHost(paths: LabPaths, host: string): void {
  const files = hostPaths(paths, host);
  fs.rmSync(files.dataImage, { force: true });
  // Renamed first: a run that is killed in between leaves a blank disk, not half of one.
  for (const folder of [files.disk, files.work]) {
    const old = `${folder}.old`;
    fs.rmSync(old, { recursive: true, force: true });
    if (fs.existsSync(folder)) fs.renameSync(folder, old);
    fs.rmSync(old, { recursive: true, force: true });
  }
  for (const entry of fs.existsSync(files.dir) ? fs.readdirSync(files.dir) : [])
    if (entry.startsWith(".#")) fs.rmSync(path.join(files.dir, entry)); // nspawn's lock files
}

// Runs as long as the host does, in a mount namespace of its own: whatever it mounts is gone with the host's last process.
// nspawn exits with 133 when the host asks for a restart. Its own folder in /run is hidden, so that hosts of two labs may
// have the same name. The shell keeps out of the container's control group, which plain v2 would not divide otherwise.
const LAUNCHER = `
host=$1 dir=$2 trees=$3 bridge=$4 image=$5
shift 5
exec 9>"$dir/launch.lock"
flock --nonblock 9 || { echo "$host is running already."; exit 1; }
for group; do echo $$ >"$group/launcher/cgroup.procs"; done
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
mount -t overlay overlay -o "lowerdir=$dir/identity:$trees/base,upperdir=$dir/disk,workdir=$dir/work" "$dir/root"
data=
if [ -n "$image" ]; then
  # The last run's mount ends a moment after its last process, and two at once would destroy what is on the disk.
  while losetup --associated "$image" | grep -q .; do sleep 0.1; done
  mount -o loop "$image" "$dir/data"
  data="--bind=$dir/data:${DATA_MOUNT}"
fi
while :; do
  code=0
  sh -euc '
    while [ "$1" != -- ]; do echo $$ >"$1/run/cgroup.procs"; shift; done
    shift
    exec "$@" 9>&-' - "$@" -- \\
    systemd-nspawn --quiet --directory="$dir/root" --boot --register=no --keep-unit --machine="$host" \\
    --network-bridge="$bridge" --bind-ro="$trees/repo:/srv/apt" --resolv-conf=off --timezone=off --link-journal=no \\
    \${data:+"$data"} || code=$?
  [ $code = 133 ] || exit $code
done
`;

/** Debian 14's systemd starts on control groups of v2 only, which nspawn can give a host where this machine has v1 too. */
function environment({ distro }: LabState): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    ...(distro === "forky" && { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" }),
  };
}

const SHOWN_LINES = 8;

function lastLines(file: string): string {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  // Colours and cursor movements of the console: ESC [ … letter.
  const plain = text.replaceAll(new RegExp("\\u001b\\[[0-9;?!]*[A-Za-z]", "g"), "");
  return plain.trimEnd().split(/\r?\n/).slice(-SHOWN_LINES).join("\n");
}
