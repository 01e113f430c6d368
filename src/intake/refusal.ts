/** Why a request, or one message of it, is not taken. `message` is shown to the customer: it says what to change. */
export class Refusal {
  constructor(
    /** HTTP status as Segment reads it: 4xx gives up, 501 is shown as "not supported", 503 is tried again. */
    readonly status: 400 | 401 | 403 | 404 | 408 | 413 | 500 | 501 | 503,
    readonly message: string,
  ) {}
}

/** Wherever a key, signature or tenant does not fit, the answer is this one: it does not tell which. */
export const UNAUTHORIZED = new Refusal(
  401,
  'the API key, signature or secret is missing or unknown: check it against refiner-sync.yaml, and check the URL',
)

export function tooLarge(maxBytes: number): Refusal {
  return new Refusal(
    413,
    `the body is larger than ${maxBytes} bytes: send smaller batches, or raise server.max_body in refiner-sync.yaml`,
  )
}
