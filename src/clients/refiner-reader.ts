import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type {
  ContactsQuery,
  Page,
  ReadFailure,
  RefinerReader,
  ResponsesQuery,
} from '../contracts/refiner-reader.ts'
import { parseExact } from '../json/parse-exact.ts'
import type { AskedPause } from './asked-pause.ts'
import type { ClientParts } from './client-parts.ts'
import { getText } from './http-get.ts'
import { judge } from './judge-answer.ts'
import { clockAheadMs } from './peer-clocks.ts'
import { USER_AGENT } from './user-agent.ts'

/** A page of a thousand responses with all that contacts can hold comes to some megabytes. */
const MOST_BYTES = 32 * 1024 * 1024

/** The next page by its number, from an account whose answers have no cursor. */
const BY_NUMBER = /^page:(\d+)$/

/** Reads over Refiner's REST API (https://refiner.io/docs/api/). */
export class RefinerRestReader implements RefinerReader {
  readonly #host: string

  constructor(private readonly parts: ClientParts & { readonly pause: AskedPause }) {
    this.#host = new URL(parts.endpoint).host
  }

  responses(query: ResponsesQuery, signal: AbortSignal): Promise<Page<JsonObject> | ReadFailure> {
    const parameters = paging(query)
    parameters.set('include', query.include)
    if (query.since !== null) parameters.set('date_range_start', moment(query.since))
    if (query.until !== null) parameters.set('date_range_end', moment(query.until))
    if (query.withAttributes) parameters.set('with_attributes', '1')
    for (const uuid of query.formUuids) parameters.append('form_uuids[]', uuid)
    return this.#page('responses', parameters, signal)
  }

  contacts(query: ContactsQuery, signal: AbortSignal): Promise<Page<JsonObject> | ReadFailure> {
    return this.#page('contacts', paging(query), signal)
  }

  async #page(
    path: string,
    parameters: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Page<JsonObject> | ReadFailure> {
    const { endpoint, key, fetch, clock, timeoutMs, turn, pause } = this.parts
    const { leftMs } = pause
    if (leftMs > 0) {
      const reason = `${this.#host} asked to be left alone for ${Math.ceil(leftMs / 1000)} s more`
      return { ok: false, kind: 'throttled', retryAfterMs: leftMs, status: null, reason }
    }
    if (!(await turn(signal))) return failure('unavailable', 'the program stopped before it was read')
    const result = await getText(
      fetch,
      {
        url: `${endpoint}/${path}?${parameters.toString()}`,
        authorization: `Bearer ${key}`,
        timeoutMs,
        userAgent: USER_AGENT,
        mostBytes: MOST_BYTES,
      },
      signal,
    )
    const outcome = judge(result, this.#host, clock.now())
    if (outcome.kind !== 'delivered') {
      const { kind, reason, status } = outcome
      const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : null
      if (retryAfterMs !== null) pause.ask(retryAfterMs)
      return { ok: false, kind: kind === 'retry' ? 'unavailable' : kind, retryAfterMs, status, reason }
    }
    const page = result.answered ? readPage(result.body, parameters.has('page_cursor')) : null
    if (page === null || !result.answered) {
      return failure('unavailable', `${this.#host} answered with something that is no page of ${path}`)
    }
    return { ...page, clockAheadMs: clockAheadMs(result.headers, clock.now()) }
  }
}

function failure(kind: ReadFailure['kind'], reason: string): ReadFailure {
  return { ok: false, kind, retryAfterMs: null, status: null, reason }
}

function paging({ pageLength, cursor }: { pageLength: number; cursor: string | null }): URLSearchParams {
  const parameters = new URLSearchParams({ page_length: String(pageLength) })
  const number = cursor === null ? null : BY_NUMBER.exec(cursor)
  if (number !== null) parameters.set('page', number[1]!)
  else if (cursor !== null) parameters.set('page_cursor', cursor)
  return parameters
}

/** As the API itself gives moments, in UTC. */
function moment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

/** Null when it is none. `isByCursor`: it was asked for by its cursor. */
function readPage(body: string, isByCursor: boolean): Omit<Page<JsonObject>, 'clockAheadMs'> | null {
  let answer: JsonValue
  try {
    answer = parseExact(body) as JsonValue
  } catch {
    return null
  }
  const items = object(answer)?.['items']
  if (!Array.isArray(items)) return null
  const objects = items.map((item) => object(item))
  if (objects.includes(null)) return null
  const pagination = object(object(answer)!['pagination'] ?? null) ?? {}
  return {
    ok: true,
    items: objects as JsonObject[],
    nextCursor: nextCursor(pagination, isByCursor, items.length === 0),
    total: count(pagination['items_count']),
  }
}

function nextCursor(
  { next_page_cursor: next, current_page: page, last_page: last }: JsonObject,
  isByCursor: boolean,
  isEmpty: boolean,
): string | null {
  if (typeof next === 'number' || (typeof next === 'string' && next !== '')) return String(next)
  // Without a cursor on the page before it either, the account counts its pages.
  const [present, end] = [count(page), count(last)]
  if (isByCursor || isEmpty || present === null || end === null) return null
  return present < end ? `page:${present + 1}` : null
}

/** A number, also one that is given as text. */
function count(value: JsonValue | undefined): number | null {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  return typeof value === 'number' ? value : null
}

function object(value: JsonValue): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
}
