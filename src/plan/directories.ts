/** Where Patroni reads what it is told on a member, except passwords; it takes all files of the folder, in order. */
export const MEMBER_FILE = "/etc/patroni/pgherd/10-member.yml";
