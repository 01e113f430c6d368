/** The part of `fetch` that the clients use. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What came of a request: an answer, or none. `reason` holds no secrets and no personal data. */
export type PostResult =
  | { readonly answered: true; readonly status: number; readonly headers: Headers; readonly body: string }
  | { readonly answered: false; readonly reason: string }

/** As much of an answer as is read. */
const MOST_ANSWER_BYTES = 64 * 1024

/** Posts JSON, or sends another method with or without a body, and reads the answer, all within `timeoutMs`. Redirects are not followed. Never rejects. */
export async function postJson(
  fetch: Fetch,
  request: {
    method?: 'POST' | 'DELETE'
    url: string
    authorization: string
    body: string | null
    timeoutMs: number
    userAgent: string
  },
  signal: AbortSignal,
): Promise<PostResult> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const { host } = new URL(request.url)
  try {
    const response = await fetch(request.url, {
      method: request.method ?? 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      headers: {
        ...(request.body !== null && { 'content-type': 'application/json' }),
        authorization: request.authorization,
        'user-agent': request.userAgent,
      },
      body: request.body,
    })
    return {
      answered: true,
      status: response.status,
      headers: response.headers,
      body: await readStart(response),
    }
  } catch (error) {
    if (timeout.aborted)
      return { answered: false, reason: `${host} did not answer within ${request.timeoutMs} ms` }
    if (signal.aborted) return { answered: false, reason: `stopped before ${host} answered` }
    return { answered: false, reason: `no connection to ${host}: ${faultName(error)}` }
  }
}

/** As much of an answer as is worth reading. */
export async function readStart(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes >= MOST_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, MOST_ANSWER_BYTES).toString('utf8')
}

/** A code such as ECONNREFUSED: a fault's message can quote what was sent. */
export function faultName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
