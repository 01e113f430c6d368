import type { Fetch, PostResult } from './http-post.ts'
import { faultName } from './http-post.ts'

/** Gets a body of at most `mostBytes`, all within `timeoutMs`. Redirects are not followed. Never rejects. */
export async function getText(
  fetch: Fetch,
  request: { url: string; authorization: string; timeoutMs: number; userAgent: string; mostBytes: number },
  signal: AbortSignal,
): Promise<PostResult> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const { host } = new URL(request.url)
  try {
    const response = await fetch(request.url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      headers: {
        accept: 'application/json',
        authorization: request.authorization,
        'user-agent': request.userAgent,
      },
    })
    const body = await readUpTo(response, request.mostBytes)
    if (body === null) return { answered: false, reason: `${host} answered with more than can be read` }
    return { answered: true, status: response.status, headers: response.headers, body }
  } catch (error) {
    if (timeout.aborted)
      return { answered: false, reason: `${host} did not answer within ${request.timeoutMs} ms` }
    if (signal.aborted) return { answered: false, reason: `stopped before ${host} answered` }
    return { answered: false, reason: `no connection to ${host}: ${faultName(error)}` }
  }
}

/** The body as text; null when it is longer. */
async function readUpTo(response: Response, most: number): Promise<string | null> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > most) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
