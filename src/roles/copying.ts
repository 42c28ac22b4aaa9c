import type { Software } from "../distributions/distributions";

/** What data is copied by, from and to the backup host. */
export const COPYING: readonly Software[] = ["ssh client", "rsync"];
