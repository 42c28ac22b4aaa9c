import { parse } from "yaml";
import type { Probe } from "../host/host";

/** Where a member has its data and PostgreSQL's programs. Those of a server that was migrated are where they were. */
export interface Places {
  /** `/var/lib/postgresql/17/main` */
  readonly dataDirectory: string;
  /** `/usr/lib/postgresql/17/bin` */
  readonly binDirectory: string;
}

/** What the member's Patroni is told, whether it runs or not. */
export const placesProbe: Probe<Places> = {
  script: "cat /etc/patroni/pgherd/10-member.yml",
  parse(output) {
    const { postgresql } = parse(output) as {
      postgresql: { readonly data_dir: string; readonly bin_dir: string };
    };
    return { dataDirectory: postgresql.data_dir, binDirectory: postgresql.bin_dir };
  },
};
