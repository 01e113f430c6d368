import type { Outcome } from '../contracts/delivery.ts'
import type { PostResult } from './http-post.ts'

/** As much of a refusal as is kept with the delivery. */
const MOST_ANSWER_CHARACTERS = 500

/** What becomes of a delivery that the program stopped before it was sent: nothing, and it counts as no attempt. */
export const NOT_SENT: Outcome = {
  kind: 'throttled',
  reason: 'the program stopped before it was sent',
  retryAfterMs: 0,
  status: null,
  answer: null,
}

const NO_ANSWER = { status: null, answer: null } as const

/**
 * What a request's result means for what it carried. `now` is in ms since 1970, for a Retry-After that names a moment.
 * A 404 counts as passing: it says that the endpoint is wrong, which is the operator's to mend and no message's fault.
 */
export function judge(result: PostResult, host: string, now: number): Outcome {
  if (!result.answered) return { kind: 'retry', reason: result.reason, retryAfterMs: null, ...NO_ANSWER }
  const { status, headers, body } = result
  const said = `${host} answered ${status}`
  const retryAfterMs = retryAfter(headers, now)
  const answered = { status, answer: body.slice(0, MOST_ANSWER_CHARACTERS) }
  if (status >= 200 && status < 300) {
    const fault = faultInside(headers, body)
    return fault === null
      ? { kind: 'delivered' }
      : { kind: 'retry', reason: `${said}, but ${fault}`, retryAfterMs, ...answered }
  }
  if (status >= 300 && status < 400) {
    return {
      kind: 'retry',
      reason: `${said}: redirects are not followed, check the endpoint`,
      retryAfterMs,
      ...answered,
    }
  }
  switch (status) {
    case 429:
      return { kind: 'throttled', reason: said, retryAfterMs, ...answered }
    case 401:
    case 403:
      return { kind: 'unauthorized', reason: `${said}: check the key in refiner-sync.yaml`, ...answered }
    case 404:
    case 405:
      return {
        kind: 'retry',
        reason: `${said}: check the endpoint in refiner-sync.yaml`,
        retryAfterMs,
        ...answered,
      }
    case 408:
    case 409:
    case 425:
      return { kind: 'retry', reason: said, retryAfterMs, ...answered }
    default:
      return status >= 500
        ? { kind: 'retry', reason: said, retryAfterMs, ...answered }
        : { kind: 'rejected', reason: said, ...answered }
  }
}

/** A moment in HTTP's form begins with its weekday; Date.parse alone would read "-5" as a year. */
const HTTP_MOMENT = /^[A-Za-z]{3,9},? /

/**
 * Seconds, or a moment in HTTP's form; Segment also names X-RateLimit-Reset, in seconds. Null when nothing is said, or
 * nothing that can be read. A moment is one of the destination's clock, so it is compared with what that clock shows.
 */
export function retryAfter(headers: Headers, now: number): number | null {
  const value = (headers.get('retry-after') ?? headers.get('x-ratelimit-reset'))?.trim()
  if (value === undefined || value === '') return null
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const moment = readMoment(value)
  if (moment === null) return null
  return Math.max(0, moment - (readMoment(headers.get('date')) ?? now))
}

function readMoment(text: string | null): number | null {
  const moment = text !== null && HTTP_MOMENT.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(moment) ? null : moment
}

/** What is wrong with an answer of 200: an error inside, or a web page where an API should be. */
function faultInside(headers: Headers, body: string): string | null {
  if (headers.get('content-type')?.includes('text/html')) return 'with a web page: check the endpoint'
  if (!body.trimStart().startsWith('{')) return null
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return null
  }
  if (typeof answer !== 'object' || answer === null) return null
  const fields = answer as Record<string, unknown>
  if (fields['success'] === false || fields['ok'] === false) return 'said that it failed'
  if (fields['status'] === 'error') return 'said that it failed'
  return isFilled(fields['error']) || isFilled(fields['errors']) ? 'with an error inside' : null
}

/** An empty list or object of errors says that there are none. */
function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}
