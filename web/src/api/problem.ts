/** What the API answers when it refuses (RFC 9457), and what the page makes of a server that cannot be reached. */

export interface FieldFault {
  path: string;
  message: string;
}

interface ProblemBody {
  code?: string;
  title?: string;
  detail?: string;
  request_id?: string;
  errors?: FieldFault[];
}

export class ApiError extends Error {
  /** Stable; "offline" when no answer came. */
  readonly code: string;
  /** 0 when no answer came. */
  readonly status: number;
  readonly requestId: string | undefined;
  readonly faults: FieldFault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, body: ProblemBody, retryAfter?: string | null) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? (status === 0 ? "offline" : "internal");
    this.requestId = body.request_id;
    this.faults = body.errors ?? [];
    this.retryAfterSeconds = retryAfter ? Number(retryAfter) || undefined : undefined;
  }

  /** Whether the same request may go well in a moment. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export function offline(): ApiError {
  return new ApiError(0, { detail: "The server cannot be reached. What you see may be out of date." });
}

export async function readProblem(response: Response): Promise<ApiError> {
  const body = await response
    .json()
    .then((value) => (value && typeof value === "object" ? (value as ProblemBody) : {}))
    .catch(() => ({}));
  return new ApiError(response.status, body, response.headers.get("Retry-After"));
}

/** Anything that was thrown, as something that can be shown. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(500, { code: "page", detail: error instanceof Error ? error.message : String(error) });
}
