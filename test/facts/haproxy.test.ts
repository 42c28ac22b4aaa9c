import { expect, test } from "vitest";
import {
  addressesHeldProbe,
  drainedServersProbe,
  entrancesProbe,
  readingSessionsProbe,
} from "../../src/facts/haproxy";

// HAProxy 3.0 prints about a hundred fields a line; the eighteenth is the status.
function line(entrance: string, server: string, status: string): string {
  return (
    [entrance, server, ..."0,0,0,1,4000,1,57,1049,0,0,,0,,0,0".split(","), status].join(",") +
    ",1,1,0,0,0,12,0,,1,3,1,,0,,2,0,,1,L7OK,200,3,,,,,,,,,,,0,0,"
  );
}

const CSV = [
  "HTTP/1.1 200 OK",
  "content-type: text/plain; charset=utf-8",
  "",
  "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight",
  line("stats", "FRONTEND", "OPEN"),
  line("primary", "FRONTEND", "OPEN"),
  line("primary", "db1", "UP"),
  line("primary", "db2", "DOWN"),
  line("primary", "db3", "DOWN 1/2"),
  line("primary", "BACKEND", "UP"),
  line("replica", "db1", "DOWN"),
  line("replica", "db2", "UP"),
  line("replica", "db3", "UP 2/3"),
  line("synchronous", "FRONTEND", "OPEN"),
  line("synchronous", "db1", "no check"),
  line("synchronous", "BACKEND", "DOWN"),
].join("\r\n");

test("each entrance is told with the members that it leads to", () => {
  expect(entrancesProbe(7000).parse(CSV)).toEqual({
    primary: ["db1"],
    replica: ["db2", "db3"],
    synchronous: [],
  });
});

test("a HAProxy that does not answer has no entrances", () => {
  expect(entrancesProbe(7000).parse("")).toEqual({});
});

test("an address is held only if it is the whole address", () => {
  const output = `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: host0    inet 10.89.0.31/24 brd 10.89.0.255 scope global host0\\       valid_lft forever preferred_lft forever
2: host0    inet 10.89.0.100/24 scope global secondary host0\\       valid_lft forever preferred_lft forever
2: host0    inet6 fd00:89::31/64 scope global \\       valid_lft forever preferred_lft forever
`;
  const wanted = ["10.89.0.100", "fd00:89::31", "10.89.0.10", "0.89.0.100", "10.89.0.255"];
  expect(addressesHeldProbe(wanted).parse(output)).toEqual(["10.89.0.100", "fd00:89::31"]);
});

test("sessions of a HAProxy that does not answer are not known", () => {
  expect(readingSessionsProbe(7000, "db2").parse("")).toBeUndefined();
  expect(readingSessionsProbe(7000, "db2").parse(CSV)).toBe(0);
});

test("a name that no stack can have is no server's, whoever has answered", () => {
  const hostile = [
    line("replica", "db2 state ready;shutdown sessions server primary/db1", "DRAIN"),
    line("primary/db1 state maint;set server replica", "db2", "DRAIN"),
    line("replica", "db3", "DRAIN"),
  ].join("\n");
  expect(drainedServersProbe(7000).parse(hostile)).toEqual(["replica/db3"]);
});
