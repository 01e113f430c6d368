import type { DeliveryConditions } from '../store/delivery-filter.ts'
import { momentOf } from './moment.ts'

/** Parameters of the operator's API, read strictly: what is not understood is refused, and never left out. */

export const DESTINATIONS = ['segment', 'refiner'] as const

/** The names of the conditions; `reason` is another word for `error`. */
export const CONDITION_NAMES = [
  'tenant',
  'destination',
  'user',
  'survey',
  'error',
  'reason',
  'since',
  'until',
] as const

/** The conditions of a query, or what is wrong with them. `now` is in ms since 1970. */
export function conditionsOf(query: URLSearchParams, now: number): DeliveryConditions | string {
  const destination = oneOf(query, 'destination', DESTINATIONS)
  if (destination === undefined) return `destination is one of ${DESTINATIONS.join(', ')}`
  if (query.has('error') && query.has('reason')) return 'error and reason are the same: give one of them'
  const since = momentIn(query, 'since', now)
  const until = momentIn(query, 'until', now)
  if (since === undefined || until === undefined) {
    return 'since and until are moments such as 2026-01-31T08:00:00Z, or how long ago, such as 2h or 3d'
  }
  const error = query.get('error') ?? query.get('reason')
  const { tenant, user, survey } = textsOf(query, ['tenant', 'user', 'survey'])
  return { tenant: tenant!, destination, user: user!, survey: survey!, error, since, until }
}

/** Digits only: `Number` takes '0x10' and '1e3' too, which nobody means. */
export function idOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** A part of the path, decoded; Elysia gives null for one with a % that means nothing, whatever its types say. */
export function partOf(part: string | null): string {
  return part ?? '%'
}

/** What is wrong with the names of the parameters; null when each is known and given once. */
export function unknownIn(query: URLSearchParams, names: readonly string[]): string | null {
  const given = [...query.keys()]
  if (given.every((name, index) => names.includes(name) && given.indexOf(name) === index)) return null
  return `each parameter is one of ${names.join(', ')}, and given once`
}

/** Null when it is not given; undefined when it is something else. */
export function oneOf<T extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly T[],
): T | null | undefined {
  const value = query.get(name)
  return value === null ? null : values.find((one) => one === value)
}

/** `true` or `false`, which is also what is not given; undefined when it is something else. */
export function flagOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = oneOf(query, name, ['true', 'false'])
  return value === undefined ? undefined : value === 'true'
}

function momentIn(query: URLSearchParams, name: string, now: number): number | null | undefined {
  const value = query.get(name)
  return value === null ? null : (momentOf(value, now) ?? undefined)
}

function textsOf<N extends string>(query: URLSearchParams, names: readonly N[]): Record<N, string | null> {
  return Object.fromEntries(names.map((name) => [name, query.get(name)])) as Record<N, string | null>
}
