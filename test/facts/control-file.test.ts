import { expect, test } from "vitest";
import { controlFileProbe } from "../../src/facts/control-file";

const probe = controlFileProbe({ dataDirectory: "/data", binDirectory: "/bin" });

const says = (state: string, checkpoint: number, recovered: number) =>
  `Database cluster state:               ${state}
Latest checkpoint's TimeLineID:       ${checkpoint}
Latest checkpoint's PrevTimeLineID:   ${checkpoint}
Min recovery ending loc's timeline:   ${recovered}
`;

test.each([
  ["a primary that was shut down in order", says("shut down", 3, 0), true, 3],
  ["a primary whose promotion was a moment ago", says("in production", 2, 3), true, 3],
  ["a standby that has gone past a promotion", says("shut down in recovery", 2, 3), false, 3],
  ["a standby since its last restart point", says("in archive recovery", 3, 3), false, 3],
])(
  "the data of %s is on the timeline that PostgreSQL goes on from",
  (_title, said, primary, timeline) => {
    expect(probe.parse(said)).toEqual({ primary, timeline });
  },
);
