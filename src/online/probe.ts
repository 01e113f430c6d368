import { askOnce, type Question } from '../clients/ask-once.ts'
import { connectionWords } from '../clients/connection-words.ts'
import type { Fetch, PostResult } from '../clients/http-post.ts'
import { clockAheadMs } from '../clients/peer-clocks.ts'
import type { Clock } from '../contracts/clock.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'

/** What came of one thing that was tried. `unknown`: it cannot be known from here. `said` and `advice` hold no secrets. */
export interface Probed {
  /** Null for what concerns no tenant. */
  readonly tenant: string | null
  readonly what: 'refiner key' | 'refiner account' | 'segment' | 'segment write key' | 'clock' | 'public url'
  readonly status: 'ok' | 'failed' | 'unknown'
  readonly said: string
  readonly advice: string | null
}

export interface OnlineParts {
  readonly fetch: Fetch
  readonly clock: Pick<Clock, 'now'>
  readonly timeoutMs: number
  /** Breaks off what is under way. */
  readonly signal: AbortSignal
}

/** An answer, and how far this machine's clock is ahead of the answering one. */
export type Asked = PostResult & { readonly clockAheadMs: number | null }

export async function ask(parts: OnlineParts, question: Omit<Question, 'timeoutMs'>): Promise<Asked> {
  const result = await askOnce(parts.fetch, { ...question, timeoutMs: parts.timeoutMs }, parts.signal)
  return { ...result, clockAheadMs: result.answered ? clockAheadMs(result.headers, parts.clock.now()) : null }
}

/** What is wrong with an answer, whoever gave it; null for one of 2xx to 4xx that may mean something. */
export function fault(asked: Asked, setting: string): Pick<Probed, 'status' | 'said' | 'advice'> | null {
  if (!asked.answered) {
    return {
      status: 'failed',
      said: `cannot be reached, ${connectionWords(asked.reason)}: ${asked.reason}`,
      advice: `see that ${setting} is right, and that DNS, firewall and proxy let this machine out`,
    }
  }
  const { status, headers } = asked
  const said = `answered ${status}`
  if (status === 429)
    return { status: 'unknown', said: `${said}: too many requests`, advice: 'try again in a minute' }
  if (status >= 500)
    return { status: 'failed', said, advice: 'it is failing itself: see its status page, and try again' }
  if (status >= 300 && status < 400)
    return {
      status: 'failed',
      said: `${said}, a redirect`,
      advice: `${setting} is not the API: redirects are not followed`,
    }
  if (status === 404 || status === 405) return { status: 'failed', said, advice: `${setting} is not the API` }
  if (headers.get('content-type')?.includes('text/html') === true)
    return { status: 'failed', said: `${said} with a web page`, advice: `${setting} is not the API` }
  return null
}

/** The body as an object; null when it is none. */
export function objectIn(asked: Asked): JsonObject | null {
  if (!asked.answered) return null
  try {
    const value = JSON.parse(asked.body) as JsonValue
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
