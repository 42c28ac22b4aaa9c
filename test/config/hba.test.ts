import { describe, expect, test } from "vitest";
import { fieldsOf, parseHba } from "../../src/config/hba";
import { parseSettings } from "../../src/config/parse";
import { ConfigError } from "../../src/errors";

/** What is said of a stack with this line of pg_hba.conf. */
function problems(line: string, version = 17): string[] {
  try {
    parseSettings({
      hosts: { a1: { address: "10.0.0.1" } },
      cluster: {
        name: "shop",
        members: ["a1"],
        dcs: { kind: "etcd", members: ["a1"] },
        firewall: false,
        postgresql: { pgHba: [line], version },
      },
    });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map((problem) =>
      problem.replace("pgherd:cluster.postgresql.pgHba[0]: ", ""),
    );
  }
}

describe("a line is parted as PostgreSQL parts it:", () => {
  const rows: [title: string, line: string, fields: string[][]][] = [
    ["a list with blanks", "host app, app2 all", [["host"], ["app", "app2"], ["all"]]],
    ["a list that begins with its comma", "host app ,app2", [["host"], ["app"], ["app2"]]],
    ["quotes around blanks", 'host "my db" app', [["host"], ["my db"], ["app"]]],
    ["quotes within a word", 'a"b c"d', [["ab cd"]]],
    ["a doubled quote", '"a""b"', [['a"b']]],
    ["an empty name", 'host "" x', [["host"], [""], ["x"]]],
    ["a comment", 'host "#1" x # all', [["host"], ["#1"], ["x"]]],
    ["a comment within a word", "host x#y z", [["host"], ["x"]]],
    ["tabs", "\thost\tx\r", [["host"], ["x"]]],
    ["a quote that is never closed", 'host "a b', [["host"], ["a b"]]],
    ["nothing", " \t# all", []],
  ];
  test.each(rows)("%s", (_title, line, fields) => {
    expect(fieldsOf(line).map((field) => field.map(({ text }) => text))).toEqual(fields);
  });
});

test("a word in quotes is a name, not what it means without them", () => {
  expect(parseHba('host "all" +dba all scram-sha-256', 17)).toMatchObject({
    databases: [{ text: "all", quoted: true }],
    users: [{ text: "+dba", quoted: false }],
    from: { kind: "all" },
  });
  expect(parseHba('host app app "samenet" reject', 17)).toMatchObject({
    from: { kind: "name", name: "samenet" },
  });
});

test.each([
  ["010.0.0.0/8", "scram-sha-256", "8.0.0.0/8"],
  ["010.0.0.0/8", "reject", "8.0.0.0/8"],
  ["10.1/32", "scram-sha-256", "10.0.0.1/32"],
  ["10.0.0.0 255.0377.0.0", "scram-sha-256", "10.0.0.0/16"],
])("%s is told as what PostgreSQL reads (%s)", (from, method, read) => {
  expect(problems(`host app app ${from} ${method}`)).toEqual([
    `expected an address as it is usually written, got "${from}", which PostgreSQL reads as ${read}. Write the one that you mean.`,
  ]);
});

describe("everybody is kept out, whichever way the line spells it:", () => {
  const everywhere = (from: string) => [
    `expected the networks of the clients, got "${from}", which is everybody. Name them, or set postgresql.pgHbaFromAnywhere: true.`,
  ];
  test.each([
    "0.0.0.0/0",
    "0/0",
    "0.0/0",
    "0x0/0",
    "0.0.0.0/00",
    "10.0.0.0/0",
    "0.0.0.0/+0",
    "::/0",
    "::0/0",
    "0:0:0:0:0:0:0:0/0",
    "fd00::/000",
    "0.0.0.0 0.0.0.0",
    "10.1 0",
    "::1 ::",
    "all",
  ])("%s", (from) => {
    expect(problems(`host app app ${from} scram-sha-256`)).toEqual(everywhere(from));
  });

  test.each(["app, app2", '"my db"', "app,app2,\t app3", '"a#b"', "/^app"])(
    "before the address stands %s",
    (names) => {
      expect(problems(`host ${names} app 0.0.0.0/0 scram-sha-256`)).toEqual(
        everywhere("0.0.0.0/0"),
      );
      expect(problems(`host app ${names} 0.0.0.0/0 scram-sha-256`)).toEqual(
        everywhere("0.0.0.0/0"),
      );
    },
  );

  test("half of everybody is too wide as well", () => {
    expect(problems("host app app 128.0.0.0/1 scram-sha-256")[0]).toContain(
      'got "128.0.0.0/1", which is a large part of everybody',
    );
    expect(problems("host app app 10.0.0.0/8 scram-sha-256")).toEqual([]);
    expect(problems("host app app fc00::/7 scram-sha-256")).toEqual([]);
  });
});

describe("a weak method is refused with the reason, wherever it stands:", () => {
  const WHY: { readonly [method: string]: string } = {
    trust: "it asks nobody for anything",
    md5: "whoever reads a login, or the stored password, can log in with it",
    password: "the password can be read on its way",
    ident: "the client's own host vouches for its user",
  };
  test.each([
    ["trust", 'local "a b" all trust'],
    ["trust", "host app, app2 app 10.0.0.0/24 trust"],
    ["md5", "host all alice, bob 10.0.0.0/24 md5"],
    ["trust", 'host "my db" app 10.0.0.0/24 "trust"'],
    ["password", "host app app 10.0.0.0 255.255.255.0 password"],
    ["ident", "host app app 10.0.0.0/24 ident map=office"],
    ["trust", "host app app .example.com trust"],
    ["trust", "host app app samenet trust"],
  ])("%s in %s", (method, line) => {
    expect(problems(line)).toEqual([
      `expected scram-sha-256, cert or reject, got "${method}": ${WHY[method]}. Choose one of those.`,
    ]);
  });

  test("ident on a socket is peer", () => {
    expect(problems("local app app ident")).toEqual([]);
    expect(parseHba("local app app ident", 17)?.method).toBe("peer");
  });
});

describe("what PostgreSQL would refuse is refused before:", () => {
  test.each([
    [
      "host app app 10.0.0.5 scram-sha-256",
      'expected "10.0.0.5" with its mask, such as 10.0.0.5/32',
    ],
    [
      "host all all 10.0.0.0/99 scram-sha-256",
      'expected a prefix length up to 32, got "10.0.0.0/99"',
    ],
    ["host all all fd00::/129 reject", 'expected a prefix length up to 128, got "fd00::/129"'],
    ["host all all 10.0.0.0/ reject", 'expected a prefix length up to 32, got "10.0.0.0/"'],
    ["host all all 10.0.0.0 ff00:: reject", 'expected "10.0.0.0" with its mask'],
    ["host all all 10.0.0.0 0.0.0.255 reject", 'expected "10.0.0.0" with its mask'],
    ["host all all office/24 reject", 'expected a network such as 10.0.0.0/24, got "office/24"'],
    ["host all all fe80::1%eth0/64 reject", "expected an address without a zone"],
    ["host all", 'expected users next, got the end of "host all"'],
    ["host all all 10.0.0.0/8", 'expected method next, got the end of "host all all 10.0.0.0/8"'],
    ["host all all 10.0.0.0/8,10.1.0.0/16 reject", "expected one address, got a list"],
    ["HOST all all 10.0.0.0/8 reject", 'expected a line such as "host app app 10.0.0.0/24'],
    [
      "host all all 10.0.0.0/8 TRUST",
      'expected a method such as scram-sha-256 or reject, got "TRUST"',
    ],
    [
      "host all all 10.0.0.0/8 scram",
      'expected a method such as scram-sha-256 or reject, got "scram"',
    ],
    [
      "host all all 10.0.0.0/8 oauth issuer=x",
      'expected a method such as scram-sha-256 or reject, got "oauth"',
    ],
    ["host all all 10.0.0.0/8 cert", 'expected cert on a line of hostssl, got "host"'],
    ["host all all 10.0.0.0/8 peer", 'expected peer on a line of local, got "host"'],
    [
      "host all all 10.0.0.0/8 ldap",
      "expected ldapbasedn or ldapprefix or ldapsuffix or ldapurl for ldap, got none",
    ],
    ["host all all 10.0.0.0/8 reject now", 'expected an option such as map=office, got "now"'],
    [
      "host all all 10.0.0.0/8 scram-sha-256 map=x",
      'expected an option of scram-sha-256 on host, got "map"',
    ],
    [
      "hostssl all all 10.0.0.0/8 cert constructor=x",
      'expected an option of cert on hostssl, got "constructor"',
    ],
  ])("%s", (line, expected) => {
    const [problem, ...more] = problems(line);
    expect(problem).toContain(expected);
    expect(more).toEqual([]);
  });
});

describe("a line that reads more than itself is refused:", () => {
  test.each([
    [
      "include_if_exists /tmp/x",
      'expected the lines themselves, got "include_if_exists" of a file',
    ],
    ["include x", 'expected the lines themselves, got "include" of a file'],
    ["include_dir /tmp", 'expected the lines themselves, got "include_dir" of a file'],
    ["host @dbs app 10.0.0.0/8 reject", 'expected names of databases, got the file "@dbs"'],
    ["host app app,@users 10.0.0.0/8 reject", 'expected names of users, got the file "@users"'],
    ["host app app 10.0.0.0/8 reject \\", "expected a whole line, got one that goes on"],
    ["# office \\", "expected a whole line, got one that goes on"],
  ])("%s", (line, expected) => {
    expect(problems(line)[0]).toContain(expected);
  });
});

describe("an option that PostgreSQL would refuse is refused before:", () => {
  const LDAP = "host all all 10.0.0.0/8 ldap";
  test.each([
    [`${LDAP} ldapprefix=x ldapport=abc`, 'expected a number for ldapport, got "abc"'],
    [`${LDAP} ldapprefix=x ldapport=0`, 'expected a number for ldapport, got "0"'],
    [`${LDAP} ldapprefix=x ldapfoo=1`, 'expected an option of ldap on host, got "ldapfoo"'],
    [`${LDAP} ldapprefix=x ldapscheme=http`, 'expected ldap or ldaps for ldapscheme, got "http"'],
    [`${LDAP} ldapprefix=x ldapbasedn=y`, "expected ldapprefix or ldapbasedn, got both"],
    [`${LDAP} ldapurl=x`, "expected ldap:// or ldaps:// for ldapurl"],
    [
      `${LDAP} ldapbasedn=x ldapsearchattribute=a ldapsearchfilter=b`,
      "expected ldapsearchattribute or ldapsearchfilter, got both",
    ],
    ["hostssl all all 10.0.0.0/8 cert clientcert=verify-ca", "expected verify-full"],
    ["hostssl all all 10.0.0.0/8 scram-sha-256 clientcert=yes", "expected verify-full"],
    ["hostssl all all 10.0.0.0/8 scram-sha-256 clientcert=1", "expected verify-full"],
    ["hostssl all all 10.0.0.0/8 cert clientname=cn", 'expected CN or DN for clientname, got "cn"'],
    ["host all all 10.0.0.0/8 scram-sha-256 clientcert=verify-ca", "expected an option of"],
    ["host all all 10.0.0.0/8 radius radiusservers=a", "expected radiussecrets for radius"],
    ["host all all 10.0.0.0/8 radius radiusservers=a radiussecrets=s radiusports=x", "numbers"],
    [
      'host all all 10.0.0.0/8 radius radiusservers="a,b,c" radiussecrets="s,t"',
      "expected 1 or 3 of radiussecrets, one for each server, got 2",
    ],
    ["hostgssenc all all 10.0.0.0/8 gss compat_realm=1", "expected an option of gss"],
    ["host all /[ 10.0.0.0/8 reject", 'expected a pattern of users, got "/["'],
    ["host /( all 10.0.0.0/8 reject", 'expected a pattern of databases, got "/("'],
  ])("%s", (line, expected) => {
    expect(problems(line)[0]).toContain(expected);
  });

  test("what it takes passes", () => {
    for (const line of [
      `${LDAP} ldapserver=x ldapbasedn="dc=x" ldapport=389 ldapscheme=ldaps ldaptls=1`,
      'host all all 10.0.0.0/8 radius radiusservers="a,b" radiussecrets="s" radiusports="1,2"',
      "hostssl all all 10.0.0.0/8 scram-sha-256 clientcert=verify-ca",
      "hostssl all all 10.0.0.0/8 cert clientcert=verify-full clientname=DN map=m",
      'host all "/^[[:alpha:]]+_(app|web)$" 10.0.0.0/8 reject',
      'host all "/(?i)^a" 10.0.0.0/8 reject',
    ]) {
      expect(problems(line)).toEqual([]);
    }
    expect(problems("hostssl all all 10.0.0.0/8 scram-sha-256 clientcert=1", 13)).toEqual([]);
    expect(problems("hostssl all all 10.0.0.0/8 cert clientname=DN", 13)[0]).toContain(
      "clientname",
    );
  });
});

test("a pattern of names needs a server that knows it", () => {
  expect(problems("host /^app app 10.0.0.0/8 reject", 16)).toEqual([]);
  expect(problems("host /^app app 10.0.0.0/8 reject", 15)[0]).toContain("PostgreSQL 16");
});

test.each([
  "# office",
  "host app app 10.0.0.5/32 scram-sha-256 # office",
  'hostssl "my db", app2 +team,"Röst" 10.0.0.0 255.255.255.0 cert map=office clientname=DN',
  "host sameuser all samenet scram-sha-256",
  "host replication standby .example.com scram-sha-256",
  "host all all 10.0.0.0/24 ldap ldapserver=ldap.example.net ldapprefix=x",
  "hostgssenc all all 10.0.0.0/24 scram-sha-256",
  'host all all 10.0.0.0/24 ldap ldapserver=x ldapbasedn="dc=example,dc=net"',
  "hostgssenc all all 10.0.0.0/24 gss include_realm=0",
  "host all all 0/0 reject",
])("this line passes: %s", (line) => {
  expect(problems(line)).toEqual([]);
});
