import type { SegmentStatus } from '../contracts/segments.ts'
import type { SegmentMember } from '../store/segment-members.ts'
import { json, refusal } from './answers.ts'
import { noSuchTenant } from './people.ts'
import { oneOf, unknownIn } from './query.ts'

/** The segments, as far as the operator's API needs them. */
export interface Segments {
  tenants(): readonly string[]
  status(): readonly SegmentStatus[]
  /** Some milliseconds of work at most. Null where there is no such segment. */
  members(tenant: string, name: string, after: string, limit: number): readonly SegmentMember[] | null
}

const USUAL_LIMIT = 100
const HIGHEST_LIMIT = 1000
const FORMATS = ['json', 'csv', 'jsonl'] as const

/** GET /api/segments?tenant=: the segments of a tenant or of all, in the order of the configuration. */
export function listSegments(segments: Segments, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['tenant'])
  if (unknown !== null) return refusal(400, unknown)
  const tenant = query.get('tenant')
  const unknownTenant = noSuchTenant(query, segments)
  if (unknownTenant !== null) return unknownTenant
  return json(
    segments
      .status()
      .filter((one) => tenant === null || one.tenant === tenant)
      .map(shown),
  )
}

/**
 * GET /api/segments/:name?tenant=&after=&limit=&format=: a segment with its members by their IDs, those behind `after`;
 * as CSV or JSON lines the members alone. Where there are more, the header `x-next-after` has what to go on `after`.
 */
export function showSegment(segments: Segments, name: string, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['tenant', 'after', 'limit', 'format'])
  if (unknown !== null) return refusal(400, unknown)
  const format = oneOf(query, 'format', FORMATS)
  if (format === undefined) return refusal(400, `format is one of ${FORMATS.join(', ')}`)
  const limit = limitOf(query.get('limit'))
  if (limit === null) return refusal(400, `limit is a number from 1 to ${HIGHEST_LIMIT}`)
  const segment = noSuchTenant(query, segments) ?? segmentFor(segments, name, query.get('tenant'))
  if (segment instanceof Response) return segment
  const after = query.get('after') ?? ''
  // One more tells whether there is another.
  const found = segments.members(segment.tenant, name, after, limit + 1) ?? []
  const members = found.slice(0, limit)
  const next = found.length > limit ? encodeURIComponent(members.at(-1)!.userId) : null
  const headers = next === null ? {} : { 'x-next-after': next }
  switch (format) {
    case 'csv':
      return plain(
        [...(after === '' ? [CSV_HEAD] : []), ...members.map(member).map(csvLine)]
          .map((line) => `${line}\r\n`)
          .join(''),
        'text/csv; charset=utf-8',
        headers,
      )
    case 'jsonl':
      return plain(
        members.map((one) => `${JSON.stringify(member(one))}\n`).join(''),
        'application/jsonl',
        headers,
      )
    case 'json':
    case null:
      return json({ ...shown(segment), listed: members.map(member) }, 200, headers)
  }
}

/** The segment of that name, where the tenant is named or only one has one; an answer that says what to do otherwise. */
function segmentFor(segments: Segments, name: string, tenant: string | null): SegmentStatus | Response {
  const all = segments.status().filter((one) => tenant === null || one.tenant === tenant)
  const [one, other] = all.filter((segment) => segment.name === name)
  if (one === undefined) {
    const names = [...new Set(all.map((segment) => segment.name))]
    const there = names.length === 0 ? 'there are none' : `there is ${names.slice(0, 50).join(', ')}`
    return refusal(404, `there is no segment of that name; ${there}`)
  }
  return other === undefined
    ? one
    : refusal(400, 'several tenants have a segment of that name: name the tenant')
}

function limitOf(text: string | null): number | null {
  if (text === null) return USUAL_LIMIT
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0
  return limit > 0 && limit <= HIGHEST_LIMIT ? limit : null
}

/** A segment as JSON shows it. */
export interface ShownSegment {
  readonly tenant: string
  readonly name: string
  readonly when: string
  readonly members: number
  readonly complete: boolean
  readonly refiner_segment: string | null
  readonly to_segment: {
    readonly trait: string | null
    readonly entered: string | null
    readonly left: string | null
  }
  readonly last_failure: { readonly at: string; readonly reason: string } | null
}

function shown(segment: SegmentStatus): ShownSegment {
  const { tenant, name, condition, members, isComplete, refinerSegment, lastFailure } = segment
  return {
    tenant,
    name,
    when: condition,
    members,
    complete: isComplete,
    refiner_segment: refinerSegment,
    to_segment: { trait: segment.trait, entered: segment.enteredEvent, left: segment.leftEvent },
    last_failure:
      lastFailure === null
        ? null
        : { at: new Date(lastFailure.at).toISOString(), reason: lastFailure.reason },
  }
}

/** A member as JSON shows it. */
export interface ShownMember {
  readonly user_id: string
  readonly email: string | null
  readonly since: string
}

function member({ userId, email, since }: SegmentMember): ShownMember {
  return { user_id: userId, email, since: new Date(since).toISOString() }
}

export const CSV_HEAD = 'user_id,email,since'

/** A member as a line of CSV without its end, by RFC 4180. */
export function csvLine({ user_id, email, since }: ShownMember): string {
  return [user_id, email ?? '', since].map(field).join(',')
}

function field(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

function plain(text: string, type: string, headers: Record<string, string>): Response {
  return new Response(text, {
    headers: { 'content-type': type, 'cache-control': 'no-store', ...headers },
  })
}
