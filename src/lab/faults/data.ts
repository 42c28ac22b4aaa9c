import { patroni } from "../../roles/patroni";
import type { Fault } from "./fault";
import { inside } from "./inside";
import type { OneHost } from "./disk";

interface Corrupt extends OneHost {
  /** What is overwritten. @default "table" */
  readonly what?: "table" | "control" | "wal";
}

/** A part of a member's data is overwritten with noise. It does not heal: the member must be made anew. */
export const corrupt: Fault<Corrupt> = {
  describe: ({ host, what = "table" }) => `${NAMES[what]} of ${host} overwritten`,
  hosts: ({ host }) => [host],
  async inflict({ name }, { host, what = "table" }) {
    await inside(name, host, `set -e\n${DATA}\n${OVERWRITE[what]}\nsync`);
  },
  async heal() {},
};

/** A member's data directory is deleted while it runs. It does not heal: the member must be made anew. */
export const remove: Fault<OneHost> = {
  describe: ({ host }) => `data of ${host} deleted`,
  hosts: ({ host }) => [host],
  async inflict({ name }, { host }) {
    await inside(name, host, `set -e\n${DATA}\nrm -rf --one-file-system "$data"`);
  },
  async heal() {},
};

const NAMES = { table: "the largest table", control: "pg_control", wal: "the newest WAL" };

/** Where the member keeps its data, as its own server was told, or as Debian has it. */
const DATA = `data=$(pgrep -a -o -f '${patroni.programs.postgres}' | sed 's/.* -D \\([^ ]*\\).*/\\1/')
data=\${data:-$(ls -d /var/lib/postgresql/*/main | tail -n 1)}
[ -e "$data/PG_VERSION" ]`;

const OVERWRITE = {
  table: `file=$(find "$data/base" -type f -name '[0-9]*' -size +15k -printf '%s %p\\n' | sort -n | tail -n 1 | cut -d' ' -f2)
blocks=$(($(stat -c %s "$file") / 8192))
dd if=/dev/urandom of="$file" bs=8192 count=$((blocks / 2 + 1)) seek=0 conv=notrunc status=none`,
  control: `dd if=/dev/urandom of="$data/global/pg_control" bs=512 count=1 conv=notrunc status=none`,
  wal: `file=$(ls -t "$data"/pg_wal/0* | head -n 1)
dd if=/dev/urandom of="$file" bs=8192 count=64 seek=8 conv=notrunc status=none`,
};
