/** What the server guards about users, told so that it can be understood where it happens. */

import type { User } from "../../../api/people";
import { ApiError, asApiError } from "../../../api/problem";
import { lacking } from "../permissions";
import type { Role } from "../use_roles";

/** What this user may do and you may not, as far as the roles are known: then the server refuses every change. */
export function beyond(held: readonly string[], user: Pick<User, "roles">, roles: readonly Role[]): string[] {
  const given = roles.filter((role) => user.roles.includes(role.id)).flatMap((role) => role.permissions);
  return [...new Set(lacking(held, given))];
}

const cannotGive = /^You cannot give '([^']+)'/;

/** The server speaks of giving, also where a user with more rights is to be changed and nothing is given. */
export function asUserError(error: unknown): ApiError {
  const problem = asApiError(error);
  const permission = cannotGive.exec(problem.message)?.[1];
  if (problem.status === 412)
    return new ApiError(412, {
      code: problem.code,
      detail: "Somebody else has changed this user meanwhile. Look at what is there now, and try again.",
    });
  if (problem.status !== 403 || !permission) return problem;
  return new ApiError(403, {
    code: problem.code,
    request_id: problem.requestId,
    detail: `This user may do more than you (${permission}). Only somebody who may do that, too, can change them.`,
  });
}
