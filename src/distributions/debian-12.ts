import { DEBIAN } from "./debian";
import type { Distribution } from "./distribution";

/** bookworm. */
export const debian12: Distribution = {
  ...DEBIAN,
  name: "debian-12",
  title: "Debian 12",
  systems: ["debian 12"],
};
