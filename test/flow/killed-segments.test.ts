import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRefinerStandIn } from '../../src/demo/refiner-stand-in.ts'
import { startSegmentStandIn } from '../../src/demo/segment-stand-in.ts'
import { basic, deadline, postTo, until } from '../support/loop.ts'
import { PROGRAM, run, type Running, workplace } from '../support/process.ts'

const USERS = Array.from({ length: 40 }, (_, n) => `user-${n}`)
const ROUNDS = 4

const SEGMENTS = `
    segments:
      - { name: pros, when: traits.plan == "pro", refiner_segment: manual, to_segment: { entered: Entered, left: Left } }
`

test('killed at work, it tells of each user who entered and left in turn, and of each last', async () => {
  const segment = startSegmentStandIn({ writeKeys: 'any' })
  const refiner = startRefinerStandIn({ apiKeys: 'any' })
  using place = workplace({ segment: `${segment.url}/v1`, refiner: `${refiner.url}/v1` })
  const file = join(place.folder, 'refiner-sync.yaml')
  writeFileSync(file, readFileSync(file, 'utf8') + SEGMENTS)
  const synced = () => refiner.calls.filter(({ path }) => path === '/v1/sync-segment')

  /** What was told of a user, without what was told again after a kill. */
  const turnsOf = (userId: string) =>
    synced()
      .filter(({ body }) => body['id'] === userId)
      .map(({ method }) => method)
      .filter((method, n, all) => method !== all[n - 1])
  const idsOf = (userId: string) =>
    new Map(
      segment.messages
        .filter(({ message }) => message['userId'] === userId)
        .map(({ message }) => [message['messageId'], message['event']]),
    )

  let daemon: Running = run(PROGRAM, ['serve'], place.folder)
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const url = await daemon.url()
      const batch = USERS.map((userId) => {
        const traits = { plan: round % 2 === 1 ? 'pro' : 'free' }
        return { type: 'identify', userId, messageId: `${userId}-${round}`, traits }
      })
      const before = synced().length
      expect((await postTo(url, '/v1/batch', { batch }, basic('acme-destination-key'))).status).toBe(200)
      // In the middle of what comes of it, but for the first round: then at once.
      await until(() => round === 1 || synced().length > before + 5, deadline())
      daemon.process.kill('SIGKILL')
      await daemon.process.exited
      daemon = run(PROGRAM, ['serve'], place.folder)
      // Nobody is left out before the next round comes: each is told of this one, by Refiner's calls and Segment's IDs.
      await until(
        () => USERS.every((id) => turnsOf(id).length === round && idsOf(id).size === round),
        deadline(),
      )
    }
  } finally {
    daemon.process.kill('SIGTERM')
    await daemon.process.exited
    await segment.stop()
    await refiner.stop()
  }

  for (const userId of USERS) {
    expect([userId, turnsOf(userId)]).toEqual([userId, ['POST', 'DELETE', 'POST', 'DELETE']])
    expect([userId, [...idsOf(userId).values()]]).toEqual([userId, ['Entered', 'Left', 'Entered', 'Left']])
  }
}, 60_000)
