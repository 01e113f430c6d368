import type { Refusal } from './refusal.ts'
import type { Accepted, Rejected } from './segment-intake.ts'

/** When a sender that was told 503 may come back, in seconds. */
const RETRY_AFTER_SECONDS = '5'
const CONTENT_TYPE = 'application/json; charset=utf-8'
/** Nearly every answer is one of these two. Made of text each time: a response can be read only once. */
const ONE_ACCEPTED = '{"success":true,"accepted":1,"duplicates":0}'
const ONE_DUPLICATE = '{"success":true,"accepted":0,"duplicates":1}'
const USUAL: ResponseInit = { headers: new Headers({ 'content-type': CONTENT_TYPE }) }

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': CONTENT_TYPE, ...headers },
  })
}

/** The answer to a request for intake, as Segment reads it. */
export function answer(result: Accepted | Rejected): Response {
  if ('refusal' in result) return refusalAnswer(result.refusal, result.errors)
  const { accepted, duplicates, errors } = result
  if (errors.length === 0 && accepted + duplicates === 1) {
    return new Response(accepted === 1 ? ONE_ACCEPTED : ONE_DUPLICATE, USUAL)
  }
  return json(200, { success: true, accepted, duplicates, ...(errors.length > 0 ? { errors } : {}) })
}

export function refusalAnswer({ status, message }: Refusal, errors: Rejected['errors'] = []): Response {
  const body = { success: false, message, ...(errors.length > 0 ? { errors } : {}) }
  if (status === 401) return json(status, body, { 'www-authenticate': 'Basic realm="refiner-sync"' })
  if (status === 503) return json(status, body, { 'retry-after': RETRY_AFTER_SECONDS })
  // The rest of such a body is of no use to anybody.
  return json(status, body, status === 408 || status === 413 ? { connection: 'close' } : {})
}
