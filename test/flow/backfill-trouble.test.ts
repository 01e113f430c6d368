import { expect, test } from 'bun:test'
import type { Respond } from '../../src/demo/scripted-server.ts'
import { ADMIN, begin, byResponse, ended, operate } from '../support/backfill.ts'
import { history, pastItem } from '../support/history.ts'
import { type Loop, startLoop, until } from '../support/loop.ts'

const some = (count: number) => Array.from({ length: count }, (_, n) => n)
/** So many on one day that they take three pages. */
const DAY_OF = { everyMs: 60_000, users: 1000 }
const COUNT = 900
const ofOneDay = () => some(COUNT).map((n) => pastItem(n, DAY_OF))
const settled = (loop: Loop) => until(() => loop.daemon.health().tenants['acme']!.pending === 0)

/** Refiner's answer with another page to follow. */
function leadingTo(respond: Respond, next: (cursor: string | null, given: string | null) => string | null) {
  const changed: Respond = async (request) => {
    const answer = await respond(request)
    if (!(answer instanceof Response) || request.query.get('page_length') === '1') return answer
    const body = (await answer.json()) as { pagination: { next_page_cursor: string | null } }
    const { pagination } = body
    const next_page_cursor = next(request.query.get('page_cursor'), pagination.next_page_cursor)
    return Response.json({ ...body, pagination: { ...pagination, next_page_cursor } })
  }
  return changed
}

test('pages that lead in a circle end it as failed, and nothing is lost once that is mended', async () => {
  let isBroken = true
  const past = history(ofOneDay())
  const broken = leadingTo(past, (cursor, given) => (cursor === '400' ? '0' : given))
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner: (request) => (isBroken ? broken : past)(request),
  })
  const { url } = loop.daemon
  const id = await begin(url)
  const failed = await ended(url, id)
  expect(failed.state).toBe('failed')
  expect(failed.reason).toContain('a page that it gave before')
  isBroken = false
  await operate(url, 'POST', `/api/backfills/${id}/resume`)
  expect((await ended(url, id)).state).toBe('done')
  await settled(loop)
  expect(byResponse(loop.segment.delivered).size).toBe(COUNT)
})

test('a list that names its last page for ever, and has a page without responses, is read to its end', async () => {
  const answer = leadingTo(history(ofOneDay()), (_, given) => (given === '400' ? 'empty' : (given ?? '800')))
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner(request) {
      if (request.query.get('page_cursor') !== 'empty') return answer(request)
      return Response.json({ items: [], pagination: { items_count: COUNT, next_page_cursor: '400' } })
    },
  })
  const { url } = loop.daemon
  const shown = await ended(url, await begin(url, 'since=2023-01-01&until=2023-01-02'))
  expect(shown.state).toBe('done')
  await settled(loop)
  expect(byResponse(loop.segment.delivered).size).toBe(COUNT)
})

test('responses that move to a page that was read, since others are deleted meanwhile, are brought over', async () => {
  let left = ofOneDay()
  await using loop = await startLoop({
    adminToken: ADMIN,
    refiner(request) {
      // The newest first: those of the first page.
      if (request.query.get('page_cursor') === '400' && left.length === COUNT)
        left = left.slice(0, COUNT - 30)
      return history(left)(request)
    },
  })
  const { url } = loop.daemon
  const shown = await ended(url, await begin(url))
  expect(shown.state).toBe('done')
  await settled(loop)
  const came = byResponse(loop.segment.delivered)
  expect(left.filter((item) => !came.has(String(item['uuid']))).length).toBe(0)
  expect(shown.counts.read).toBe(COUNT)
})

test('with another key, what was read with the old one and not yet taken is not sent', async () => {
  const key = (request: { headers: Headers }) => request.headers.get('authorization')
  const wrong = history(some(300).map((n) => ({ ...pastItem(n, DAY_OF), uuid: `of somebody else ${n}` })))
  const right = history(some(300).map((n) => pastItem(n, DAY_OF)))
  await using loop = await startLoop({
    adminToken: ADMIN,
    tenants: { acme: { refiner: { apiKey: 'a key of somebody else' } } },
    refiner: (request) => (key(request) === 'Bearer a key of somebody else' ? wrong : right)(request),
  })
  const { url } = loop.daemon
  const id = await begin(url, 'since=2022-12-01&rate=60')
  await until(async () => (await operate(url, 'GET', `/api/backfills/${id}`)).body.counts.taken > 0)
  const { requests } = loop.refiner
  await loop.reload({ tenants: { acme: {} } })
  const { taken } = (await operate(url, 'GET', `/api/backfills/${id}`)).body.counts
  expect(taken).toBeLessThan(300)
  await until(() => loop.refiner.requests > requests)
  await operate(url, 'POST', `/api/backfills/${id}/pause`)
  await settled(loop)
  const others = [...byResponse(loop.segment.delivered).keys()].filter((uuid) =>
    uuid.startsWith('of somebody'),
  )
  expect(others.length).toBe(taken)
})

test('what moves to another page while it is paused, or the daemon is down, is brought over', async () => {
  let left = ofOneDay()
  await using loop = await startLoop({ adminToken: ADMIN, refiner: (request) => history(left)(request) })
  const id = await begin(loop.daemon.url)
  const counts = async () => (await operate(loop.daemon.url, 'GET', `/api/backfills/${id}`)).body.counts
  await until(async () => (await counts()).read > 450)
  await operate(loop.daemon.url, 'POST', `/api/backfills/${id}/pause`)
  // Those of the first page, which were taken.
  left = left.slice(0, -30)
  await operate(loop.daemon.url, 'POST', `/api/backfills/${id}/resume`)
  await until(async () => (await counts()).read > 810)
  await loop.restart()
  const shown = await ended(loop.daemon.url, id)
  expect(shown.state).toBe('done')
  await settled(loop)
  const came = byResponse(loop.segment.delivered)
  expect(left.filter((item) => !came.has(String(item['uuid']))).length).toBe(0)
  expect(shown.counts.taken).toBe(COUNT)
  // By as many as were deleted it may be too much: by their places in the list it is known what was counted.
  expect(shown.counts.read).toBeLessThanOrEqual(COUNT + 30)
  expect(loop.segment.messages).toHaveLength(3 * COUNT)
})
