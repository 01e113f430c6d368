import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { history, pastItem } from '../support/history.ts'
import { deadline, until } from '../support/loop.ts'
import { PROGRAM, run, workplace } from '../support/process.ts'

const COUNT = 250

/** Responses of an hour hence, by a clock that is ahead: none is too old, or left to its webhook. */
function items() {
  const ahead = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const moments = { last_shown_at: ahead, last_data_reception_at: ahead, completed_at: ahead }
  return Array.from({ length: COUNT }, (_, n) => ({ ...pastItem(n), ...moments }))
}

test('killed between two pages, a poll loses nothing and sends nothing twice by its ID', async () => {
  const segment = startSegmentStandIn({ writeKeys: 'any' })
  const answer = history(items())
  let hangs = true
  let isAtLastPage = false
  const refiner = startRefinerStandIn({
    apiKeys: 'any',
    respond(request) {
      const isLast = request.query.get('page_cursor') === '200'
      isAtLastPage ||= isLast
      return isLast && hangs ? 'hang' : answer(request)
    },
  })
  using place = workplace({ segment: `${segment.url}/v1`, refiner: `${refiner.url}/v1` })
  const file = join(place.folder, 'refiner-sync.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('rate_limit:', 'poll: 1s\n      rate_limit:'))

  const responses = () =>
    new Set(
      segment.messages
        .filter(({ message }) => message['type'] === 'track')
        .map(({ message }) => JSON.stringify((message['properties'] as object)['response_uuid' as never])),
    )
  const ids = () => new Set(segment.messages.map(({ message }) => String(message['messageId'])))
  const killed = run(PROGRAM, ['serve'], place.folder)
  try {
    await until(() => isAtLastPage, deadline())
    expect(responses().size).toBeLessThan(COUNT)
  } finally {
    killed.process.kill('SIGKILL')
    await killed.process.exited
  }
  hangs = false
  const next = run(PROGRAM, ['serve'], place.folder)
  try {
    await until(() => responses().size === COUNT, deadline())
  } finally {
    next.process.kill('SIGTERM')
    await next.process.exited
    await segment.stop()
    await refiner.stop()
  }
  // An identify, a group and a track each.
  expect(ids().size).toBe(3 * COUNT)
}, 40_000)
