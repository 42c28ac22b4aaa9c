import { DEBIAN } from "./debian";
import type { Distribution } from "./distribution";

/** trixie. */
export const debian13: Distribution = {
  ...DEBIAN,
  name: "debian-13",
  title: "Debian 13",
  systems: ["debian 13"],
};
