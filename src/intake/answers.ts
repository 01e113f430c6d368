import type { Refusal } from './refusal.ts'
import type { Accepted, Rejected } from './segment-intake.ts'

/** When a sender that was told 503 may come back, in seconds. */
const RETRY_AFTER_SECONDS = '5'

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  })
}

/** The answer to a request for intake, as Segment reads it. */
export function answer(result: Accepted | Rejected): Response {
  if ('refusal' in result) return refusalAnswer(result.refusal, result.errors)
  const { accepted, duplicates, errors } = result
  return json(200, { success: true, accepted, duplicates, ...(errors.length > 0 ? { errors } : {}) })
}

export function refusalAnswer({ status, message }: Refusal, errors: Rejected['errors'] = []): Response {
  const body = { success: false, message, ...(errors.length > 0 ? { errors } : {}) }
  if (status === 503) return json(status, body, { 'retry-after': RETRY_AFTER_SECONDS })
  if (status === 401) return json(status, body, { 'www-authenticate': 'Basic realm="refiner-sync"' })
  return json(status, body)
}
