/**
 * Stands for Refiner's API with many responses of the past: `history.ts COUNT THROTTLED`, evenly over two years and over 5,000 users. One
 * request of each THROTTLED is answered 429, with a `Retry-After` of a second; 0 for none. After `POST /away` each is answered
 * 503, until `POST /back`. `GET /requests` says how many there were.
 */
import { pastItem } from '../../test/support/history.ts'

const [count = 200_000, throttled = 0] = process.argv.slice(2).map(Number)
const BEGINS = Date.UTC(2023, 0, 1)
const EVERY_MS = (2 * 365 * 86_400_000) / count
let requests = 0
let refused = 0
let isAway = false
let unavailable = 0

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    const { pathname, searchParams: query } = new URL(request.url)
    if (pathname === '/requests') return Response.json({ requests, refused, unavailable })
    if (pathname === '/away' || pathname === '/back') {
      isAway = pathname === '/away'
      return new Response()
    }
    requests += 1
    if (isAway) {
      unavailable += 1
      return new Response('', { status: 503 })
    }
    if (throttled > 0 && requests % throttled === 0) {
      refused += 1
      return Response.json({ message: 'Too many requests' }, { status: 429, headers: { 'retry-after': '1' } })
    }
    if (pathname !== '/v1/responses') return Response.json({ message: 'Not found' }, { status: 404 })
    const first = numberAt(query.get('date_range_start'), 0)
    const behind = Math.max(first, numberAt(query.get('date_range_end'), count))
    const length = Number(query.get('page_length') ?? 50)
    const from = Number(query.get('page_cursor') ?? 0)
    const to = Math.min(from + length, behind - first)
    const items: unknown[] = []
    for (let n = from; n < to; n++) items.push(pastItem(behind - 1 - n, { everyMs: EVERY_MS, users: 5000 }))
    const next_page_cursor = to < behind - first ? String(to) : null
    return Response.json({
      items,
      pagination: {
        items_count: behind - first,
        current_page: 1 + Math.floor(from / length),
        items_per_page: length,
        last_page: Math.max(1, Math.ceil((behind - first) / length)),
        next_page_cursor,
      },
    })
  },
})
console.log(`http://127.0.0.1:${server.port}`)

/** The first response at that moment or behind it. */
function numberAt(moment: string | null, otherwise: number): number {
  if (moment === null) return otherwise
  const text = moment.includes('T') ? moment : `${moment.replace(' ', 'T')}Z`
  return Math.min(Math.max(Math.ceil((Date.parse(text) - BEGINS) / EVERY_MS), 0), count)
}
