import { type Fetch, faultName, type PostResult, readStart } from './http-post.ts'
import { USER_AGENT } from './user-agent.ts'

/** A request that is made once, to see what is answered. */
export interface Question {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly authorization: string | null
  /** Null for GET. */
  readonly body: string | null
  readonly timeoutMs: number
}

/** Asks once, all within `timeoutMs`. Redirects are not followed. Never rejects; reasons hold no secrets. */
export async function askOnce(fetch: Fetch, question: Question, signal: AbortSignal): Promise<PostResult> {
  const { method, url, authorization, body, timeoutMs } = question
  const timeout = AbortSignal.timeout(timeoutMs)
  const { host } = new URL(url)
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      headers: {
        'user-agent': USER_AGENT,
        accept: 'application/json',
        ...(authorization !== null && { authorization }),
        ...(body !== null && { 'content-type': 'application/json' }),
      },
      ...(body !== null && { body }),
    })
    const { status, headers } = response
    return { answered: true, status, headers, body: await readStart(response) }
  } catch (error) {
    if (timeout.aborted) return { answered: false, reason: `${host} did not answer within ${timeoutMs} ms` }
    if (signal.aborted) return { answered: false, reason: `stopped before ${host} answered` }
    return { answered: false, reason: `no connection to ${host}: ${faultName(error)}` }
  }
}
