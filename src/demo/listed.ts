import type { PeerRequest } from './scripted-server.ts'

type Item = Readonly<Record<string, unknown>>

/** What Refiner's API has to list. */
export interface Kept {
  /** As the API gives them: each with its moments and its `contact`. */
  readonly responses: readonly Item[]
  readonly contacts: readonly Item[]
}

/** Answers `GET /v1/responses` and `GET /v1/contacts`, in pages and the newest first, as Refiner does; null for all else. */
export function listing({ responses, contacts }: Kept): (request: PeerRequest) => Response | null {
  const placed = responses
    .map((item) => ({ at: Date.parse(`${String(item['completed_at']).replace(' ', 'T')}Z`), item }))
    .toSorted((a, b) => b.at - a.at)
  return (request) => {
    if (request.method !== 'GET') return null
    if (request.path === '/v1/responses') {
      const from = moment(request, 'date_range_start', -Infinity)
      const to = moment(request, 'date_range_end', Infinity)
      return page(
        request,
        placed.filter(({ at }) => at >= from && at < to).map(({ item }) => item),
      )
    }
    return request.path === '/v1/contacts' ? page(request, contacts) : null
  }
}

function moment({ query }: PeerRequest, name: string, otherwise: number): number {
  const value = query.get(name)
  if (value === null) return otherwise
  return /^\d+$/.test(value)
    ? Number(value)
    : Date.parse(value.includes('T') ? value : `${value.replace(' ', 'T')}Z`)
}

function page({ query }: PeerRequest, all: readonly unknown[]): Response {
  const length = Number(query.get('page_length') ?? 50)
  const from = Number(query.get('page_cursor') ?? 0)
  const items = all.slice(from, from + length)
  const next = from + length < all.length ? String(from + length) : null
  return Response.json({
    items,
    pagination: {
      items_count: all.length,
      current_page: Math.floor(from / length) + 1,
      items_per_page: length,
      last_page: Math.max(1, Math.ceil(all.length / length)),
      next_page_cursor: next,
    },
  })
}
