import { afterEach, beforeEach, expect, jest, test } from 'bun:test'
import { type InboxItem, InboxUnavailable } from '../../src/contracts/inbox.ts'
import type { FromFront } from '../../src/front/messages.ts'
import { RemoteInbox } from '../../src/front/remote-inbox.ts'

let posted: FromFront[]
let inbox: RemoteInbox
beforeEach(() => {
  jest.useFakeTimers()
  posted = []
  inbox = new RemoteInbox((message) => void posted.push(message))
})
afterEach(() => void jest.useRealTimers())

const item = (characters: number): InboxItem => ({
  tenant: 'acme',
  source: 'segment',
  dedupKey: 'k',
  payload: 'x'.repeat(characters),
})

/** What came of an append, in words. */
const outcome = (append: Promise<unknown>) =>
  append.then(
    () => 'kept',
    (error: unknown) => (error instanceof InboxUnavailable ? error.message : 'failed'),
  )

test('while the disk stands still, each sender is told within the time that it waits', async () => {
  const first = outcome(inbox.append([item(1)]))
  jest.advanceTimersByTime(2000)
  const second = outcome(inbox.append([item(1)]))
  jest.advanceTimersByTime(2600)
  expect(await first).toBe('the disk takes too long')
  jest.advanceTimersByTime(2000)
  expect(await second).toBe('the disk takes too long')
})

test('while the disk stands still, no more is handed over, and no more piles up than the bound', async () => {
  const outcomes: Promise<string>[] = []
  for (let round = 0; round < 20; round++) {
    for (let n = 0; n < 8; n++) outcomes.push(outcome(inbox.append([item(2 * 1024 * 1024)])))
    jest.advanceTimersByTime(5000)
  }
  expect(posted).toHaveLength(1)
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['the disk takes too long']))

  // The first message holds one item, and nothing that was given up waits any more.
  inbox.unkept(1, 'the disk failed')
  const next = outcome(inbox.append([item(1)]))
  expect(posted).toHaveLength(2)
  inbox.unkept(2, 'the disk failed')
  expect(await next).toBe('the disk failed')
})
