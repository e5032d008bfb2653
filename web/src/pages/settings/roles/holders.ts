import type { User } from "../../../api/people";

export const holdersOf = (users: readonly User[], roleId: string) =>
  users.filter((user) => user.roles.includes(roleId));

/** "Ada", "Ada and Bo", "Ada, Bo and 3 more". */
export function namesOf(users: readonly Pick<User, "full_name" | "email">[]): string {
  const [first = "", second, ...more] = users.map((user) => user.full_name || user.email);
  if (!second) return first;
  if (more.length === 0) return `${first} and ${second}`;
  if (more.length === 1) return `${first}, ${second} and ${more[0]}`;
  return `${first}, ${second} and ${more.length} more`;
}
