import { expect, test } from "vitest";
import { ruleLines, type RuleFiles } from "../../src/facts/rule-files";

// The files of somebody else's server, as PostgreSQL reads them (src/backend/libpq/hba.c).

const FILE = "/etc/pg/pg_hba.conf";

const read = (
  text: string,
  others: { readonly [path: string]: string | null } = {},
  version = 17,
) =>
  ruleLines(
    FILE,
    Object.fromEntries(
      Object.entries({ [FILE]: text, ...others }).map(([path, content]) => [
        path,
        content === null ? null : Buffer.from(content).toString("base64"),
      ]),
    ) as RuleFiles,
    version,
  );

test.each<[name: string, text: string, lines: string[]]>([
  [
    "quotes within an option",
    'host all all 10.0.0.0/8 ldap ldapserver=ldap1 ldapbasedn="dc=example,dc=net"',
    ['host all all 10.0.0.0/8 ldap ldapserver=ldap1 ldapbasedn="dc=example,dc=net"'],
  ],
  [
    "the members of a role with a blank in its name",
    'host  all\t+"team a","+team a"  all md5',
    ['host all +"team a","+team a" all md5'],
  ],
  ["words and names that are spelled like words", 'local all "all" peer', ['local all "all" peer']],
  ["comments, and none within quotes", 'm1 "a#b" c # d\n# e\n\n', ['m1 "a#b" c']],
  ["a line that goes on in the next one", "host all all \\\n all md5", ["host all all all md5"]],
  ["line ends of another system", "local all all peer\r\n", ["local all all peer"]],
])("%s are carried as they are spelled", (_name, text, lines) => {
  expect(read(text)).toEqual(lines);
});

test("what stands in other files stands where they are named", () => {
  const files = {
    "/etc/pg/more.conf": "host shop shop all md5\ninclude_if_exists none.conf\n",
    "/etc/pg/none.conf": null,
    "/etc/pg/d/b.conf": "host b b all md5\n",
    "/etc/pg/d/a.conf": "host a a all md5\n",
    "/etc/pg/d/.c.conf": "host c c all md5\n",
    "/etc/pg/users": 'ann, "bob b"\n# eve\ncarl\n',
  };
  const text = "include more.conf\ninclude_dir d\nhost all @users all md5\n";
  expect(read(text, files)).toEqual([
    "host shop shop all md5",
    "host a a all md5",
    "host b b all md5",
    'host all ann,"bob b",carl all md5',
  ]);
});

test("a file that is named and not there is told of", () => {
  expect(() => read("include more.conf\n", { "/etc/pg/more.conf": null })).toThrow(
    'expected the file "/etc/pg/more.conf", which pg_hba.conf or pg_ident.conf names, found none',
  );
});

test("of a secret only its name is carried", () => {
  expect(read('host all all all ldap ldapserver=l ldapbindpasswd="can ary"')).toEqual([
    "host all all all ldap ldapserver=l ldapbindpasswd=***",
  ]);
});
